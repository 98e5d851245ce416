"""Compiled loops of `hearspike.baselines.event_batch`; each sample is one task, so threads change nothing."""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from hearspike.baselines.row_kernels import TILE, bits_not_zero, count_bits, first_bit

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]


@njit(cache=True, parallel=True)
def count_in_steps(
    times: Floats,
    spike_units: NDArray[np.uint16],
    spike_offsets: Longs,
    channels: int,
    steps: int,
    steps_per_second: float,
    group: int,
    offsets: Longs,
    units: Ints,
    values: Floats,
) -> bool:
    """List the units of every step with their spikes; if ``units`` is empty, count them in ``offsets[1:]``.

    Times rise within a sample, so one step is complete before the next begins. Returns whether they do.
    """
    samples, groups = len(spike_offsets) - 1, (channels + group - 1) // group
    falls = np.zeros(samples, np.bool_)
    counting = len(units) == 0
    for sample in prange(samples):
        entry_of, step_of = np.empty(channels, np.int64), np.full(channels, -1, np.int64)
        next_entry = np.empty(groups, np.int64)
        now = -1
        for event in range(spike_offsets[sample], spike_offsets[sample + 1]):
            position = np.float64(times[event]) * steps_per_second
            if position >= steps:
                break
            step = int(position)
            if step < now:
                falls[sample] = True
                break
            if step > now:
                now = step
                for k in range(groups):
                    next_entry[k] = offsets[(sample * groups + k) * steps + step]
            unit = spike_units[event]
            if step_of[unit] < step:
                step_of[unit] = step
                k = unit // group
                if counting:
                    offsets[(sample * groups + k) * steps + step + 1] += 1
                else:
                    entry_of[unit] = next_entry[k]
                    units[next_entry[k]], values[next_entry[k]] = unit, np.float32(1)
                    next_entry[k] += 1
            elif not counting:
                values[entry_of[unit]] += np.float32(1)
    return not falls.any()


@njit(cache=True, parallel=True)
def sort_by_unit(
    offsets: Longs,
    units: Ints,
    values: Floats,
    steps: int,
    channels: int,
    groups: int,
    unit_offsets: Longs,
    unit_steps: Ints,
    unit_values: Floats,
) -> None:
    """Sort the entries of each sample by unit, keeping the order of steps."""
    samples = (len(offsets) - 1) // (steps * groups)
    unit_offsets[samples * channels] = offsets[samples * groups * steps]
    for sample in prange(samples):
        first = sample * groups * steps
        place = np.zeros(channels, np.int64)
        for entry in range(offsets[first], offsets[first + groups * steps]):
            place[units[entry]] += 1
        total = offsets[first]
        for unit in range(channels):
            unit_offsets[sample * channels + unit] = total
            total += place[unit]
            place[unit] = unit_offsets[sample * channels + unit]
        for cell in range(groups * steps):
            for entry in range(offsets[first + cell], offsets[first + cell + 1]):
                index = place[units[entry]]
                place[units[entry]] += 1
                unit_steps[index], unit_values[index] = cell % steps, values[entry]


@njit(cache=True, parallel=True)
def count_entries(frames: Floats, group: int, offsets: Longs) -> None:
    """Count in ``offsets[1:]`` what is not 0 in each group of units in each step."""
    samples, steps, channels = frames.shape
    groups = (channels + group - 1) // group
    for sample in prange(samples):
        for step in range(steps):
            row = frames[sample, step]
            for k in range(groups):
                unit, end, count = k * group, min((k + 1) * group, channels), 0
                while unit + TILE <= end:
                    count += count_bits(bits_not_zero(row, unit))
                    unit += TILE
                while unit < end:
                    count += row[unit] != np.float32(0)
                    unit += 1
                offsets[(sample * groups + k) * steps + step + 1] = count


@njit(cache=True, parallel=True)
def list_entries(frames: Floats, group: int, offsets: Longs, units: Ints, values: Floats) -> None:
    """List the units of each group in each step that are not 0, and their values."""
    samples, steps, channels = frames.shape
    groups = (channels + group - 1) // group
    for sample in prange(samples):
        for step in range(steps):
            row = frames[sample, step]
            for k in range(groups):
                unit, end = k * group, min((k + 1) * group, channels)
                entry = offsets[(sample * groups + k) * steps + step]
                while unit + TILE <= end:
                    bits = bits_not_zero(row, unit)
                    while bits != np.uint64(0):
                        units[entry] = unit + first_bit(bits)
                        values[entry] = row[units[entry]]
                        entry += 1
                        bits &= bits - np.uint64(1)
                    unit += TILE
                while unit < end:
                    if row[unit] != np.float32(0):
                        units[entry], values[entry] = unit, row[unit]
                        entry += 1
                    unit += 1
