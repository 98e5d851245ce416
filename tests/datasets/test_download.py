"""Downloads from a server on this machine: whole and checked, resumed after a break, never outside."""

import hashlib
import io
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from hearspike.datasets import fetch, write_spike_file
from hearspike.datasets.download import download
from hearspike.datasets.published import PUBLISHED_SETS, Archive, PublishedSet
from hearspike.datasets.unpack import unpack
from hearspike.errors import InputError

NOISE = np.random.default_rng(0).bytes(3_000_000)


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def taped(members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


@dataclass
class Server:
    """Files by path; a connection breaks after ``break_after`` bytes of a body, once."""

    files: dict[str, bytes]
    address: str = ""
    break_after: int | None = None
    ranges: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server(files={"/a.zip": zipped({"a.h5": NOISE}), "/b.zip": zipped({"sub/b.h5": b"second"})})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.requests.append((self.path, wanted))
            body = state.files.get(self.path)
            if body is None:
                self.send_error(404)
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and state.ranges else 0
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            stop = len(body) if state.break_after is None else start + state.break_after
            state.break_after = None
            self.wfile.write(body[start:stop])

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.address = f"http://127.0.0.1:{http.server_address[1]}"
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


def checksum(content: bytes, method: str = "sha256") -> str:
    return f"{method}:{hashlib.new(method, content).hexdigest()}"


@pytest.fixture(autouse=True)
def published(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    archives = (
        Archive(f"{server.address}/a.zip", checksum(server.files["/a.zip"], "md5")),
        Archive(f"{server.address}/b.zip", checksum(server.files["/b.zip"])),
    )
    unknown = PublishedSet((Archive(f"{server.address}/b.zip", None),), licence="", citation="", strip=1)
    monkeypatch.setitem(PUBLISHED_SETS, "pair", PublishedSet(archives, licence="", citation=""))
    monkeypatch.setitem(PUBLISHED_SETS, "unknown", unknown)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_set_is_downloaded_checked_and_unpacked(tmp_path: Path) -> None:
    """All archives end in one folder, nothing else is left, and progress counts the bytes."""
    calls: list[tuple[str, int, int, str]] = []
    download("pair", tmp_path / "out", progress=lambda *call: calls.append(call))
    assert (tmp_path / "out" / "a.h5").read_bytes() == NOISE
    assert (tmp_path / "out" / "sub" / "b.h5").read_bytes() == b"second"
    assert names(tmp_path) == ["out"]
    last = [call for call in calls if call[0] == "download" and call[3] == "a.zip"][-1]
    assert last[1] == last[2] > len(NOISE)


@pytest.mark.parametrize("ranges", [True, False])
def test_broken_download_goes_on_where_it_stopped(server: Server, tmp_path: Path, ranges: bool) -> None:
    """After a broken connection the rest is asked for; a server without ranges starts again."""
    server.break_after, server.ranges = 2_000_000, ranges
    with pytest.raises(InputError, match="goes on from there"):
        download("pair", tmp_path / "out")
    there = (tmp_path / "out.download" / "a.zip.partial").stat().st_size
    assert 0 < there <= 2_000_000
    assert not (tmp_path / "out").exists()
    download("pair", tmp_path / "out")
    assert server.requests[1] == ("/a.zip", f"bytes={there}-")
    assert (tmp_path / "out" / "a.h5").read_bytes() == NOISE
    assert names(tmp_path) == ["out"]


def test_break_at_the_last_byte_is_no_loss(server: Server, tmp_path: Path) -> None:
    """All bytes there but not renamed yet: the server says that there are no more, and that is right."""
    (tmp_path / "out.download").mkdir()
    (tmp_path / "out.download" / "a.zip.partial").write_bytes(server.files["/a.zip"])
    download("pair", tmp_path / "out")
    assert (tmp_path / "out" / "a.h5").read_bytes() == NOISE


def test_finished_archives_are_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    """The second of two archives fails; the first stays."""
    good = server.files.pop("/b.zip")
    with pytest.raises(InputError, match=r"b\.zip: got the answer 404"):
        download("pair", tmp_path / "out")
    server.files["/b.zip"] = good
    server.requests.clear()
    download("pair", tmp_path / "out")
    assert [path for path, _ in server.requests] == ["/b.zip"]


def test_wrong_checksum_stops_and_shows_both(server: Server, tmp_path: Path) -> None:
    """Nothing is unpacked, and the bad file is not kept to be gone on from."""
    expected = checksum(server.files["/a.zip"], "md5")
    server.files["/a.zip"] = zipped({"a.h5": b"other"})
    with pytest.raises(InputError) as caught:
        download("pair", tmp_path / "out")
    assert expected in str(caught.value)
    assert checksum(server.files["/a.zip"], "md5") in str(caught.value)
    assert not (tmp_path / "out").exists()
    assert names(tmp_path / "out.download") == []


def test_no_server_is_one_clear_error(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody answers at the address."""
    archive = Archive("http://127.0.0.1:9/a.zip", checksum(b""))
    monkeypatch.setitem(PUBLISHED_SETS, "gone", PublishedSet((archive,), licence="", citation=""))
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9/a\.zip: got ConnectionError after 0 bytes"):
        download("gone", tmp_path / "out")


def test_full_disk_is_found_before_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server says how long the file is, the disk how much room there is."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(InputError, match="1000 bytes free"):
        download("pair", tmp_path / "out")


def test_disk_that_fills_up_keeps_what_has_come(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No space left in the middle: an error, and the next attempt goes on."""

    def full(self: object, url: str) -> None:
        self.partial.write_bytes(server.files["/a.zip"][:1000])  # type: ignore[attr-defined]  # its own
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(fetch._Resuming, "_receive", full)
        with pytest.raises(InputError, match="a disk that is full"):
            download("pair", tmp_path / "out")
    download("pair", tmp_path / "out")
    assert server.requests[0] == ("/a.zip", "bytes=1000-")
    assert (tmp_path / "out" / "a.h5").read_bytes() == NOISE


def test_copies_at_hand_need_no_server(server: Server, tmp_path: Path) -> None:
    """They are checked by the same sums, and stay where they are; a wrong one stops."""
    copies = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for path in copies:
        path.write_bytes(server.files[f"/{path.name}"])
    download("pair", tmp_path / "out", copies=copies)
    assert (tmp_path / "out" / "sub" / "b.h5").read_bytes() == b"second"
    assert server.requests == []
    assert all(path.is_file() for path in copies)
    copies[0].write_bytes(b"PK other")
    with pytest.raises(InputError, match=r"a\.zip: got md5:.*, expected md5:"):
        download("pair", tmp_path / "two", copies=copies)


def test_set_without_published_checksum_needs_one(server: Server, tmp_path: Path) -> None:
    """Nothing unknown is taken from the net; with the user's checksum, or a copy, it is."""
    with pytest.raises(InputError, match=r"none for b\.zip, and none is published"):
        download("unknown", tmp_path / "out")
    assert server.requests == []
    given = {"b.zip": checksum(server.files["/b.zip"])}
    download("unknown", tmp_path / "out", checksums=given)
    assert (tmp_path / "out" / "b.h5").read_bytes() == b"second"
    (tmp_path / "b.zip").write_bytes(server.files["/b.zip"])
    download("unknown", tmp_path / "copy", copies=[tmp_path / "b.zip"])
    assert (tmp_path / "copy" / "b.h5").read_bytes() == b"second"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "timit"}, "download: got timit, expected one of shd, ssc"),
        ({"checksums": {"c.zip": "md5:0"}}, r"checksums: got c\.zip, expected files named a\.zip, b\.zip"),
        ({"checksums": {"a.zip": "md5:0"}}, "checksum: got md5:0"),
        ({"copies": [Path("c.zip")]}, r"copies: got c\.zip"),
        ({"copies": [Path("nowhere/a.zip")]}, r"copies: got nowhere/a\.zip"),
    ],
)
def test_wrong_request_is_refused(tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    """Unknown sets and files, and checksums that are none."""
    with pytest.raises(InputError, match=message):
        download(**{"name": "pair", "folder": tmp_path / "out", **arguments})  # type: ignore[arg-type]  # wrong
    assert names(tmp_path) == []


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


@pytest.mark.parametrize(
    "content",
    [
        zipped({"../evil": b"x"}),
        zipped({"a/../../evil": b"x"}),
        zipped({"/evil": b"x"}),
        zipped({"..\\evil": b"x"}),
        zipped({"C:/evil": b"x"}),
        taped([(tarfile.TarInfo("../evil"), b"x")]),
        taped([(tarfile.TarInfo("/tmp/evil"), b"x")]),
        taped([link("here", ".."), (tarfile.TarInfo("here/evil"), b"x")]),
        taped([link("evil", "/etc/passwd", tarfile.LNKTYPE)]),
        taped([link("pipe", "", tarfile.FIFOTYPE)]),
        taped([(tarfile.TarInfo("a"), b"x"), (tarfile.TarInfo("a"), b"y")]),
        b"no archive",
        b"",
        zipped({"a": NOISE})[:-50_000],
        taped([(tarfile.TarInfo("a"), NOISE)])[:-50_000],
    ],
)
def test_bad_archive_writes_nothing_outside(tmp_path: Path, content: bytes) -> None:
    """Escapes by dots, roots, drives and links, doubled members and damage are errors."""
    inner = tmp_path / "deep" / "folder"
    inner.mkdir(parents=True)
    (tmp_path / "archive").write_bytes(content)
    with pytest.raises(InputError, match="archive"):
        unpack(tmp_path / "archive", inner)
    outside = [path for path in tmp_path.rglob("*") if not path.is_relative_to(inner)]
    assert sorted(path.name for path in outside) == ["archive", "deep"]
    assert not list(tmp_path.rglob("evil"))


def test_archive_larger_than_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a small archive claims to hold is counted before it is written."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage._replace(free=10_000))
    (tmp_path / "a.zip").write_bytes(zipped({"a": bytes(20_000)}))
    with pytest.raises(InputError, match="too little space"):
        unpack(tmp_path / "a.zip", tmp_path)


def test_downloaded_set_has_licence_citation_and_papers(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Audio gets licence and citation; spike files get a datasheet and metadata too, if they are sound."""
    spikes = tmp_path / "s.h5"
    write_spike_file(
        spikes,
        [np.array([0.1])],
        [np.array([3])],
        labels=[0],
        speakers=[0],
        classes=["a"],
        sources=["x"],
        speaker_info={},
        attributes={},
        time_type="float16",
    )
    server.files["/s.zip"] = zipped({"s.h5": spikes.read_bytes(), "LICENCE.txt": b"its own"})
    archive = Archive(f"{server.address}/s.zip", checksum(server.files["/s.zip"]))
    published = PublishedSet((archive,), licence="CC-BY-4.0", citation="them", spike_files={"train": "s.h5"})
    monkeypatch.setitem(PUBLISHED_SETS, "spikes", published)
    download("spikes", tmp_path / "out")
    assert names(tmp_path / "out") == [
        "CITATION.txt",
        "DATASHEET.md",
        "LICENCE.txt",
        "croissant.json",
        "s.h5",
    ]
    assert (tmp_path / "out" / "CITATION.txt").read_text() == "them\n"
    assert (tmp_path / "out" / "LICENCE.txt").read_text() == "its own"
    download("pair", tmp_path / "audio")
    assert "CITATION.txt" in names(tmp_path / "audio")
    monkeypatch.setitem(PUBLISHED_SETS, "spikes", replace(published, spike_files={"train": "none.h5"}))
    with pytest.raises(InputError, match=r"none\.h5: got no file"):
        download("spikes", tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


def test_published_checksums_are_well_formed() -> None:
    """Each is md5 or sha256 of the right length, and every set names licence and citation."""
    check: Callable[[str], object] = fetch.parse_checksum
    for name in ("shd", "ssc", "fsdd", "speech_commands", "heidelberg_digits"):
        published = PUBLISHED_SETS[name]
        assert published.licence
        assert published.citation
        for archive in published.archives:
            assert archive.url.startswith("https://")
            if archive.checksum is not None:
                check(archive.checksum)
