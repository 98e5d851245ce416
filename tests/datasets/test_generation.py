"""Generation from real speech: stopped, resumed, shared out or not, the files are the same to the byte."""

import csv
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest

from hearspike.converter import Converter, preset
from hearspike.datasets import Cuts, HeldOutSpeakers, Recording, read_spike_file, validate_spike_file
from hearspike.datasets.conversion import ConvertedRecording, convert_recording
from hearspike.datasets.fsdd import FSDD
from hearspike.datasets.generation import generate, merge, recording_seed
from hearspike.errors import InputError

SPLIT = HeldOutSpeakers(validation=("lucas",), test=("theo", "yweweler"))
FILES = ("train.h5", "valid.h5", "test.h5")


@dataclass(frozen=True)
class FewDigits:
    """A few recordings of every FSDD speaker."""

    inner: FSDD
    digits: int = 2

    name, classes, licence, citation = FSDD.name, FSDD.classes, FSDD.licence, FSDD.citation

    def genders(self) -> dict[str, str]:
        return {"theo": "male"}

    def recordings(self, folder: Path) -> list[Recording]:
        return [item for item in self.inner.recordings(folder) if item.label < self.digits]


def run(root: Path, out: Path, *, workers: int = 1, **options: object) -> dict[str, int]:
    corpus = FewDigits(FSDD(root=root, takes=1))
    converter = preset("heidelberg", channels=70)
    arguments = {"seed": 3, "workers": workers, "time_type": "float16", **options}
    return generate(corpus, SPLIT, converter, out, **arguments)  # type: ignore[arg-type]  # options are free


