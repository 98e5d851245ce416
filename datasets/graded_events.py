"""Events that carry a value: frames of any kind in the form in which every part passes spikes on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.events import SpikeEvents
from hearspike.errors import InputError


@dataclass(frozen=True)
class GradedEvents(SpikeEvents):
    """Events of ``n`` samples, each with a value; a spike is an event of value 1.

    Models that take frames can be trained on them as on spikes. What changes spikes, such as
    augmentation, gives back spikes without values and is not meant for them.

    Parameters
    ----------
    values
        [event] Value of each event, above 0.
    """

    values: NDArray[np.float32]

    def select(self, samples: NDArray[np.integer]) -> "GradedEvents":
        """Return the given samples in the given order."""
        starts, lengths = self.offsets[samples], np.diff(self.offsets)[samples]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        source = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return GradedEvents(
            self.times[source], self.units[source], offsets, self.channels, self.values[source]
        )


def graded_events(frames: Sequence[NDArray[np.floating]], *, step: float) -> GradedEvents:
    """Turn frames into events at the middle of each time step; zeros are no events.

    Parameters
    ----------
    frames
        [sample][time, channel] Values of at least 0; the samples may differ in length.
    step
        Length of a time step in seconds.

    Raises
    ------
    InputError
        If there are no frames, a value is negative or not finite, or the samples differ in channels.
    """
    if len({frame.shape[1] for frame in frames}) != 1:
        raise InputError("frames", "samples of different channels, or none", "the same channels in all")
    places = [np.nonzero(frame) for frame in frames]
    values = np.concatenate([frame[place] for frame, place in zip(frames, places, strict=True)])
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise InputError("frames", "values that are negative or not finite", "finite values of at least 0")
    return GradedEvents(
        times=np.concatenate([(time + 0.5) * step for time, _ in places]).astype(np.float32),
        units=np.concatenate([channel for _, channel in places]).astype(np.uint16),
        offsets=np.concatenate([[0], np.cumsum([len(time) for time, _ in places])]).astype(np.int64),
        channels=frames[0].shape[1],
        values=values.astype(np.float32),
    )


def sum_values(events: GradedEvents, *, bins: int, window: float) -> NDArray[np.float32]:
    """Add up the values of every time bin and channel; events after the window are left out.

    Returns
    -------
    sums
        [sample, time, channel]
    """
    time = np.floor(events.times.astype(np.float64) * (bins / window)).astype(np.int64)
    kept = time < bins
    cell = (events.sample_of_event[kept] * bins + time[kept]) * events.channels + events.units[kept]
    sums = np.bincount(cell, events.values[kept], minlength=len(events) * bins * events.channels)
    return sums.reshape(len(events), bins, events.channels).astype(np.float32)
