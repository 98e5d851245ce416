"""The life of a run on disk: running, then complete, failed or interrupted, whatever happens to it."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import Timeout

from hearspike.errors import InputError
from hearspike.files import refuse_existing
from hearspike.leaderboard.record import FILE_NAME, Record, write_record
from hearspike.leaderboard.run_lock import remove_lock, run_lock


@contextmanager
def open_run(folder: Path, started: Record) -> Iterator[None]:
    """Hold the folder of a run while it is made.

    At once there is a record ``running``. Within the context the caller writes the complete record. If an
    exception ends the context first, the record becomes ``failed``, or ``interrupted`` if the user or the
    system stopped the program. A process that is killed frees its lock, by which `settled` knows that the
    run is interrupted. A run that ends otherwise leaves no lock behind.

    Parameters
    ----------
    folder
        The run's folder; made if needed.
    started
        What is known before the run.

    Raises
    ------
    InputError
        If the folder holds a record already, or another process is at work in it.
    """
    refuse_existing(folder / FILE_NAME)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = run_lock(folder).acquire(timeout=0)
    except Timeout as error:
        raise InputError(folder, "a run that another process is making", "a new folder") from error
    try:
        with lock:
            refuse_existing(folder / FILE_NAME)
            write_record(dataclasses.replace(started, status="running", reason=None), folder)
            try:
                yield
            except BaseException as error:
                write_record(_ended(started, error), folder)
                raise
    finally:
        if (folder / FILE_NAME).exists():
            remove_lock(folder)


def _ended(started: Record, error: BaseException) -> Record:
    stopped = isinstance(error, KeyboardInterrupt | SystemExit)
    text = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return dataclasses.replace(
        started,
        status="interrupted" if stopped else "failed",
        reason=text.removesuffix(": "),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
