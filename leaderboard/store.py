"""Every run below a folder as a table of pandas, by way of an index file that mends itself.

Records are the truth; the index, an SQLite file in the folder, only saves reading them again. A line of it
is used if path, time of change and size of its record are still the same and its checksum fits. Lines that
are stale are read anew, and an index that is damaged is thrown away and made again, so it may be deleted at
any time. Any number of processes may load a folder and write runs into it at once.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import hearspike.leaderboard.record
import hearspike.leaderboard.run_summary
from hearspike.errors import InputError
from hearspike.leaderboard.record import FILE_NAME, Record, read_record, record_paths, settled
from hearspike.leaderboard.run_summary import right_answers, summarise

INDEX_NAME = ".index.sqlite"
_MAKERS = (hearspike.leaderboard.record, hearspike.leaderboard.run_summary)
INDEX_VERSION = zlib.crc32(b"".join(Path(str(part.__file__)).read_bytes() for part in _MAKERS)) >> 1
"""Changes with the code that makes the lines, so that no line of other code is ever used."""

_LOCK_TIMEOUT_S = 60.0


class _DamagedIndexError(Exception):
    """The index is not what was written."""


def load_runs(folder: Path) -> pd.DataFrame:
    """Return one line for every record below a folder, in the order of their paths.

    Parameters
    ----------
    folder
        Folder with runs, at any depth.

    Returns
    -------
    runs
        The columns of `hearspike.leaderboard.run_summary.summarise`, ``path`` of the run's folder relative
        to ``folder``, and ``answers_reason``: why there are no answers to compare, None if there are.

    Raises
    ------
    InputError
        If the folder does not exist, or a record in it cannot be read.
    """
    if not folder.is_dir():
        raise InputError("--runs", str(folder), "a folder with runs (hearspike evaluate makes one)")
    for path in (folder / INDEX_NAME, folder / INDEX_NAME, None):
        with suppress(sqlite3.DatabaseError, _DamagedIndexError), _open(path) as index:
            return _settle(_lines(index, folder), folder)
        if path:
            with suppress(OSError):
                path.unlink(missing_ok=True)
    raise AssertionError("an index in memory cannot be damaged")


def load_answers(folder: Path, paths: Sequence[str]) -> dict[str, NDArray[np.uint16]]:
    """Return path → [sample] on how many chips each test sample was answered right.

    Parameters
    ----------
    folder
        The folder that was loaded.
    paths
        Values of ``path`` of `load_runs`. Runs without answers are left out.
    """
    wanted, found = set(paths), {}
    with suppress(sqlite3.DatabaseError), _open(folder / INDEX_NAME) as index:
        for path, answers, checksum in index.execute("SELECT path, answers, answers_crc FROM runs"):
            if path in wanted and answers is not None and zlib.crc32(answers) == checksum:
                found[path] = np.frombuffer(zlib.decompress(answers), dtype=np.uint16)
    for path in wanted - found.keys():  # no index could be kept here, or it was damaged just now
        answers, _ = right_answers(read_record(folder / path / FILE_NAME), folder / path)
        if answers is not None:
            found[path] = answers
    return found


def load_records(folder: Path, paths: Iterable[str] | None = None) -> dict[str, Record]:
    """Return path → whole record, as `hearspike.leaderboard.record.settled` gives it.

    Parameters
    ----------
    folder
        Folder with runs.
    paths
        Values of ``path`` of `load_runs`; all if None.

    Raises
    ------
    InputError
        As `load_runs`.
    """
    if paths is None:
        paths = load_runs(folder).get("path", ())
    return {path: settled(read_record(folder / path / FILE_NAME), folder / path) for path in paths}


@contextmanager
def _open(path: Path | None) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path or ":memory:", timeout=_LOCK_TIMEOUT_S)) as index:
        # No journal beside the file: damage is found by checksums, and an index is cheap to lose.
        index.executescript("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")
        if index.execute("PRAGMA user_version").fetchone()[0] not in (0, INDEX_VERSION):
            raise _DamagedIndexError
        index.executescript(
            f"""
            PRAGMA user_version = {INDEX_VERSION};
            CREATE TABLE IF NOT EXISTS runs (
                path TEXT PRIMARY KEY, mtime_ns INTEGER, size INTEGER, summary TEXT, summary_crc INTEGER,
                answers BLOB, answers_crc INTEGER
            ) WITHOUT ROWID;
            """
        )
        yield index


def _lines(index: sqlite3.Connection, folder: Path) -> list[str]:
    """Bring the index up to date and return the JSON of every run, in the order of their paths."""
    start = len(str(folder)) + 1
    found = {}
    for entry in record_paths(folder):
        stat = entry.stat()
        found[Path(entry.path[start:]).parent.as_posix()] = (stat.st_mtime_ns, stat.st_size)
    known = {
        path: (stamp, line)
        for path, *stamp, line, checksum in index.execute(
            "SELECT path, mtime_ns, size, summary, summary_crc FROM runs"
        )
        if _checksum(path, stamp, line) == checksum
    }
    if len(known) < index.execute("SELECT count(*) FROM runs").fetchone()[0]:
        raise _DamagedIndexError
    changed = [path for path, stamp in found.items() if path not in known or tuple(known[path][0]) != stamp]
    rows = [_row(folder, path, found[path]) for path in changed]
    gone = [(path,) for path in known if path not in found]
    if rows or gone:
        with index:
            index.execute("BEGIN IMMEDIATE")
            index.executemany("DELETE FROM runs WHERE path = ?", gone)
            index.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    lines = {path: line for path, (_, line) in known.items()} | {row[0]: row[3] for row in rows}
    return [lines[path] for path in found]


def _row(
    folder: Path, path: str, stamp: tuple[int, int]
) -> tuple[str, int, int, str, int, bytes | None, int]:
    record = read_record(folder / path / FILE_NAME)
    right, reason = right_answers(record, folder / path)
    line = json.dumps({"path": path, **summarise(record), "answers_reason": reason}, ensure_ascii=False)
    answers = None if right is None else zlib.compress(right.tobytes())
    return (path, *stamp, line, _checksum(path, stamp, line), answers, zlib.crc32(answers or b""))


def _checksum(path: str, stamp: Sequence[int], line: str) -> int:
    return zlib.crc32(f"{path}\0{tuple(stamp)}\0{line}".encode())


def _settle(lines: list[str], folder: Path) -> pd.DataFrame:
    """Make the table; runs that say they are running are looked at every time."""
    summaries = json.loads(f"[{','.join(lines)}]")
    for summary in summaries:
        if summary["status"] == "running":
            (record,) = load_records(folder, [summary["path"]]).values()
            summary |= {"status": record.status, "reason": record.reason}
    return pd.DataFrame.from_records(summaries)
