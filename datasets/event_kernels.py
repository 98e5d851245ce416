"""The loops over events: fast, and with no memory but that of their result, so that events may be mapped."""

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
def _count(
    times: NDArray[np.float32],
    units: NDArray[np.uint16],
    bins_per_second: float,
    bins: int,
    channels: int,
    frame: NDArray[Any],
) -> tuple[int, bool]:
    """Add the spikes of one sample to ``frame`` [time × channel]; see `bin_samples`."""
    outside, overflow = 0, False
    end, row = np.float64(bins), np.uint32(channels)
    for event in range(len(times)):
        place = np.float64(times[event]) * bins_per_second
        if place < end:
            # Unsigned, since the compiler would look out for negative indices.
            cell = np.uint64(np.uint32(np.int32(place)) * row + units[event])
            count = frame.dtype.type(frame[cell] + 1)  # the sum is of a wider type
            frame[cell] = count
            overflow |= count == 0
        else:
            outside += 1
    return outside, overflow


@numba.njit(cache=True, nogil=True)
def bin_samples(
    times: NDArray[np.float32],
    units: NDArray[np.uint16],
    offsets: NDArray[np.int64],
    bins_per_second: float,
    samples: NDArray[np.int64],
    counts: NDArray[Any],
) -> tuple[int, bool]:
    """Count the spikes of the given samples in ``counts`` [sample, time, channel].

    Bytes are counted in place, and must be zero before. Wider counts may hold anything: they are first
    made in bytes, which stay in the processor's cache, and then written in one go; only a sample with
    more than 255 spikes in a cell is counted again in place.

    Returns
    -------
    outside
        Number of spikes after the last bin.
    overflow
        Whether a count was larger than its type can hold.
    """
    all_outside, any_overflow = 0, False
    bins, channels = counts.shape[1], counts.shape[2]
    narrow = counts.itemsize == 1
    small = np.empty(0 if narrow else bins * channels, np.uint8)
    for number, sample in enumerate(samples):
        frame = counts[number].reshape(-1)
        start, stop = offsets[sample], offsets[sample + 1]
        sample_times, sample_units = times[start:stop], units[start:stop]
        overflow = True
        if not narrow:
            small[:] = 0
            outside, overflow = _count(sample_times, sample_units, bins_per_second, bins, channels, small)
            if not overflow:
                for cell in range(len(small)):
                    frame[cell] = small[cell]
            else:
                frame[:] = 0
        if overflow:
            outside, overflow = _count(sample_times, sample_units, bins_per_second, bins, channels, frame)
        all_outside += outside
        any_overflow |= overflow
    return all_outside, any_overflow


@numba.njit(cache=True, nogil=True)
def count_channels(units: NDArray[np.uint16], offsets: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    """Add the spikes of every sample to ``counts`` [sample, channel]."""
    for sample in range(len(offsets) - 1):
        for event in range(offsets[sample], offsets[sample + 1]):
            counts[sample, units[event]] += 1


@numba.njit(cache=True, nogil=True)
def copy_samples(
    times: NDArray[np.floating],
    units: NDArray[np.integer],
    offsets: NDArray[np.int64],
    samples: NDArray[np.integer],
    copied_times: NDArray[np.floating],
    copied_units: NDArray[np.integer],
) -> None:
    """Write the spikes of the given samples one after the other."""
    place = 0
    for sample in samples:
        start, stop = offsets[sample], offsets[sample + 1]
        copied_times[place : place + stop - start] = times[start:stop]
        copied_units[place : place + stop - start] = units[start:stop]
        place += stop - start


@numba.njit(cache=True, nogil=True)
def copy_channels(
    times: NDArray[np.floating],
    units: NDArray[np.integer],
    channels: NDArray[np.int32],
    copied_times: NDArray[np.floating],
    copied_units: NDArray[np.integer],
) -> None:
    """Write the spikes of the channels that have a new number, -1 for none, under that number."""
    place = 0
    for event in range(len(units)):
        channel = channels[units[event]]
        if channel >= 0:
            copied_times[place], copied_units[place] = times[event], channel
            place += 1


@numba.njit(cache=True, nogil=True)
def count_kept(
    units: NDArray[np.integer], offsets: NDArray[np.int64], channels: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Return [sample] the number of spikes that `copy_channels` keeps."""
    counts = np.zeros(len(offsets) - 1, np.int64)
    for sample in range(len(counts)):
        for event in range(offsets[sample], offsets[sample + 1]):
            counts[sample] += channels[units[event]] >= 0
    return counts
