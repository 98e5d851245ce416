"""A row to hand in: one archive with record, weights, predictions and configuration, and how others check it.

Checking runs no code from the archive: classes are hearspike's own, weights are safetensors, arrays are read
without pickle, and sizes are bounded before anything is unpacked.
"""

import hashlib
import importlib
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hearspike.errors import InputError
from hearspike.files import new_file
from hearspike.leaderboard.record import FILE_NAME, Record, config_sha256, file_checksums, read_record
from hearspike.leaderboard.reproduction import Agreement, compare, restore, run_again
from hearspike.progress import Progress, no_progress

MEMBERS = (FILE_NAME, "config.yaml", "predictions.npz", "weights.safetensors")
LARGEST_MEMBER = 2**30
TRUSTED = ("hearspike.datasets.", "hearspike.baselines.", "hearspike.emulator.")
"""Modules whose classes an archive may name."""
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""Time of change of every member, so that one run is one archive to the byte."""


def submit(run: Path, to: Path) -> Path:
    """Bundle a complete run.

    Parameters
    ----------
    run
        Its folder.
    to
        Folder to write ``TASK-MODEL-BACKEND-CONFIG-SEED.zip`` and its ``.sha256`` into.

    Returns
    -------
    bundle
        The archive.

    Raises
    ------
    InputError
        If the run is not complete, a file beside the record is not the one it was written with, or the
        archive exists.
    """
    record = read_record(run / FILE_NAME)
    _check_whole(record, run)
    parts = (record.task["name"], record.model, record.backend, config_sha256(record.config)[:8], record.seed)
    path = to / ("-".join(str(part).replace("/", "_") for part in parts) + ".zip")
    with new_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in MEMBERS:
            if (run / name).exists():
                member = zipfile.ZipInfo(name, date_time=LONG_AGO)
                archive.writestr(member, (run / name).read_bytes(), compress_type=zipfile.ZIP_DEFLATED)
    with new_file(path.with_suffix(".sha256")) as temporary:
        temporary.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    return path


def _check_whole(record: Record, folder: Path) -> None:
    if record.status != "complete":
        raise InputError(folder, f"a run that is {record.status}", "a complete one")
    found = file_checksums(folder)
    for name in MEMBERS[1:]:
        if found.get(name) != record.files.get(name):
            raise InputError(folder / name, f"SHA-256 {found.get(name)}", f"{record.files.get(name)}")


def verify(
    bundle: Path, *, root: Path | None = None, train: bool = False, progress: Progress = no_progress
) -> list[Agreement]:
    """Run somebody else's row again on the test set and compare with what it claims.

    Parameters
    ----------
    bundle
        An archive of `submit`.
    root
        Folder of the data, if the configuration's own does not exist here.
    train
        Train anew instead of taking the weights of the archive. A model that cannot take weights back is
        trained in any case.
    progress
        Called as training goes on.

    Returns
    -------
    agreements
        See `hearspike.leaderboard.reproduction.reproduce`.

    Raises
    ------
    InputError
        If the archive is damaged, holds what it should not, names a class that is not hearspike's, or was
        made from other data.
    """
    with tempfile.TemporaryDirectory(prefix="hearspike-") as scratch:
        run = Path(scratch) / "submitted"
        _unpack(bundle, run)
        record = read_record(run / FILE_NAME)
        _check_whole(record, run)
        _check_targets(record.config, "config")
        fitted = None if train else restore(record, run, root=root)
        again = run_again(record, Path(scratch) / "again", root=root, fitted=fitted, progress=progress)
        return compare(record, run, again, Path(scratch) / "again")


def _unpack(bundle: Path, folder: Path) -> None:
    """Write the known members of an archive into a folder; refuse others, and any that is too large."""
    folder.mkdir()
    try:
        with zipfile.ZipFile(bundle) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            if FILE_NAME not in names or set(names) - set(MEMBERS) or len(names) != len(set(names)):
                raise InputError(
                    bundle, f"members {names}", f"{FILE_NAME} and any of {MEMBERS[1:]}, once each"
                )
            for member in members:
                with archive.open(member) as source:
                    content = source.read(LARGEST_MEMBER + 1)
                if len(content) > LARGEST_MEMBER:
                    raise InputError(f"{bundle}: {member.filename}", "over 1 GiB", f"{LARGEST_MEMBER} bytes")
                (folder / member.filename).write_bytes(content)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(bundle, f"a file that cannot be unpacked ({error})", "a bundle of submit") from error


def _check_targets(node: Any, place: str) -> None:  # noqa: ANN401  # any value of a configuration
    """Refuse every ``_target_`` that is no class of hearspike."""
    for path, target in _targets(node, place):
        module, _, name = str(target).rpartition(".")
        trusted = f"{module}.".startswith(TRUSTED)
        if not (trusted and isinstance(getattr(importlib.import_module(module), name, None), type)):
            raise InputError(path, target, f"a class in one of {', '.join(TRUSTED)}")


def _targets(node: Any, place: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # any value
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield f"{place}._target_", node["_target_"]
        for name, value in node.items():
            yield from _targets(value, f"{place}.{name}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _targets(value, f"{place}[{index}]")
