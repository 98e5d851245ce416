"""The two loops over events that must be fast: checking what was read, and binning."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_HALF_VALUES = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
"""[bits] Value of every 16-bit float, since the compiler knows none."""

_LARGEST_HALF_BITS = 0x7BFF
"""Bits of the largest finite 16-bit float; non-negative finite values are ordered as their bits are."""


def convert_and_check(
    times: NDArray[Any], units: NDArray[Any], offsets: NDArray[np.int64], channels: int
) -> tuple[NDArray[np.float32], NDArray[np.uint16]] | None:
    """Bring spikes to the types of `SpikeEvents` if they keep the contract.

    Parameters
    ----------
    times, units
        [event] As read.
    offsets
        [sample + 1] First event of each sample.
    channels
        Number of channels.

    Returns
    -------
    times, units
        The same values, or None if one of them breaks the contract or the types are unusual.
    """
    if times.dtype not in (np.float16, np.float32) or units.dtype.kind not in "iu":
        return None
    if times.dtype == np.float16:
        seconds = np.empty(len(times), dtype=np.float32)
        right = _check_halves(times.view(np.uint16), _HALF_VALUES, offsets, seconds)
    else:
        seconds = times
        right = _check_times(times, offsets)
    if not right or (len(units) and not (units.min() >= 0 and units.max() < channels)):
        return None
    return seconds, units.astype(np.uint16, copy=False)


@numba.njit(cache=True, nogil=True)
def _check_halves(
    bits: NDArray[np.uint16],
    values: NDArray[np.float32],
    offsets: NDArray[np.int64],
    seconds: NDArray[np.float32],
) -> bool:
    right = True
    for sample in range(len(offsets) - 1):
        before = np.uint16(0)
        for event in range(offsets[sample], offsets[sample + 1]):
            right &= before <= bits[event] <= _LARGEST_HALF_BITS
            before = bits[event]
            seconds[event] = values[before]
    return right


@numba.njit(cache=True, nogil=True)
def _check_times(times: NDArray[np.float32], offsets: NDArray[np.int64]) -> bool:
    right = True
    for sample in range(len(offsets) - 1):
        before = np.float32(0.0)
        for event in range(offsets[sample], offsets[sample + 1]):
            right &= before <= times[event] < np.inf
            before = times[event]
    return right


@numba.njit(cache=True, nogil=True)
def bin_samples(
    times: NDArray[np.float32],
    units: NDArray[np.uint16],
    offsets: NDArray[np.int64],
    bins_per_second: float,
    samples: NDArray[np.int64],
    counts: NDArray[Any],
) -> tuple[int, bool]:
    """Add the spikes of the given samples to ``counts`` [sample, time, channel].

    Returns
    -------
    outside
        Number of spikes after the last bin.
    overflow
        Whether a count was larger than its type can hold.
    """
    outside, overflow = 0, False
    bins, channels = np.float64(counts.shape[1]), np.uint32(counts.shape[2])
    for number, sample in enumerate(samples):
        frame = counts[number].reshape(-1)
        start, stop = offsets[sample], offsets[sample + 1]
        sample_times, sample_units = times[start:stop], units[start:stop]
        for event in range(stop - start):
            place = np.float64(sample_times[event]) * bins_per_second
            if place < bins:
                # Unsigned, since the compiler would look out for negative indices.
                cell = np.uint64(np.uint32(np.int32(place)) * channels + sample_units[event])
                count = frame.dtype.type(frame[cell] + 1)  # the sum is of a wider type
                frame[cell] = count
                overflow |= count == 0
            else:
                outside += 1
    return outside, overflow
