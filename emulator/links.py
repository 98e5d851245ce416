"""Event links: how many input events per second reach the chip, and which are lost when there are more."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Links:
    """The way of input events into the chip: a queue in front of links of limited rate.

    An event waits until the links have passed on all events before it, each of which takes 1/rate. An event
    that finds the queue full is lost.

    Parameters
    ----------
    event_rate_Hz
        Events per second of chip time that the links carry.
    queue
        Events that can wait.

    Raises
    ------
    InputError
        If the rate is not positive and finite or the queue holds no event.
    """

    event_rate_Hz: float
    queue: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.event_rate_Hz) and self.event_rate_Hz > 0):
            raise InputError("links.event_rate_Hz", self.event_rate_Hz, "a finite rate above 0 Hz")
        if self.queue < 1:
            raise InputError("links.queue", self.queue, "at least 1 event")

    def carry(
        self, times: NDArray[np.float64], offsets: NDArray[np.int64], *, clock: float
    ) -> NDArray[np.float64]:
        """Return when each event leaves the links [event, s]; infinity for those that are lost.

        Equation (first in, first out, constant service time T = 1/rate; a the arrival on the event clock, d
        the departure): d_i = max(a_i, d_{i−1} + T), and the event is lost if d_{i−1} + T − a_i > queue T.

        Parameters
        ----------
        times
            Arrival of the events [event, s of chip time].
        offsets
            Sample b has the events offsets[b] to offsets[b + 1] [sample + 1].
        clock
            Resolution of event times [s of chip time].
        """
        from hearspike.emulator import link_kernel

        departures = np.empty(len(times))
        link_kernel.carry(times, offsets, 1 / self.event_rate_Hz, self.queue, clock, departures)
        return departures
