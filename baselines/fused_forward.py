"""The way forward through fused layers, for `hearspike.baselines.fused_layer`; `neurons` has the equations.

Samples are independent, so no result depends on the number of threads. Events are those of an `EventBatch`;
arrays of length 0 stand for what is not there. ``width`` is the number of neurons up to the next multiple of
``TILE``; matrices "in tiles" are those of `row_kernels.in_tiles`.
"""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from hearspike.baselines.neuron_kernels import ADAPTATION, CURRENT, FIRED, MEMBRANE, THETA, advance
from hearspike.baselines.row_kernels import (
    TILE,
    VECTOR,
    add_rows,
    bits_above_zero,
    bits_not_zero,
    fetch,
    first_bit,
)

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

CHUNK = 4
"""Samples that are taken through time together, so that weights are read, and gradients written, for all."""
AHEAD = 8
"""Steps before their use at which rows are asked for: memory that is read backwards is not foreseen."""


@njit(cache=True, parallel=True, fastmath={"contract"}, error_model="numpy")
def forward(
    offsets: Longs,
    units: Ints,
    values: Floats,
    group: int,
    source: Floats,
    weight: Floats,
    recurrent: Floats,
    constants: Floats,
    to_zero: bool,
    limit: float,
    distance: Floats,
    spikes: Floats,
    traces: Floats,
    active: Ints,
    active_values: Floats,
    active_ends: Longs,
    fired: Ints,
    fired_ends: Longs,
    kept: Floats,
    readout_weight: Floats,
    readout_decays: Floats,
    readout_currents: Floats,
    potentials: Floats,
    counts: Floats,
) -> None:
    """Integrate every sample over all steps.

    The input is either events or ``source`` [sample, step, unit], with ``weight`` [unit, neuron] in tiles, or
    without, if each unit is the drive of one neuron; ``recurrent`` is [source, target] in tiles. A neuron
    spikes where its distance from threshold is above ``limit``: 0, or infinity for neurons that do not spike.
    Results are ``distance`` [sample, step, width], ``spikes`` [sample, step, neuron] and ``traces`` where
    asked for, and two lists that the way back takes up again: of the units of ``source`` that are not 0, with
    their values, and of the neurons that fire. In both, entries [sample, step · unit] follow each other step
    after step, and those of a step end at ``ends[sample, step + 1]``.

    If there is a readout, its ``readout_weight`` [neuron, class] in tiles sees spikes times ``kept``
    [sample, neuron]. Its results are ``potentials`` and, where asked for, ``readout_currents``
    [sample, step, class], and ``counts`` of hidden spikes [sample, neuron].
    """
    samples, steps, width = distance.shape
    neurons, groups = spikes.shape[2], (weight.shape[1] + group - 1) // group
    hold, ceiling = np.float32(1 if to_zero else 0), np.float32(limit)
    drop = np.zeros(width, np.float32) if to_zero else constants[THETA]
    for part in prange((samples + CHUNK - 1) // CHUNK):
        first, count = part * CHUNK, min(CHUNK, samples - part * CHUNK)
        inputs = np.zeros((CHUNK, steps, width), np.float32)
        if len(source) == 0:
            for tile in range(len(weight)):
                for cell in range(count * groups * steps):
                    entry = first * groups * steps + cell
                    start, end = offsets[entry], offsets[entry + 1]
                    row = inputs[cell // (groups * steps), cell % steps]
                    add_rows(row, weight[tile], units, values, tile * TILE, start, end)
        current, state = np.empty(width, np.float32), np.empty((3, width), np.float32)
        now, ones = np.empty(width, np.int32), np.ones(width, np.float32)
        for k in range(count):
            sample = first + k
            if len(source) > 0 and len(weight) == 0:
                inputs[k, :, :neurons] = source[sample]
            elif len(source) > 0:
                at, by, ends = active[sample], active_values[sample], active_ends[sample]
                _list_active(source[sample], at, by, ends)
                for tile in range(len(weight)):
                    for step in range(steps):
                        row = inputs[k, step]
                        add_rows(row, weight[tile], at, by, tile * TILE, ends[step], ends[step + 1])
            current[:], state[:] = 0, 0
            firing = 0
            for step in range(steps):
                drive = inputs[k, step]
                for tile in range(len(recurrent)):
                    add_rows(drive, recurrent[tile], now, ones, tile * TILE, 0, firing)
                row = distance[sample, step]
                advance(drive, current, state, constants, hold, drop, ceiling, row)
                if len(spikes) > 0:
                    _write(row, state[FIRED], spikes[sample, step])
                if len(fired) > 0:
                    firing, before = _list_above_zero(row, now), fired_ends[sample, step]
                    fired_ends[sample, step + 1] = before + firing
                    for entry in range(firing):
                        fired[sample, before + entry] = now[entry]
                if len(traces) > 0:
                    traces[CURRENT, sample, step] = current
                    traces[MEMBRANE, sample, step] = state[MEMBRANE]
                    traces[ADAPTATION, sample, step] = state[ADAPTATION]
            if len(potentials) > 0:
                by = ones if len(kept) == 0 else kept[sample]
                _count(fired[sample], fired_ends[sample], state[MEMBRANE], counts[sample])
                readout_inputs = _read(fired[sample], fired_ends[sample], by, readout_weight)
                _leak(readout_inputs, readout_decays, potentials[sample])
                if np.isnan(counts[sample]).any():
                    potentials[sample] = np.nan
                if len(readout_currents) > 0:
                    readout_currents[sample] = readout_inputs[:, : potentials.shape[2]]


@njit(cache=True)
def _count(fired: Ints, ends: Longs, membrane: Floats, counts: Floats) -> None:
    """Count spikes; a membrane that is not a number stays so to the end, and is no silent neuron."""
    for j in range(len(counts)):
        counts[j] = np.float32(0) if membrane[j] == membrane[j] else membrane[j]
    for entry in range(ends[-1]):
        counts[fired[entry]] += np.float32(1)


@njit(cache=True)
def _read(fired: Ints, ends: Longs, kept: Floats, weight: Floats) -> Floats:
    """Return what spikes add to the currents of the readout [step, padded class]."""
    factors = np.empty(ends[-1], np.float32)
    for entry in range(ends[-1]):
        factors[entry] = kept[fired[entry]]
    inputs = np.zeros((len(ends) - 1, len(weight) * TILE), np.float32)
    for tile in range(len(weight)):
        for step in range(len(inputs)):
            add_rows(inputs[step], weight[tile], fired, factors, tile * TILE, ends[step], ends[step + 1])
    return inputs


@njit(cache=True, fastmath={"contract"})
def _leak(currents: Floats, decays: Floats, potentials: Floats) -> None:
    """Integrate inputs [step, class], which become the currents, with ``decays`` of both [2, class]."""
    steps, classes = potentials.shape
    potentials[0] = currents[0, :classes]
    for step in range(1, steps):
        for j in range(classes):
            currents[step, j] += decays[0, j] * currents[step - 1, j]
            potentials[step, j] = decays[1, j] * potentials[step - 1, j] + currents[step, j]


@njit(cache=True)
def _list_active(source: Floats, active: Ints, values: Floats, ends: Longs) -> None:
    """List the units that are not 0, step after step, and their values."""
    steps, units = source.shape
    row = np.zeros((units + TILE - 1) // TILE * TILE, np.float32)
    for step in range(steps):
        for j in range(0, units, VECTOR):
            fetch(source[min(step + AHEAD, steps - 1)], j)
        row[:units] = source[step]
        ends[step + 1] = ends[step] + _list_not_zero(row, active[ends[step] :])
        for entry in range(ends[step], ends[step + 1]):
            values[entry] = row[active[entry]]


@njit(cache=True)
def _write(distance: Floats, fired: Floats, spikes: Floats) -> None:
    """Write the spikes; what is not a number is not silent."""
    for j in range(len(spikes)):
        spikes[j] = fired[j] if distance[j] == distance[j] else distance[j]


@njit(cache=True)
def _list_above_zero(row: Floats, places: Ints) -> int:
    count = 0
    for at in range(0, len(row), TILE):
        count = _list_bits(bits_above_zero(row, at), at, places, count)
    return count


@njit(cache=True)
def _list_not_zero(row: Floats, places: Ints) -> int:
    count = 0
    for at in range(0, len(row), TILE):
        count = _list_bits(bits_not_zero(row, at), at, places, count)
    return count


@njit(cache=True)
def _list_bits(bits: np.uint64, at: int, places: Ints, count: int) -> int:
    while bits != np.uint64(0):
        places[count] = at + first_bit(bits)
        count += 1
        bits &= bits - np.uint64(1)
    return count
