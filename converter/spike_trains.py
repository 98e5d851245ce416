"""What the converter returns: the spike times of a bank of channels, and its file."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hearspike.errors import InputError
from hearspike.files import new_file

_KEYS = ("times", "units", "duration", "channels", "sample_rate")


@dataclass(frozen=True)
class SpikeTrains:
    """Spikes of one recording, sorted by time and, at equal times, by channel.

    Attributes
    ----------
    times
        Spike times [spike], s, from the start of the recording.
    units
        Channel of each spike [spike], 0 at the base of the cochlea (high frequencies).
    duration
        Length of the recording, s.
    channels
        Number of channels, whether they spiked or not.
    sample_rate
        Steps per second of the time grid that the spikes lie on, Hz.
    """

    times: npt.NDArray[np.float64]
    units: npt.NDArray[np.uint16]
    duration: float
    channels: int
    sample_rate: int

    def __len__(self) -> int:
        return len(self.times)

    def counts(self) -> npt.NDArray[np.int64]:
        """Spikes of each channel [channel]."""
        return np.bincount(self.units, minlength=self.channels).astype(np.int64)


def save_spikes(path: str | Path, trains: SpikeTrains) -> None:
    """Write spike trains as an ``.npz`` file with the keys times, units, duration, channels, sample_rate.

    Raises
    ------
    InputError
        If ``path`` exists or does not end in ``.npz``.
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise InputError(path, f"the suffix {path.suffix!r}", "a file name that ends in .npz")
    with new_file(path) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            times=trains.times,
            units=trains.units,
            duration=np.float64(trains.duration),
            channels=np.int64(trains.channels),
            sample_rate=np.int64(trains.sample_rate),
        )


def load_spikes(path: str | Path) -> SpikeTrains:
    """Read a file that `save_spikes` wrote. Nothing in it is executed: pickled arrays are refused.

    Raises
    ------
    InputError
        If the file is missing, is no such file, or breaks the contract of `SpikeTrains`.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, "no such file", "an .npz file written by save_spikes")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {key: np.asarray(archive[key]) for key in _KEYS if key in archive}
    except (ValueError, OSError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(path, f"a file that does not open ({error})", "an .npz of plain arrays") from None
    if missing := [key for key in _KEYS if key not in arrays]:
        raise InputError(path, f"no array {', '.join(missing)}", f"the arrays {', '.join(_KEYS)}")
    return checked_trains(path, arrays)


def checked_trains(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> SpikeTrains:
    """Spike trains of the arrays read from a file; raise `InputError` where they break the contract."""
    times, units = arrays["times"], arrays["units"]
    if times.ndim != 1 or times.shape != units.shape:
        raise InputError(path, f"times {times.shape} and units {units.shape}", "two vectors of one length")
    for key, kind in (
        ("times", "f"),
        ("units", "ui"),
        ("duration", "f"),
        ("channels", "i"),
        ("sample_rate", "i"),
    ):
        if arrays[key].dtype.kind not in kind:
            raise InputError(
                f"{path}: {key}", str(arrays[key].dtype), "floats for times, integers for counts"
            )
    for key in ("duration", "channels", "sample_rate"):
        if arrays[key].shape != ():
            raise InputError(f"{path}: {key}", f"shape {arrays[key].shape}", "a single number")
    trains = SpikeTrains(
        times=times.astype(np.float64),
        units=units.astype(np.uint16),
        duration=float(arrays["duration"][()]),
        channels=int(arrays["channels"][()]),
        sample_rate=int(arrays["sample_rate"][()]),
    )
    if len(trains) and not (np.all(np.diff(trains.times) >= 0) and trains.times[0] >= 0):
        raise InputError(f"{path}: times", "times out of order or negative", "sorted times of at least 0 s")
    if len(trains) and (int(units.max()) >= trains.channels or int(units.min()) < 0):
        raise InputError(
            f"{path}: units", f"up to {units.max()}", f"channels from 0 to {trains.channels - 1}"
        )
    return trains
