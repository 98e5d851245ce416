"""A picture of a data set: a raster, spike counts, samples by class and by speaker."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.description import FileSummary
from hearspike.errors import InputError
from hearspike.files import new_file

SUFFIXES = (".png", ".svg")
BINS = 40
MOST_NAMES = 40
"""More bars than this get no names."""


def draw_set(summaries: Sequence[FileSummary], path: Path) -> None:
    """Draw a data set; the same files give the same bytes.

    Parameters
    ----------
    summaries
        Of its files.
    path
        File to make; ``.png`` or ``.svg`` decides the format.

    Raises
    ------
    InputError
        If ``path`` exists or has another suffix, or the files hold no sample.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    if path.suffix not in SUFFIXES:
        raise InputError(path, f"the suffix {path.suffix!r}", f"a name that ends in {' or '.join(SUFFIXES)}")
    if not any(len(summary.labels) for summary in summaries):
        raise InputError(path, "a data set without samples", "at least one sample")
    figure = Figure(figsize=(10, 7), layout="constrained")
    raster, histogram, classes, speakers = figure.subplots(2, 2).ravel()
    _draw_raster(raster, summaries)
    _draw_histogram(histogram, summaries)
    _draw_bars(classes, {item.path.name: item.labels for item in summaries}, summaries[0].classes, "classes")
    numbers = np.unique(np.concatenate([item.speakers for item in summaries]))
    ranks = {item.path.name: np.searchsorted(numbers, item.speakers) for item in summaries}
    _draw_bars(speakers, ranks, [summaries[0].speaker(int(number)) for number in numbers], "speakers")
    figure.suptitle(summaries[0].path.parent.name)
    metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    with new_file(path) as temporary, mpl.rc_context({"svg.hashsalt": "hearspike"}):
        figure.savefig(temporary, dpi=120, metadata=metadata, format=path.suffix[1:])


def _draw_raster(axes: Any, summaries: Sequence[FileSummary]) -> None:  # noqa: ANN401  # matplotlib's axes
    """Draw the sample with the median number of spikes of the first file that has any."""
    summary = next(item for item in summaries if len(item.labels))
    typical = int(np.argsort(summary.spikes, kind="stable")[len(summary.spikes) // 2])
    with h5py.File(summary.path, "r") as file:
        times, units = file["spikes/times"][typical], file["spikes/units"][typical]
    axes.plot(times, units, ",", color="black", rasterized=True)
    axes.set(xlabel="time (s)", ylabel="channel", ylim=(summary.channels, 0))
    axes.set_title(
        f"{summary.path.name}[{typical}]: {summary.classes[summary.labels[typical]]}, "
        f"{summary.speaker(int(summary.speakers[typical]))}"
    )


def _draw_histogram(axes: Any, summaries: Sequence[FileSummary]) -> None:  # noqa: ANN401  # matplotlib's axes
    edges = np.linspace(0, max(1, max(int(item.spikes.max(initial=0)) for item in summaries)), BINS + 1)
    for summary in summaries:
        axes.hist(
            summary.spikes, edges, histtype="step", label=f"{summary.path.name} ({len(summary.spikes)})"
        )
    axes.set(xlabel="spikes per sample", ylabel="samples")
    axes.legend()


def _draw_bars(
    axes: Any,  # noqa: ANN401  # matplotlib's axes
    values: Mapping[str, NDArray[np.int64]],
    names: Sequence[str],
    what: str,
) -> None:
    """Draw how often each value, an index into the names, occurs in every file, one on top of the other."""
    place, bottom = np.arange(len(names)), np.zeros(len(names))
    for file, of_file in values.items():
        heights = np.bincount(of_file, minlength=len(names))
        axes.bar(place, heights, bottom=bottom, width=0.8, label=file)
        bottom += heights
    axes.set(ylabel="samples", title=f"{len(names)} {what}")
    shown = names if len(names) <= MOST_NAMES else ()
    axes.set_xticks(place[: len(shown)], shown, rotation=90)
