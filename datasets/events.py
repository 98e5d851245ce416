"""Spike trains of many samples as flat arrays: the form in which every part passes them on."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.errors import InputError


@dataclass(frozen=True)
class SpikeEvents:
    """Spikes of ``n`` samples, one after the other.

    Parameters
    ----------
    times
        [event] Spike times in seconds from the start of their sample, not falling within a sample.
    units
        [event] Channel of each spike, 0 to ``channels`` - 1.
    offsets
        [sample + 1] Sample ``i`` holds the events ``offsets[i]:offsets[i + 1]``.
    channels
        Number of channels that a spike can come from.
    """

    times: NDArray[np.float32]
    units: NDArray[np.uint16]
    offsets: NDArray[np.int64]
    channels: int

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def sample_of_event(self) -> NDArray[np.int64]:
        """[event] Index of the sample that each event belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def select(self, samples: NDArray[np.integer]) -> "SpikeEvents":
        """Return the given samples in the given order."""
        from hearspike.datasets.event_kernels import copy_samples

        samples = np.arange(len(self))[samples]  # numpy's checks, and negative numbers
        offsets = np.concatenate([[0], np.cumsum(np.diff(self.offsets)[samples])]).astype(np.int64)
        times, units = np.empty(offsets[-1], self.times.dtype), np.empty(offsets[-1], self.units.dtype)
        copy_samples(self.times, self.units, self.offsets, samples, times, units)
        return SpikeEvents(times, units, offsets, self.channels)

    def batches(self, size: int) -> Iterator["SpikeEvents"]:
        """Yield all samples in order, at most ``size`` at a time."""
        for start in range(0, len(self), size):
            yield self.select(np.arange(start, min(start + size, len(self))))

    def subsample_channels(self, *, first: int, stride: int) -> "SpikeEvents":
        """Keep the channels ``first``, ``first + stride``, … and number them from 0.

        Spikes of all other channels are dropped, as Cramer et al. (PNAS 2022) do to fit SHD's 700
        channels onto the 70 inputs of a chip (``first=70, stride=9``).

        Raises
        ------
        InputError
            If no channel is left.
        """
        if not (0 <= first < self.channels and stride >= 1):
            raise InputError(
                "first_channel, channel_stride",
                (first, stride),
                f"a first channel of 0 to {self.channels - 1} and a stride of at least 1",
            )
        from hearspike.datasets.event_kernels import copy_channels, count_kept

        kept = np.arange(first, self.channels, stride)
        new = np.full(self.channels, -1, dtype=np.int32)
        new[kept] = np.arange(len(kept))
        counts = count_kept(self.units, self.offsets, new)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        times, units = np.empty(offsets[-1], self.times.dtype), np.empty(offsets[-1], np.uint16)
        copy_channels(self.times, self.units, new, times, units)
        return SpikeEvents(times, units, offsets, len(kept))

    @classmethod
    def concatenate(cls, several: Sequence["SpikeEvents"]) -> "SpikeEvents":
        """Return the samples of all, one after the other; they have the same channels."""
        counts = np.concatenate([np.diff(events.offsets) for events in several])
        return cls(
            np.concatenate([events.times for events in several]),
            np.concatenate([events.units for events in several]),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            several[0].channels,
        )


@dataclass(frozen=True)
class SpikeDataset:
    """Spikes with what is known of each sample.

    Parameters
    ----------
    events
        The spikes.
    labels
        [sample] Index into ``classes``.
    speakers
        [sample] Number of the speaker.
    classes
        Names of the classes.
    """

    events: SpikeEvents
    labels: NDArray[np.int64]
    speakers: NDArray[np.int64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, samples: NDArray[np.integer]) -> "SpikeDataset":
        """Return the given samples in the given order."""
        return SpikeDataset(
            self.events.select(samples), self.labels[samples], self.speakers[samples], self.classes
        )


def count_spikes(events: SpikeEvents) -> NDArray[np.int64]:
    """Count the spikes of every sample in every channel.

    Returns
    -------
    counts
        [sample, channel]
    """
    from hearspike.datasets.event_kernels import count_channels

    counts = np.zeros((len(events), events.channels), dtype=np.int64)
    count_channels(events.units, events.offsets, counts)
    return counts


@dataclass(frozen=True)
class Frames:
    """Spike counts in time bins, and what fell outside of them.

    Parameters
    ----------
    counts
        [sample, time, channel] Spikes in each bin.
    outside
        Number of spikes at or after the end of the last bin; they are in no bin.
    """

    counts: NDArray[np.float32]
    outside: int


COUNT_TYPES = ("float32", "uint8", "uint16")
SAMPLES_PER_TASK = 64
"""Samples that a thread bins before it takes the next."""


def bin_events(
    events: SpikeEvents,
    *,
    bins: int,
    window: float,
    samples: NDArray[np.int64] | None = None,
    count_type: str = "float32",
    threads: int = 1,
) -> Frames:
    r"""Count spikes in ``bins`` equal bins over a window that is the same for every sample.

    A spike at time :math:`t` falls in bin :math:`\lfloor t \cdot bins / window \rfloor`: every spike
    before the window's end is in exactly one bin, and the others are counted in ``outside``.

    Parameters
    ----------
    events
        Spikes of all samples.
    bins
        Number of bins.
    window
        Length of all bins together in seconds.
    samples
        Which samples, in which order; None for all. Nothing is copied, unlike by `SpikeEvents.select`.
    count_type
        Type of the counts, one of `COUNT_TYPES`: ``uint8`` takes a quarter of the memory and time.
    threads
        Number of threads; the counts are the same for any.

    Raises
    ------
    InputError
        If an argument is out of range, or a count is too large for its type.
    """
    from hearspike.datasets.event_kernels import bin_samples

    if bins < 1:
        raise InputError("bins", bins, "at least 1")
    if not 0.0 < window < np.inf:
        raise InputError("window", window, "seconds above 0")
    if count_type not in COUNT_TYPES:
        raise InputError("count_type", count_type, f"one of {', '.join(COUNT_TYPES)}")
    samples = np.arange(len(events)) if samples is None else samples
    make = np.zeros if count_type == "uint8" else np.empty  # the kernel writes all of the wider ones
    counts = make((len(samples), bins, events.channels), dtype=count_type)

    def fill(first: int) -> tuple[int, bool]:
        task = slice(first, first + SAMPLES_PER_TASK)
        result: tuple[int, bool] = bin_samples(
            events.times, events.units, events.offsets, bins / window, samples[task], counts[task]
        )
        return result

    tasks = range(0, len(samples), SAMPLES_PER_TASK)
    if threads == 1:
        results = [fill(first) for first in tasks]
    else:
        with ThreadPoolExecutor(threads) as pool:
            results = list(pool.map(fill, tasks))
    if any(overflow for _, overflow in results):
        raise InputError("count_type", count_type, "a type that holds the largest count, such as uint16")
    return Frames(counts, sum(outside for outside, _ in results))
