"""Write files and folders whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hearspike.errors import InputError


def refuse_existing(path: Path) -> None:
    """Raise `InputError` if ``path`` exists: no command writes over what is there."""
    if path.exists():
        raise InputError(path, "a path that exists already", "a new path, or remove this one first")


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` on success, remove it on failure.

    Parameters
    ----------
    path
        The file to write. Its folder is made if needed.

    Raises
    ------
    InputError
        If ``path`` exists already, before and after the writing.
    """
    refuse_existing(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=f".partial{path.suffix}", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        refuse_existing(path)
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; rename it to ``path`` on success, remove it on failure.

    Raises
    ------
    InputError
        If ``path`` exists already, before and after the writing.
    """
    refuse_existing(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", suffix=".partial", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        refuse_existing(path)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