@pytest.fixture(scope="module")
def generated(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("generated") / "fsdd"
    assert run(data_folder / "fsdd", out) == {"train": 6, "validation": 2, "test": 4}
    return out


@pytest.fixture
def audio(data_folder: Path, tmp_path: Path) -> Path:
    """A copy of the few recordings, to be spoilt."""
    folder = tmp_path / "audio"
    folder.mkdir()
    for path in (data_folder / "fsdd").glob("[01]_*_0.flac"):
        shutil.copy(path, folder)
    return folder


def assert_same_files(one: Path, other: Path) -> None:
    assert sorted(path.name for path in one.iterdir()) == sorted(path.name for path in other.iterdir())
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes(), path.name


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("workers", [2, 8])
def test_workers_do_not_change_a_byte(
    generated: Path, data_folder: Path, tmp_path: Path, workers: int
) -> None:
    """One process and more write the same files, and leave nothing else."""
    run(data_folder / "fsdd", tmp_path / "out", workers=workers)
    assert_same_files(tmp_path / "out", generated)
    assert names(tmp_path) == ["out"]


@pytest.mark.skipif(find_spec("distributed") is None, reason="dask.distributed is not installed")
# The cluster is torn down while its own connections are still closing: not ours to mend.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("external", [False, True])
def test_dask_does_not_change_a_byte(
    generated: Path,
    data_folder: Path,
    tmp_path: Path,
    external: bool,
) -> None:
    """A local cluster of its own, and one that the environment names, write the same files."""
    dask, distributed = import_module("dask"), import_module("distributed")
    if not external:
        run(data_folder / "fsdd", tmp_path / "out", workers=2, backend="dask")
    else:
        with (
            distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
            dask.config.set({"scheduler-address": cluster.scheduler_address}),
        ):
            run(data_folder / "fsdd", tmp_path / "out", workers=2, backend="dask")
    assert_same_files(tmp_path / "out", generated)


JOB = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_generation
test_generation.run(Path({root!r}), Path({out!r}), workers={workers})
"""


def killed_run(root: Path, out: Path, workers: int, ready: Callable[[], bool]) -> None:
    """Start a run in a process of its own and kill it, children too, as soon as ``ready`` says so."""
    code = JOB.format(tests=str(Path(__file__).parent), root=str(root), out=str(out), workers=workers)
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    deadline = time.monotonic() + 60
    while not ready() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize(("finished", "workers"), [(0, 1), (3, 1), (5, 2), (12, 1)])
def test_killed_job_resumes_to_the_same_bytes(
    generated: Path,
    data_folder: Path,
    tmp_path: Path,
    finished: int,
    workers: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed when it has just made its work folder, in the middle, and while it writes the files.

    What was finished is not converted again.
    """
    out = tmp_path / "out"

    def ready() -> bool:
        work = list(tmp_path.glob("out.work-*"))
        return bool(work) and len(list(work[0].glob("spikes/*/*.npz"))) >= finished

    killed_run(data_folder / "fsdd", out, workers, ready)
    (work,) = tmp_path.glob("out.work-*")
    done = len(list(work.glob("spikes/*/*.npz")))
    assert done >= finished
    converted: list[str] = []

    def convert(converter: Converter, recording: Recording, *, seed: int, cuts: Cuts) -> ConvertedRecording:
        converted.append(recording.key)
        return convert_recording(converter, recording, seed=seed, cuts=cuts)

    monkeypatch.setattr("hearspike.datasets.conversion_job.convert_recording", convert)
    run(data_folder / "fsdd", out, backend="sequential")
    assert_same_files(out, generated)
    assert names(tmp_path) == ["out"]
    assert len(converted) == 12 - done


def test_progress_tells_rate_and_time_left(data_folder: Path, tmp_path: Path) -> None:
    """Every recording is reported, with how many a second and how long it will take."""
    calls: list[tuple[int, int, str]] = []

    def progress(stage: str, done: int, total: int, note: str) -> None:
        if stage == "spikes":
            calls.append((done, total, note))

    run(data_folder / "fsdd", tmp_path / "out", progress=progress)
    assert [call[:2] for call in calls] == [(done, 12) for done in range(1, 13)]
    assert all(re.fullmatch(r"[\d.]+/s, \d+:\d\d:\d\d left", note) for *_, note in calls)


def test_job_killed_while_cleaning_up_is_finished(
    generated: Path, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the files in place, only the work folder is left to be removed."""
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("hearspike.datasets.work_folder.WorkFolder.remove", lambda self: None)
        run(data_folder / "fsdd", out)
    assert len(names(tmp_path)) == 2
    assert run(data_folder / "fsdd", out) == {"train": 6, "validation": 2, "test": 4}
    assert names(tmp_path) == ["out"]
    assert_same_files(out, generated)
    with pytest.raises(InputError, match="exists already"):
        run(data_folder / "fsdd", out)


def test_damaged_and_outdated_utterances_are_made_again(generated: Path, audio: Path, tmp_path: Path) -> None:
    """A torn file, and spikes of audio that has changed since, are not taken for finished."""
    good = (audio / "1_lucas_0.flac").read_bytes()
    shutil.copy(audio / "0_lucas_0.flac", audio / "1_lucas_0.flac")
    (audio / "0_jackson_0.flac").rename(tmp_path / "held_back.flac")
    (audio / "0_jackson_0.flac").write_text("no audio")
    with pytest.raises(InputError):
        run(audio, tmp_path / "out")
    (audio / "1_lucas_0.flac").write_bytes(good)
    (tmp_path / "held_back.flac").rename(audio / "0_jackson_0.flac")
    (work,) = tmp_path.glob("out.work-*")
    name = hashlib.sha256(b"0_theo_0").hexdigest()
    torn = work / "spikes" / name[:2] / f"{name[2:]}.npz"
    torn.write_bytes(torn.read_bytes()[:-100])
    run(audio, tmp_path / "out")
    assert_same_files(tmp_path / "out", generated)


def test_same_audio_under_two_names_gives_other_spikes(audio: Path, tmp_path: Path) -> None:
    """The random stream of an utterance is its own."""
    shutil.copy(audio / "0_lucas_0.flac", audio / "1_lucas_0.flac")
    run(audio, tmp_path / "out")
    events = read_spike_file(tmp_path / "out" / "valid.h5").events
    first, second = (events.select(np.array([sample])) for sample in (0, 1))
    assert first.times.tolist() != second.times.tolist()


def test_other_settings_do_not_share_finished_work(audio: Path, tmp_path: Path) -> None:
    """Another seed, cut or type has a work folder of its own."""
    (audio / "0_jackson_0.flac").write_text("no audio")
    for options in ({}, {"seed": 4}, {"time_type": "float32"}, {"cuts": Cuts(longest_s=0.2)}, {}):
        with pytest.raises(InputError):
            run(audio, tmp_path / "out", **options)
    assert len(list(tmp_path.glob("out.work-*"))) == 4


def test_failures_are_all_reported_and_nothing_is_written(audio: Path, tmp_path: Path) -> None:
    """The error counts them and names the report, which lists key, file and reason; the rest is kept."""
    (audio / "0_jackson_0.flac").write_text("no audio")
    (audio / "1_theo_0.flac").write_bytes(b"")
    with pytest.raises(InputError, match="2 of 12 recordings that fail") as caught:
        run(audio, tmp_path / "out", workers=2)
    (work,) = tmp_path.glob("out.work-*")
    assert str(work / "failures.csv") in str(caught.value)
    with (work / "failures.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["key"] for row in rows] == ["0_jackson_0", "1_theo_0"]
    assert rows[1]["file"] == str(audio / "1_theo_0.flac")
    assert "an empty file" in rows[1]["reason"]
    assert len(list(work.glob("spikes/*/*.npz"))) == 10
    assert not (tmp_path / "out").exists()


def test_shards_merge_to_the_same_bytes(generated: Path, data_folder: Path, tmp_path: Path) -> None:
    """Each shard converts its share and writes no files; merging refuses until all are done."""
    out, total = tmp_path / "out", 0
    with pytest.raises(InputError, match="0 unfinished jobs"):
        merge(out)
    for index in (2, 3, 1):
        if index == 1:
            with pytest.raises(InputError, match="4 of 12 utterances missing"):
                merge(out)
        total += sum(run(data_folder / "fsdd", out, shard=f"{index}/3").values())
        assert not out.exists()
    assert total == 12
    assert merge(out) == {"train": 6, "validation": 2, "test": 4}
    assert_same_files(out, generated)
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("shard", ["0/3", "4/3", "3", "a/b", "-1/3", "1/0"])
def test_wrong_shard_is_refused(data_folder: Path, tmp_path: Path, shard: str) -> None:
    """A share is counted from 1 and one of those there are."""
    with pytest.raises(InputError, match="shard"):
        run(data_folder / "fsdd", tmp_path / "out", shard=shard)


def test_unknown_backend_is_refused(data_folder: Path, tmp_path: Path) -> None:
    """The error lists the names."""
    with pytest.raises(InputError, match="backend: got mpi, expected one of loky, sequential, dask"):
        run(data_folder / "fsdd", tmp_path / "out", backend="mpi")


def test_full_disk_is_found_before_the_work(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The estimate is above what the files take, and a disk with less room stops the job at once."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage._replace(free=20_000))
    with pytest.raises(InputError, match=r"0\.00 GB free, expected room for about"):
        run(data_folder / "fsdd", tmp_path / "out")
    assert names(tmp_path) == []


def test_disk_that_fills_up_stops_the_job_and_keeps_what_is_done(
    generated: Path, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No space left is no failure of an utterance: the job stops, and goes on when there is room."""
    from hearspike.datasets.work_folder import StoredSpikes, WorkFolder

    store = WorkFolder.store
    stored: list[str] = []

    def full(self: WorkFolder, key: str, spikes: StoredSpikes) -> None:
        if len(stored) == 5:
            raise OSError(28, "No space left on device")
        stored.append(key)
        store(self, key, spikes)

    with monkeypatch.context() as patch:
        patch.setattr(WorkFolder, "store", full)
        with pytest.raises(InputError, match="a disk that is full"):
            run(data_folder / "fsdd", tmp_path / "out", backend="sequential")
    run(data_folder / "fsdd", tmp_path / "out")
    assert_same_files(tmp_path / "out", generated)


def test_files_keep_the_contract_and_say_how_they_were_made(generated: Path, data_folder: Path) -> None:
    """Valid, by held-out speakers, with converter, split, seed, licence and checksum of the audio."""
    for name in FILES:
        assert validate_spike_file(generated / name) == []
    speakers = [set(read_spike_file(generated / name).speakers) for name in FILES]
    assert not speakers[0] & speakers[1]
    assert not speakers[0] & speakers[2]
    assert not speakers[1] & speakers[2]
    with h5py.File(generated / "valid.h5") as file:
        assert list(file["extra/source"]) == [b"0_lucas_0", b"1_lucas_0"]
        assert file.attrs["licence"] == "CC-BY-SA-4.0"
        assert json.loads(file.attrs["converter"])
        assert json.loads(file.attrs["split"])["validation"] == ["lucas"]
        written = [name.decode() for name in file["extra/meta_info/name"]]
        assert written[file["extra/speaker"][0]] == "lucas"
        genders = dict(zip(written, file["extra/meta_info/gender"].asstr(), strict=True))
        assert (genders["theo"], genders["lucas"]) == ("male", "unknown")
        sums = [
            hashlib.sha256((data_folder / "fsdd" / f"{digit}_lucas_0.flac").read_bytes()).hexdigest()
            for digit in (0, 1)
        ]
        assert file.attrs["audio_sha256"] == hashlib.sha256("".join(sums).encode()).hexdigest()


def test_words_make_spikes(generated: Path) -> None:
    """Spoken digits of 0.3 to 0.7 s give on the order of 10,000 spikes per second over 700 channels."""
    dataset = read_spike_file(generated / "train.h5")
    counts = np.diff(dataset.events.offsets)
    # A tenth of the channels: about a tenth of the 2,000 to 7,300 spikes per recording.
    assert (counts > 100).all()
    assert (counts < 1000).all()


def test_existing_folder_is_refused(generated: Path, data_folder: Path) -> None:
    """Nothing is overwritten."""
    before = (generated / "train.h5").read_bytes()
    with pytest.raises(InputError, match="exists already"):
        run(data_folder / "fsdd", generated, seed=99)
    assert (generated / "train.h5").read_bytes() == before


def test_random_streams_hang_on_the_key() -> None:
    """Two recordings of one corpus differ; the same recording elsewhere in the list does not."""
    first, again, other = (recording_seed(1, key).generate_state(4).tolist() for key in ("a", "a", "b"))
    assert first == again != other
    assert first != recording_seed(2, "a").generate_state(4).tolist()
