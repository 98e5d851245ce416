"""A picture of a recording and its spikes."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from hearspike.converter.audio import Waveform
from hearspike.converter.spike_trains import SpikeTrains
from hearspike.errors import InputError
from hearspike.files import new_file

SUFFIXES = (".png", ".svg")
BIN_MS = 5.0
"""Width of the bins in which the cochleagram counts spikes."""
CHANNELS_PER_ROW = 10
"""Channels that the cochleagram counts together."""


def draw(
    waveform: Waveform, trains: SpikeTrains, path: str | Path, *, frequencies_hz: npt.NDArray[np.float64]
) -> None:
    """Draw waveform, cochleagram and raster, one below the other, over the same time.

    The cochleagram is the firing rate of groups of channels in bins of `BIN_MS`. The same input gives the
    same bytes.

    Parameters
    ----------
    waveform
        The recording.
    trains
        Its spikes.
    path
        File to make; ``.png`` or ``.svg`` decides the format.
    frequencies_hz
        Characteristic frequency of each channel, for the axis.

    Raises
    ------
    InputError
        If ``path`` exists or has another suffix.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise InputError(
            path, f"the suffix {path.suffix!r}", f"a file name that ends in {' or '.join(SUFFIXES)}"
        )
    figure = Figure(figsize=(8, 7), layout="constrained")
    sound, rate, raster = figure.subplots(3, 1, sharex=True, height_ratios=(1, 2, 2))
    moments = np.arange(len(waveform.samples)) / waveform.sample_rate
    sound.plot(moments, waveform.samples, color="0.25", linewidth=0.5)
    sound.set(ylabel="sound")
    rates, edges = firing_rates(trains)
    image = rate.pcolormesh(edges, np.arange(rates.shape[0] + 1) * CHANNELS_PER_ROW, rates, cmap="magma")
    figure.colorbar(image, ax=[rate], label="spikes/s per channel")
    raster.plot(trains.times, trains.units, ",", color="black", rasterized=True)
    raster.set(xlabel="time (s)", xlim=(0, trains.duration))
    ticks = np.linspace(0, trains.channels - 1, 6).round().astype(int)
    labels = [f"{channel} ({frequencies_hz[channel]:,.0f} Hz)" for channel in ticks]
    for axes in (rate, raster):
        axes.set(ylim=(trains.channels, 0), ylabel="channel")
        axes.set_yticks(ticks, labels)
    metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    with new_file(path) as temporary, mpl.rc_context({"svg.hashsalt": "hearspike"}):
        figure.savefig(temporary, dpi=150, metadata=metadata, format=path.suffix[1:])


def firing_rates(trains: SpikeTrains) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return spikes per second and channel [group of channels, bin], and the edges of the bins in s.

    The last bin ends with the recording.
    """
    bins = max(1, int(np.ceil(trains.duration / (BIN_MS * 1e-3))))
    rows = -(-trains.channels // CHANNELS_PER_ROW)
    edges = np.minimum(np.arange(bins + 1) * BIN_MS * 1e-3, trains.duration)
    column = np.minimum((trains.times / (BIN_MS * 1e-3)).astype(np.int64), bins - 1)
    cells = trains.units.astype(np.int64) // CHANNELS_PER_ROW * bins + column
    counts = np.bincount(cells, minlength=rows * bins).reshape(rows, bins)
    sizes = np.bincount(np.arange(trains.channels) // CHANNELS_PER_ROW)
    rates: npt.NDArray[np.float64] = counts / (sizes[:, np.newaxis] * np.diff(edges))
    return rates, edges
