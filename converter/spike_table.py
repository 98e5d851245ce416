"""Spike trains as text, for programs that read nothing else."""

from pathlib import Path

import numpy as np

from hearspike.converter.spike_trains import SpikeTrains
from hearspike.errors import InputError
from hearspike.files import new_file

HEADER = "time_s,channel"


def save_spike_table(path: str | Path, trains: SpikeTrains) -> None:
    """Write spike trains as a ``.csv`` file: a header, then time in seconds and channel of every spike.

    Times are written to a nanosecond, far below a step of the converter.

    Raises
    ------
    InputError
        If ``path`` exists or does not end in ``.csv``.
    """
    path = Path(path)
    if path.suffix != ".csv":
        raise InputError(path, f"the suffix {path.suffix!r}", "a file name that ends in .csv")
    table = np.column_stack([trains.times, trains.units])
    with new_file(path) as temporary:
        np.savetxt(temporary, table, fmt=["%.9f", "%d"], delimiter=",", header=HEADER, comments="")
