"""The input of a spiking layer as events: which unit was active in which step, step by step."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.baselines.kernel_threads import threads_for
from hearspike.datasets import SpikeEvents
from hearspike.errors import InputError

GROUP = 192
"""Units in a group: their weights for a tile of neurons take 48 KB."""


def groups(channels: int) -> int:
    """Return the number of groups of units."""
    return -(-channels // GROUP)


@dataclass(frozen=True)
class EventBatch:
    """What is not 0 in an array [sample, step, unit].

    Parameters
    ----------
    offsets
        [sample · group · step + 1] First entry of each step of each group of `GROUP` units of each sample: so
        the weights of one group at a time are enough to go through all steps.
    units
        [entry] Unit.
    values
        [entry] Number of spikes of the unit in the step, or any other weight of it.
    steps, channels
        Number of steps and of units.
    """

    offsets: NDArray[np.int64]
    units: NDArray[np.int32]
    values: NDArray[np.float32]
    steps: int
    channels: int

    def __len__(self) -> int:
        return (len(self.offsets) - 1) // (self.steps * groups(self.channels))

    @property
    def totals(self) -> NDArray[np.float64]:
        """[sample] Sum of the values."""
        bounds = self.offsets[:: self.steps * groups(self.channels)]
        sums = np.concatenate([[0.0], np.cumsum(self.values, dtype=np.float64)])
        return np.diff(sums[bounds])

    @cached_property
    def by_unit(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """The entries of every sample in the order of their units, then steps.

        Returns
        -------
        offsets
            [sample · unit + 1] First entry of each unit of each sample.
        steps
            [entry] Step.
        values
            [entry] As `EventBatch.values`.
        """
        from hearspike.baselines import event_batch_kernels

        offsets = np.empty(len(self) * self.channels + 1, np.int64)
        steps, values = np.empty_like(self.units), np.empty_like(self.values)
        shape = (self.steps, self.channels, groups(self.channels))
        with threads_for(len(self.units)):
            event_batch_kernels.sort_by_unit(
                self.offsets, self.units, self.values, *shape, offsets, steps, values
            )
        return offsets, steps, values

    def dense(self, device: torch.device | str = "cpu") -> torch.Tensor:
        """Return the array [sample, step, unit]."""
        cells = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        sample, step = cells // (groups(self.channels) * self.steps), cells % self.steps
        frames = np.zeros((len(self), self.steps, self.channels), np.float32)
        frames[sample, step, self.units] = self.values
        return torch.from_numpy(frames).to(device)


def events_in_steps(events: SpikeEvents, *, steps: int, window: float) -> EventBatch:
    """Count spikes in equal steps, as `hearspike.datasets.bin_events` does, without frames.

    Parameters
    ----------
    events
        Spikes of all samples.
    steps
        Number of steps.
    window
        Length of all steps together in seconds; later spikes are left out.

    Raises
    ------
    InputError
        If an argument is out of range, or spike times fall within a sample.
    """
    from hearspike.baselines import event_batch_kernels

    if steps < 1:
        raise InputError("steps", steps, "at least 1")
    if not 0.0 < window < np.inf:
        raise InputError("window", window, "seconds above 0")
    offsets = np.zeros(len(events) * groups(events.channels) * steps + 1, np.int64)
    arguments = (events.times, events.units, events.offsets, events.channels, steps, steps / window, GROUP)
    nothing = np.empty(0, np.int32), np.empty(0, np.float32)
    with threads_for(len(events.times)):
        if not event_batch_kernels.count_in_steps(*arguments, offsets, *nothing):
            raise InputError("events", "times that fall", "times in rising order within a sample")
        np.cumsum(offsets, out=offsets)
        units, values = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.float32)
        event_batch_kernels.count_in_steps(*arguments, offsets, units, values)
    return EventBatch(offsets, units, values, steps, events.channels)


def events_of(frames: NDArray[np.float32]) -> EventBatch:
    """Return the entries of an array [sample, step, unit] that are not 0 (NaN is kept)."""
    from hearspike.baselines import event_batch_kernels

    samples, steps, channels = frames.shape
    frames = np.ascontiguousarray(frames, np.float32)
    offsets = np.zeros(samples * groups(channels) * steps + 1, np.int64)
    event_batch_kernels.count_entries(frames, GROUP, offsets)
    np.cumsum(offsets, out=offsets)
    units, values = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.float32)
    event_batch_kernels.list_entries(frames, GROUP, offsets, units, values)
    return EventBatch(offsets, units, values, steps, channels)
