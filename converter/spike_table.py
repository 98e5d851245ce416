"""Spike trains as text, for programs that read nothing else."""

import re
from pathlib import Path

import numpy as np

from hearspike.converter.spike_trains import SpikeTrains, checked_trains
from hearspike.errors import InputError
from hearspike.files import new_file

HEADER = "time_s,channel"
_FACTS = re.compile(r"# duration_s=(?P<duration>\S+) channels=(?P<channels>\d+) sample_rate=(?P<rate>\d+)")
_EXPECTED = "a spike table written by save_spike_table"


def save_spike_table(path: str | Path, trains: SpikeTrains) -> None:
    """Write spike trains as a ``.csv`` file, from which `load_spike_table` gets them back exactly.

    The first line is a comment with duration, number of channels and rate of the time grid, the second names
    the columns, and every other is time in seconds and channel of a spike. Times have all their digits.

    Raises
    ------
    InputError
        If ``path`` exists or does not end in ``.csv``.
    """
    path = Path(path)
    if path.suffix != ".csv":
        raise InputError(path, f"the suffix {path.suffix!r}", "a file name that ends in .csv")
    duration, times = float(trains.duration), trains.times.tolist()
    with new_file(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.write(
            f"# duration_s={duration!r} channels={trains.channels} sample_rate={trains.sample_rate}\n"
        )
        stream.write(f"{HEADER}\n")
        stream.writelines(
            f"{time!r},{unit}\n" for time, unit in zip(times, trains.units.tolist(), strict=True)
        )


def load_spike_table(path: str | Path) -> SpikeTrains:
    """Read a file that `save_spike_table` wrote.

    Raises
    ------
    InputError
        If the file is missing, is no such table, or breaks the contract of `SpikeTrains`.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, "no such file", _EXPECTED)
    facts, rows = _lines(path)
    try:
        arrays = {
            "times": np.array([float(time) for time, _ in rows], dtype=np.float64),
            "units": np.array([int(unit) for _, unit in rows], dtype=np.int64),
            "duration": np.array(float(facts["duration"])),
            "channels": np.array(int(facts["channels"])),
            "sample_rate": np.array(int(facts["rate"])),
        }
    except (ValueError, OverflowError) as error:
        raise InputError(path, f"what does not read as a table ({error})", _EXPECTED) from None
    return checked_trains(path, arrays)


def _lines(path: Path) -> tuple[re.Match[str], list[list[str]]]:
    """Return the facts of the first line, and the cells of the lines after the second."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    facts = _FACTS.fullmatch(lines[0]) if lines else None
    if facts is None or lines[1:2] != [HEADER]:
        raise InputError(path, "other first lines", f"{_EXPECTED}: facts, then {HEADER}")
    return facts, [line.split(",") for line in lines[2:]]
