"""The queue of `hearspike.emulator.links`, compiled. Importing this module imports numba."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def carry(
    times: NDArray[np.float64],
    offsets: NDArray[np.int64],
    service: float,
    queue: int,
    clock: float,
    departures: NDArray[np.float64],
) -> None:
    """Set the departure of every event; infinity for those that find the queue full."""
    for sample in range(len(offsets) - 1):
        first, last = offsets[sample], offsets[sample + 1]
        arrivals = np.rint(times[first:last] / clock) * clock
        free = -np.inf
        for i in np.argsort(arrivals, kind="mergesort"):  # stable
            if free - arrivals[i] > queue * service * (1 + 1e-9):
                departures[first + i] = np.inf
            else:
                departures[first + i] = max(arrivals[i], free)
                free = departures[first + i] + service
