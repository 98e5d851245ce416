"""Get a file over HTTP, going on where an earlier attempt stopped."""

import errno
import hashlib
import re
import shutil
from pathlib import Path

from hearspike.errors import InputError
from hearspike.progress import Progress

CHUNK = 2**20
"""Bytes that are written at once."""

TIMEOUT = 30.0
"""Seconds without an answer or a byte after which the server counts as gone."""

DIGEST_LENGTHS = {"md5": 32, "sha256": 64}


def check_file(path: Path, checksum: str) -> None:
    """Compare a file with its checksum.

    Parameters
    ----------
    path
        The file.
    checksum
        ``md5:…`` or ``sha256:…``

    Raises
    ------
    InputError
        If they differ; shows both. Or if the checksum is written in another way.
    """
    method, digest = parse_checksum(checksum)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, method).hexdigest()
    if found != digest:
        raise InputError(path, f"{method}:{found}", f"{method}:{digest}")


def parse_checksum(text: str) -> tuple[str, str]:
    """Return method and digest of ``md5:…`` or ``sha256:…``."""
    method, _, digest = text.lower().partition(":")
    if method not in DIGEST_LENGTHS or not re.fullmatch(rf"[0-9a-f]{{{DIGEST_LENGTHS[method]}}}", digest):
        raise InputError("checksum", text, "md5: and 32, or sha256: and 64 hexadecimal digits")
    return method, digest


def fetch(url: str, path: Path, *, checksum: str, progress: Progress) -> None:
    """Download a file and check it.

    What has come stays in ``path`` with ``.partial`` added until the file is whole; the next call asks
    the server for the rest.

    Parameters
    ----------
    url
        Where it is.
    path
        Where to put it; must not exist.
    checksum
        ``md5:…`` or ``sha256:…``
    progress
        Called with the bytes that are there.

    Raises
    ------
    InputError
        If the server does not deliver, the disk is full (both times what has come is kept), or the
        checksum is another (nothing is kept, and both are shown).
    """
    import pooch  # type: ignore[import-untyped]  # it has no types

    pooch.get_logger().setLevel("WARNING")
    method, digest = parse_checksum(checksum)
    downloader = _Resuming(path.with_name(path.name + ".partial"), progress)
    try:
        pooch.retrieve(url, f"{method}:{digest}", fname=path.name, path=path.parent, downloader=downloader)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        found = re.search(r"but got\s+([0-9a-f]+)", str(error))
        assert found
        raise InputError(url, f"{method}:{found[1]}", f"{method}:{digest}") from None


class _Resuming:
    """A downloader in the sense of pooch that keeps what has come."""

    def __init__(self, partial: Path, progress: Progress) -> None:
        self.partial, self.progress = partial, progress

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        import requests

        try:
            self._receive(url)
        except requests.RequestException as error:
            there = self.partial.stat().st_size if self.partial.exists() else 0
            reason = f"{type(error).__name__} after {there} bytes"
            raise InputError(url, reason, "the whole file; the same command goes on from there") from None
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise InputError(
                self.partial, "a disk that is full", "more space; then the same command goes on"
            ) from None
        self.partial.replace(output_file)

    def _receive(self, url: str) -> None:
        import requests

        there = self.partial.stat().st_size if self.partial.exists() else 0
        headers = {"Range": f"bytes={there}-", "Accept-Encoding": "identity"} if there else {}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                if answer.headers.get("Content-Range") == f"bytes */{there}":
                    return  # all of it is here
                self.partial.unlink()
                self._receive(url)
                return
            if answer.status_code not in (requests.codes.ok, requests.codes.partial_content):
                raise InputError(url, f"the answer {answer.status_code} {answer.reason}", "the file")
            resumed = answer.headers.get("Content-Range", "").startswith(f"bytes {there}-")
            there = there if resumed else 0
            length = int(answer.headers.get("Content-Length", 0))
            free = shutil.disk_usage(self.partial.parent).free
            if length > free:
                raise InputError(
                    self.partial.parent, f"{free} bytes free", f"room for {length} bytes of {url}"
                )
            with self.partial.open("ab" if resumed else "wb") as file:
                for chunk in answer.iter_content(CHUNK):
                    file.write(chunk)
                    there += len(chunk)
                    self.progress("download", there, max(there, length), self.partial.stem)
