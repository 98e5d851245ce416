"""What a network of a chip's size sees of the data: few channels, in steps of the chip's time."""

import math
from dataclasses import dataclass

import numpy as np

from hearspike.datasets import SpikeEvents
from hearspike.errors import InputError

ROUNDING = 1e-6
"""Share of a step by which a window may exceed whole steps without one more."""


@dataclass(frozen=True)
class ChipInput:
    """How data become input.

    Parameters
    ----------
    window
        Length of a sample in seconds.
    time_scale
        Seconds of the data's time in one second of the chip's.
    step_us
        Length of a time step in microseconds of the chip's time.
    most_steps
        Bound of the number of steps; later spikes are not seen.
    most_channels
        Data with at most so many channels are seen whole; of others every n-th channel is, n as small as it
        can be.
    left_out
        Share of the channels, from the first, that are left out where channels are chosen.
    """

    window: float
    time_scale: float
    step_us: float
    most_steps: int
    most_channels: int
    left_out: float

    def __post_init__(self) -> None:
        for name in ("window", "time_scale", "step_us"):
            if not 0 < getattr(self, name) < np.inf:
                raise InputError(f"model.input.{name}", getattr(self, name), "a positive number")
        for name in ("most_steps", "most_channels"):
            if getattr(self, name) < 1:
                raise InputError(f"model.input.{name}", getattr(self, name), "at least 1")
        if not 0 <= self.left_out < 1:
            raise InputError("model.input.left_out", self.left_out, "a share from 0 to below 1")

    @property
    def step(self) -> float:
        """Length of a step in seconds of the data's time."""
        return self.step_us / 1e6 * self.time_scale

    @property
    def steps(self) -> int:
        """Number of steps: enough for the window, within the bound."""
        return max(1, min(self.most_steps, math.ceil(self.window / self.step - ROUNDING)))

    @property
    def duration(self) -> float:
        """Length of all steps in seconds of the data's time."""
        return self.steps * self.step

    def inputs(self, channels: int) -> int:
        """Return how many channels of so many are seen."""
        first, stride = self._choice(channels)
        return -(-(channels - first) // stride)

    def __call__(self, events: SpikeEvents) -> SpikeEvents:
        """Return the channels that are seen."""
        first, stride = self._choice(events.channels)
        return events.subsample_channels(first=first, stride=stride)

    def _choice(self, channels: int) -> tuple[int, int]:
        """Return the first channel and the distance to the next."""
        if channels <= self.most_channels:
            return 0, 1
        first = round(self.left_out * channels)
        return first, -(-(channels - first) // self.most_channels)
