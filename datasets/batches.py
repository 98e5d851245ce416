"""Batches of frames or events, in a seeded order, with the memory of one batch."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.events import Frames, SpikeDataset, bin_events
from hearspike.errors import InputError


@dataclass(frozen=True)
class Batch:
    """Some samples of a data set.

    Parameters
    ----------
    samples
        [sample] Their numbers in the data set.
    frames
        Their spikes in bins.
    labels
        [sample]
    """

    samples: NDArray[np.int64]
    frames: Frames
    labels: NDArray[np.int64]


def batches(
    dataset: SpikeDataset,
    *,
    size: int,
    bins: int,
    window: float,
    shuffle: np.random.Generator | None = None,
    count_type: str = "float32",
    threads: int = 1,
) -> Iterator[Batch]:
    """Go through a data set once.

    Parameters
    ----------
    dataset
        May be memory-mapped: only the spikes of a batch are read.
    size
        Samples in a batch; the last may have fewer.
    bins, window, count_type, threads
        See `hearspike.datasets.bin_events`.
    shuffle
        Draws the order; None keeps that of the data set.

    Raises
    ------
    InputError
        If ``size`` is below 1, or see `hearspike.datasets.bin_events`.
    """
    if size < 1:
        raise InputError("size", size, "at least 1 sample in a batch")
    order = np.arange(len(dataset)) if shuffle is None else shuffle.permutation(len(dataset))
    for start in range(0, len(order), size):
        samples = order[start : start + size]
        frames = bin_events(
            dataset.events, samples=samples, bins=bins, window=window, count_type=count_type, threads=threads
        )
        yield Batch(samples, frames, dataset.labels[samples])
