"""``hearspike download``: published data sets, checked, resumable, or from copies at hand."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from hearspike.datasets.datasheet import write_licence, write_papers
from hearspike.datasets.fetch import check_file, fetch, parse_checksum
from hearspike.datasets.published import PUBLISHED_SETS, Archive
from hearspike.datasets.unpack import unpack
from hearspike.errors import InputError
from hearspike.files import new_folder, refuse_existing
from hearspike.progress import Progress, no_progress


def download(
    name: str,
    folder: Path,
    *,
    copies: Sequence[Path] = (),
    checksums: Mapping[str, str] | None = None,
    progress: Progress = no_progress,
) -> Path:
    """Put a published data set into a new folder, whole or not at all.

    What has been downloaded is kept in ``FOLDER.download`` beside it until all is there, so that the
    next attempt goes on from there.

    Parameters
    ----------
    name
        One of `hearspike.datasets.published.PUBLISHED_SETS`.
    folder
        The folder to make.
    copies
        Archives that are at hand already, by their published names; they are checked as well, and left
        where they are.
    checksums
        File name → ``md5:…`` or ``sha256:…``, in place of the published checksum or where none is known.
    progress
        Called as bytes come.

    Returns
    -------
    folder
        Where the data set is.

    Raises
    ------
    InputError
        If there is no such set, the folder exists, a file has no known checksum or another one, the
        server does not deliver, the disk is full, or an archive is damaged or would write elsewhere.
    """
    if name not in PUBLISHED_SETS:
        raise InputError("download", name, f"one of {', '.join(PUBLISHED_SETS)}")
    refuse_existing(folder)
    published = PUBLISHED_SETS[name]
    archives = {archive.name: archive for archive in published.archives}
    at_hand = {path.name: path for path in copies}
    given = dict(checksums or {})
    for kind, names in (("copies", at_hand), ("checksums", given)):
        for file in names:
            if file not in archives:
                raise InputError(kind, file, f"files named {', '.join(archives)}")
    known = {file: given.get(file) or archive.checksum for file, archive in archives.items()}
    for file, checksum in known.items():
        if checksum is not None:
            parse_checksum(checksum)
        elif file not in at_hand:
            raise InputError(
                "checksums",
                f"none for {file}, and none is published",
                "md5:… or sha256:… of it, or a copy of the file that you trust",
            )
    store = folder.parent / f"{folder.name}.download"
    paths = [
        _at_hand(at_hand[file], known[file])
        if file in at_hand
        else _fetched(archive, known[file], store, progress)
        for file, archive in archives.items()
    ]
    with new_folder(folder) as temporary:
        for number, path in enumerate(paths):
            progress("unpack", number, len(paths), path.name)
            unpack(path, temporary, strip=published.strip)
        progress("unpack", len(paths), len(paths), "")
        write_licence(temporary, licence=published.licence, citation=published.citation)
        if published.spike_files:
            write_papers(
                temporary,
                published.spike_files,
                name=name,
                licence=published.licence,
                citation=published.citation,
            )
    shutil.rmtree(store, ignore_errors=True)
    return folder


def _at_hand(path: Path, checksum: str | None) -> Path:
    if not path.is_file():
        raise InputError("copies", str(path), "a file")
    if checksum is not None:
        check_file(path, checksum)
    return path


def _fetched(archive: Archive, checksum: str | None, store: Path, progress: Progress) -> Path:
    assert checksum is not None
    store.mkdir(parents=True, exist_ok=True)
    path = store / archive.name
    if path.exists():
        check_file(path, checksum)
    else:
        fetch(archive.url, path, checksum=checksum, progress=progress)
    return path
