"""Compiled loops of fused layers, for `hearspike.baselines.fused_layer`; `neurons` has the equations.

Samples are shared out in blocks whose number depends on nothing but the number of samples, and each block
adds up its own gradients: so no sum depends on the number of threads. Events are those of an `EventBatch`;
arrays of length 0 stand for what is not there. ``width`` is the number of neurons up to the next multiple of
``TILE``; matrices "in tiles" are those of `row_kernels.in_tiles`.
"""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from hearspike.baselines.neuron_kernels import (
    ADAPTATION,
    ALPHA,
    BETA,
    CURRENT,
    DISTANCE,
    FIRED,
    KAPPA,
    MEMBRANE,
    RHO,
    THETA,
    advance,
    go_back,
)
from hearspike.baselines.row_kernels import (
    TILE,
    VECTOR,
    add_rows,
    bits_above_zero,
    bits_not_zero,
    fetch,
    first_bit,
    multiply,
    scatter_row,
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
) -> None:
    """Integrate every sample over all steps.

    The input is either events or ``source`` [sample, step, unit], with ``weight`` [unit, neuron] in tiles, or
    without, if each unit is the drive of one neuron; ``recurrent`` is [source, target] in tiles. A neuron
    spikes where its distance from threshold is above ``limit``: 0, or infinity for neurons that do not spike.
    Results are ``distance`` [sample, step, width], ``spikes`` [sample, step, neuron], ``traces`` where
    asked for, and two lists that the way back takes up again: of the units of ``source`` that are not 0, with
    their values, and, where there is recurrence, of the neurons that fire. In both, entries [sample, step ·
    unit] follow each other step after step, and those of a step end at ``ends[sample, step + 1]``.
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
                _decay(current, constants[ALPHA], inputs[k, step])
                for tile in range(len(recurrent)):
                    add_rows(current, recurrent[tile], now, ones, tile * TILE, 0, firing)
                row = distance[sample, step]
                advance(current, state, constants, hold, drop, ceiling, row)
                _write(row, state[FIRED], spikes[sample, step])
                if len(recurrent) > 0:
                    firing, before = _list_above_zero(row, now), fired_ends[sample, step]
                    fired_ends[sample, step + 1] = before + firing
                    for entry in range(firing):
                        fired[sample, before + entry] = now[entry]
                if len(traces) > 0:
                    traces[CURRENT, sample, step] = current
                    traces[MEMBRANE, sample, step] = state[MEMBRANE]
                    traces[ADAPTATION, sample, step] = state[ADAPTATION]


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


@njit(cache=True, fastmath={"contract"})
def _decay(current: Floats, decay: Floats, inputs: Floats) -> None:
    for j in range(len(current)):
        current[j] = decay[j] * current[j] + inputs[j]


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


@njit(cache=True, parallel=True, fastmath={"contract"}, error_model="numpy")
def backward(
    gradient: Floats,
    distance: Floats,
    traces: Floats,
    constants: Floats,
    to_zero: bool,
    surrogate_slope: float,
    weight: Floats,
    recurrent: Floats,
    offsets: Longs,
    steps_of: Ints,
    values: Floats,
    active: Ints,
    active_values: Floats,
    active_ends: Longs,
    fired: Ints,
    fired_ends: Longs,
    source_gradient: Floats,
    weight_gradient: Floats,
    recurrent_gradient: Floats,
    constant_gradient: NDArray[np.float64],
) -> None:
    """Go back over all steps and add up what every input, weight and constant did.

    ``gradient`` is that of the spikes [sample, step, neuron]; ``weight`` [neuron, unit] and ``recurrent``
    [target, source] are in tiles; the input is listed as in `forward`, or comes as events by unit. Results:
    ``source_gradient`` [sample, step, padded unit or neuron], and for each block of samples
    ``weight_gradient`` [block, tile, unit, TILE], ``recurrent_gradient`` [block, tile, source, TILE] and
    ``constant_gradient`` [block, 5, width].
    """
    samples, steps, width = distance.shape
    neurons, blocks = gradient.shape[2], len(constant_gradient)
    chunk, units = CHUNK, weight_gradient.shape[2]
    hold, slope = np.float32(1 if to_zero else 0), np.float32(surrogate_slope)
    for block in prange(blocks):
        first, last = block * samples // blocks, (block + 1) * samples // blocks
        # Row t belongs to step t; the row after the last stays 0.
        by_current = np.zeros((steps + 1, chunk, width), np.float32)
        by_spike, state = np.zeros((chunk, width), np.float32), np.zeros((chunk, 3, width), np.float32)
        mine, tile_rows = np.empty((steps, width), np.float32), np.empty((steps, TILE), np.float32)
        ones = np.ones(width, np.float32)
        weight_gradient[block], recurrent_gradient[block], constant_gradient[block] = 0, 0, 0
        for start in range(first, last, chunk):
            count = min(chunk, last - start)
            by_spike[:], state[:] = 0, 0
            for step in range(steps - 1, -1, -1):
                for k in range(count):
                    sample = start + k
                    ahead = max(step - AHEAD, 0)
                    for j in range(0, neurons, VECTOR):
                        fetch(gradient[sample, ahead], j)
                        fetch(distance[sample, ahead], j)
                    _add(by_spike[k], gradient[sample, step])
                    go_back(
                        by_spike[k],
                        distance[sample, step],
                        distance[sample, max(step - 1, 0)],
                        constants,
                        state[k],
                        by_current[step + 1, k],
                        by_current[step, k],
                        hold if step > 0 else np.float32(0),
                        slope,
                    )
                    if len(traces) > 0:
                        _add_constants(
                            traces[:, sample],
                            distance[sample],
                            step,
                            hold,
                            state[k],
                            by_current[step, k],
                            constant_gradient[block],
                        )
                if len(recurrent) > 0:
                    multiply(by_spike, by_current[step], recurrent)
                else:
                    by_spike[:] = 0
            for k in range(count):
                sample = start + k
                if len(source_gradient) > 0 and len(weight) > 0:
                    mine[:] = by_current[:steps, k]
                    multiply(source_gradient[sample], mine, weight)
                elif len(source_gradient) > 0:
                    source_gradient[sample] = by_current[:steps, k, :neurons]
            for tile in range(width // TILE):
                at = tile * TILE
                for k in range(count):
                    sample = start + k
                    if units > 0 and len(active) > 0:
                        total, ends = weight_gradient[block, tile], active_ends[sample]
                        for step in range(steps):
                            row, begin, end = by_current[step, k], ends[step], ends[step + 1]
                            scatter_row(total, row, active[sample], active_values[sample], at, begin, end)
                    elif units > 0:
                        tile_rows[:] = by_current[:steps, k, at : at + TILE]
                        for unit in range(units):
                            total, cell = weight_gradient[block, tile, unit], sample * units + unit
                            add_rows(total, tile_rows, steps_of, values, 0, offsets[cell], offsets[cell + 1])
                    if len(recurrent) > 0:
                        total, ends = recurrent_gradient[block, tile], fired_ends[sample]
                        for step in range(steps - 1):
                            row, begin, end = by_current[step + 1, k], ends[step], ends[step + 1]
                            scatter_row(total, row, fired[sample, begin:end], ones, at, 0, end - begin)


@njit(cache=True)
def _add(total: Floats, row: Floats) -> None:
    for j in range(len(row)):
        total[j] += row[j]


@njit(cache=True)
def _add_constants(
    traces: Floats,
    distance: Floats,
    step: int,
    hold: np.float32,
    state: Floats,
    by_current: Floats,
    total: NDArray[np.float64],
) -> None:
    """Add what the constants did in one step of one sample; ``traces`` is [3, step, width]."""
    for j in range(distance.shape[1]):
        total[THETA, j] -= state[DISTANCE, j]
        total[KAPPA, j] -= state[DISTANCE, j] * traces[ADAPTATION, step, j]
        if step > 0:
            total[ALPHA, j] += by_current[j] * traces[CURRENT, step - 1, j]
            total[BETA, j] += state[MEMBRANE, j] * traces[MEMBRANE, step - 1, j]
            total[RHO, j] += state[ADAPTATION, j] * traces[ADAPTATION, step - 1, j]
            if distance[step - 1, j] > np.float32(0):
                total[THETA, j] -= (np.float32(1) - hold) * state[MEMBRANE, j]


@njit(cache=True, parallel=True)
def sum_blocks(blocks: Floats, total: Floats) -> None:
    """Add up [block, tile, row, TILE] into [row, column], block after block."""
    rows, columns = total.shape
    for row in prange(rows):
        for tile in range(blocks.shape[1]):
            start = tile * TILE
            for j in range(min(TILE, columns - start)):
                total[row, start + j] = blocks[0, tile, row, j]
            for block in range(1, len(blocks)):
                for j in range(min(TILE, columns - start)):
                    total[row, start + j] += blocks[block, tile, row, j]
