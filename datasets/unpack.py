"""Unpack archives of others: only files, only into the folder meant, only what fits on the disk."""

import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from hearspike.errors import InputError

Members = Iterator[tuple[str, int, IO[bytes]]]


def unpack(archive: Path, folder: Path, *, strip: int = 0) -> None:
    """Unpack a ``.zip``, ``.tar``, ``.tar.gz`` or ``.tgz`` file.

    Parameters
    ----------
    archive
        The file; its content tells what it is.
    folder
        Where to unpack to; exists.
    strip
        Number of outer folders of each member's path that are left away.

    Raises
    ------
    InputError
        If the file is no archive or damaged, a member would come to lie outside of the folder, is
        there twice, is a link or a device, or the disk is too small.
    """
    room = shutil.disk_usage(folder).free
    with _opened(archive) as members:
        for name, size, content in members:
            target = _target(archive, name, folder, strip)
            if target is None:
                continue
            room -= size
            if room < 0:
                raise InputError(folder, "too little space", f"room for all of {archive}")
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                shutil.copyfileobj(content, file)


def _target(archive: Path, name: str, folder: Path, strip: int) -> Path | None:
    """Where a member goes; None if nothing is left of its path."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in (path.parts or ("",))[0]:
        raise InputError(archive, f"the member {name}", "members inside of the archive's folder only")
    parts = path.parts[strip:]
    return folder.joinpath(*parts) if parts else None


@contextmanager
def _opened(archive: Path) -> Iterator[Members]:
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                yield _zip_members(packed)
        else:
            with tarfile.open(archive) as tape:
                yield _tar_members(archive, tape)
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        EOFError,
        RuntimeError,
        FileExistsError,
    ) as error:
        raise InputError(
            archive, f"what cannot be unpacked ({error})", "a whole zip or tar archive"
        ) from None


def _zip_members(packed: zipfile.ZipFile) -> Members:
    for member in packed.infolist():
        if not member.is_dir():
            with packed.open(member) as content:
                yield member.filename, member.file_size, content


def _tar_members(archive: Path, tape: tarfile.TarFile) -> Members:
    for member in tape:
        if member.isdir():
            continue
        content = tape.extractfile(member) if member.isreg() else None
        if content is None:
            raise InputError(archive, f"the member {member.name}, a link or device", "files and folders only")
        yield member.name, member.size, content
