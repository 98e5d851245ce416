"""Spikes as a model of frames sees them: neighbouring channels together, in bins of time."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from hearspike.datasets import SpikeEvents, bin_events
from hearspike.datasets.graded_events import GradedEvents, sum_values
from hearspike.errors import InputError


@dataclass(frozen=True)
class InputFrames:
    """How spikes become frames.

    Parameters
    ----------
    window
        Length of the input in seconds; later spikes are not seen.
    bins
        Number of time steps in the window.
    channels
        The data's channels are pooled in groups of neighbours, as few as leave at most this many inputs. Of
        data whose neighbouring channels are not alike, as pixels of images, it is the number of channels.
    """

    window: float
    bins: int
    channels: int

    def __post_init__(self) -> None:
        for name in ("bins", "channels"):
            if getattr(self, name) < 1:
                raise InputError(f"model.frames.{name}", getattr(self, name), "at least 1")
        if not 0 < self.window < np.inf:
            raise InputError("model.frames.window", self.window, "seconds above 0")

    def pool(self, events: SpikeEvents) -> SpikeEvents:
        """Give neighbouring channels one number."""
        size = -(-events.channels // self.channels)
        units = (events.units // size).astype(np.uint16)
        return replace(events, units=units, channels=self.inputs(events.channels))

    def inputs(self, channels: int) -> int:
        """Return the number of inputs that data of so many channels make."""
        size = -(-channels // self.channels)
        return -(-channels // size)

    def __call__(self, events: SpikeEvents) -> torch.Tensor:
        """Return spike counts, or sums of values of graded events, [sample, time, input]."""
        pooled = self.pool(events)
        if isinstance(pooled, GradedEvents):
            return torch.from_numpy(sum_values(pooled, bins=self.bins, window=self.window))
        return torch.from_numpy(bin_events(pooled, bins=self.bins, window=self.window).counts)
