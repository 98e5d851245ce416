"""Who is at work in a run's folder: a lock that the operating system frees however the process ends."""

from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

LOCK_NAME = ".running.lock"


def run_lock(folder: Path) -> BaseFileLock:
    """Return the lock that a process holds while it makes the run of a folder."""
    return FileLock(folder / LOCK_NAME)


def is_held(folder: Path) -> bool:
    """Tell whether a living process holds the lock of a run's folder."""
    if not (folder / LOCK_NAME).exists():
        return False
    try:
        with run_lock(folder).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a store that this user may only read: nothing says that the process is gone
        return True
