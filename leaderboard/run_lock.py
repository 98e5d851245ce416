"""Who is at work in a run's folder: a lock that the operating system frees however the process ends."""

from contextlib import suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

LOCK_NAME = ".running.lock"


def run_lock(folder: Path) -> BaseFileLock:
    """Return the lock that a process holds while it makes the run of a folder."""
    return FileLock(folder / LOCK_NAME)


def remove_lock(folder: Path) -> None:
    """Remove the file of a lock whose run has a record, after the lock was freed.

    A process that had opened the file before may yet lock what is now gone, and another the next file, both
    at once. Neither makes a run: with the lock in hand each finds the record, which no run writes over.
    """
    with suppress(OSError):  # a file that another process has open, where systems forbid that, or is gone
        (folder / LOCK_NAME).unlink()


def is_held(folder: Path) -> bool:
    """Tell whether a living process holds the lock of a run's folder, in which there is a record.

    The lock of a process that was killed is removed.
    """
    if not (folder / LOCK_NAME).exists():
        return False
    try:
        with run_lock(folder).acquire(timeout=0):
            pass
    except Timeout:
        return True
    except OSError:  # a store that this user may only read: nothing says that the process is gone
        return True
    remove_lock(folder)
    return False
