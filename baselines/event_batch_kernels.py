"""Compiled loops of `hearspike.baselines.event_batch`; each sample is one task, so threads change nothing."""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

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
    offsets: Longs,
    units: Ints,
    values: Floats,
) -> bool:
    """List the units of every step with their spikes; if ``units`` is empty, count them in ``offsets[1:]``.

    Times rise within a sample, so one step is complete before the next begins. Returns whether they do.
    """
    samples = len(spike_offsets) - 1
    falls = np.zeros(samples, np.bool_)
    counting = len(units) == 0
    for sample in prange(samples):
        place = np.full(channels, -1, np.int64)
        now, start = -1, 0
        end = start
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
                start = 0 if counting else offsets[sample * steps + step]
                end = start
                place[:] = -1
            unit = spike_units[event]
            if place[unit] < 0:
                place[unit] = end
                if counting:
                    offsets[sample * steps + step + 1] += 1
                else:
                    units[end], values[end] = unit, np.float32(1)
                end += 1
            elif not counting:
                values[place[unit]] += np.float32(1)
    return not falls.any()


@njit(cache=True, parallel=True)
def sort_by_unit(
    offsets: Longs,
    units: Ints,
    values: Floats,
    steps: int,
    channels: int,
    unit_offsets: Longs,
    unit_steps: Ints,
    unit_values: Floats,
) -> None:
    """Sort the entries of each sample by unit, keeping the order of steps."""
    samples = (len(offsets) - 1) // steps
    unit_offsets[samples * channels] = offsets[samples * steps]
    for sample in prange(samples):
        begin, end = offsets[sample * steps], offsets[(sample + 1) * steps]
        place = np.zeros(channels, np.int64)
        for entry in range(begin, end):
            place[units[entry]] += 1
        total = begin
        for unit in range(channels):
            unit_offsets[sample * channels + unit] = total
            total += place[unit]
            place[unit] = unit_offsets[sample * channels + unit]
        for step in range(steps):
            for entry in range(offsets[sample * steps + step], offsets[sample * steps + step + 1]):
                index = place[units[entry]]
                place[units[entry]] += 1
                unit_steps[index], unit_values[index] = step, values[entry]


@njit(cache=True, parallel=True)
def count_entries(rows: Floats, offsets: Longs) -> None:
    """Count in ``offsets[1:]`` what is not 0 in each row."""
    for row in prange(len(rows)):
        count = 0
        for unit in range(rows.shape[1]):
            count += rows[row, unit] != np.float32(0)
        offsets[row + 1] = count


@njit(cache=True, parallel=True)
def list_entries(rows: Floats, offsets: Longs, units: Ints, values: Floats) -> None:
    """List the units and values of each row that are not 0."""
    for row in prange(len(rows)):
        entry = offsets[row]
        for unit in range(rows.shape[1]):
            if rows[row, unit] != np.float32(0):
                units[entry], values[entry] = unit, rows[row, unit]
                entry += 1
