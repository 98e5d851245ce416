"""The way back through fused layers, for `hearspike.baselines.fused_layer`; `neurons` has the equations.

Samples are shared out in blocks whose number depends on nothing but the number of samples, and each block
adds up its own gradients: so no sum depends on the number of threads. Arrays are laid out as in
`hearspike.baselines.fused_forward`; those of length 0 stand for what is not there.
"""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from hearspike.baselines.fused_forward import AHEAD, CHUNK
from hearspike.baselines.neuron_kernels import (
    ADAPTATION,
    ALPHA,
    BETA,
    CURRENT,
    DISTANCE,
    KAPPA,
    MEMBRANE,
    RHO,
    THETA,
    go_back,
)
from hearspike.baselines.row_kernels import TILE, VECTOR, add_rows, fetch, multiply, scatter_row

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]


@njit(cache=True, parallel=True, fastmath={"contract"}, error_model="numpy")
def backward(
    by_spikes: Floats,
    by_potentials: Floats,
    by_counts: Floats,
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
    kept: Floats,
    readout_weight: Floats,
    readout_decays: Floats,
    readout_currents: Floats,
    potentials: Floats,
    source_gradient: Floats,
    weight_gradient: Floats,
    recurrent_gradient: Floats,
    constant_gradient: NDArray[np.float64],
    readout_gradient: Floats,
    decay_gradient: NDArray[np.float64],
) -> None:
    """Go back over all steps and add up what every input, weight and constant did.

    ``by_spikes`` is the gradient of the spikes [sample, step, neuron] or, of a layer with a readout,
    ``by_potentials`` [sample, step, class] and ``by_counts`` [sample, neuron]; ``weight`` [neuron, unit],
    ``recurrent`` [target, source] and ``readout_weight`` [class, neuron] are in tiles; the input is listed
    as in `forward`, or comes as events by unit. Results: ``source_gradient`` [sample, step, padded unit or
    neuron], and for each block of samples ``weight_gradient`` [block, tile, unit, TILE],
    ``recurrent_gradient`` [block, tile, source, TILE], ``constant_gradient`` [block, 5, width],
    ``readout_gradient`` [block, tile, neuron, TILE] and ``decay_gradient`` [block, 2, class].
    """
    samples, steps, width = distance.shape
    blocks, neurons = len(constant_gradient), readout_gradient.shape[2]
    chunk, units = CHUNK, weight_gradient.shape[2]
    hold, slope = np.float32(1 if to_zero else 0), np.float32(surrogate_slope)
    for block in prange(blocks):
        first, last = block * samples // blocks, (block + 1) * samples // blocks
        # Row t belongs to step t; the row after the last stays 0.
        by_current = np.zeros((steps + 1, chunk, width), np.float32)
        by_spike, state = np.zeros((chunk, width), np.float32), np.zeros((chunk, 3, width), np.float32)
        from_readout = np.empty((chunk, steps if len(readout_weight) > 0 else 0, width), np.float32)
        mine, tile_rows = np.empty((steps, width), np.float32), np.empty((steps + 1, TILE), np.float32)
        ones = np.ones(steps * width, np.float32)
        weight_gradient[block], recurrent_gradient[block], constant_gradient[block] = 0, 0, 0
        readout_gradient[block], decay_gradient[block] = 0, 0
        for start in range(first, last, chunk):
            count = min(chunk, last - start)
            for k in range(count if len(readout_weight) > 0 else 0):
                sample = start + k
                by_readout = _unleak(by_potentials[sample], readout_decays)
                if len(readout_currents) > 0:
                    seen = readout_currents[sample], potentials[sample]
                    _add_decays(
                        by_potentials[sample], by_readout, readout_decays, seen, decay_gradient[block]
                    )
                by = ones if len(kept) == 0 else kept[sample]
                multiply(from_readout[k], by_readout, readout_weight)
                _scale(from_readout[k], by, neurons)
                _add_readout(by_readout, fired[sample], fired_ends[sample], by, readout_gradient[block])
                if len(by_counts) > 0:
                    for step in range(steps):
                        _add(from_readout[k, step], by_counts[sample])
            by_spike[:], state[:] = 0, 0
            for step in range(steps - 1, -1, -1):
                for k in range(count):
                    sample = start + k
                    ahead = max(step - AHEAD, 0)
                    for j in range(0, width, VECTOR):
                        fetch(distance[sample, ahead], j)
                    if len(readout_weight) > 0:
                        _add(by_spike[k], from_readout[k, step])
                    else:
                        for j in range(0, by_spikes.shape[2], VECTOR):
                            fetch(by_spikes[sample, ahead], j)
                        _add(by_spike[k], by_spikes[sample, step])
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
                    source_gradient[sample] = by_current[:steps, k, : source_gradient.shape[2]]
            for tile in range(width // TILE):
                for k in range(count):
                    sample = start + k
                    tile_rows[:] = by_current[:, k, tile * TILE : (tile + 1) * TILE]
                    if units > 0 and len(active) > 0:
                        ends = active_ends[sample]
                        listed, by = active[sample], active_values[sample]
                        _scatter(weight_gradient[block, tile], tile_rows, listed, by, ends)
                    elif units > 0:
                        entries = offsets[sample * units : (sample + 1) * units + 1]
                        _gather(weight_gradient[block, tile], tile_rows, steps_of, values, entries)
                    if len(recurrent) > 0:
                        listed, ends = fired[sample], fired_ends[sample]
                        _scatter(recurrent_gradient[block, tile], tile_rows[1:], listed, ones, ends[:-1])


@njit(cache=True)
def _scatter(total: Floats, rows: Floats, units: Ints, values: Floats, ends: Longs) -> None:
    """Add row t, times ``values``, to the rows of ``total`` [unit, TILE] that are listed for step t."""
    for step in range(len(ends) - 1):
        scatter_row(total, rows[step], units, values, 0, ends[step], ends[step + 1])


@njit(cache=True)
def _gather(total: Floats, rows: Floats, steps_of: Ints, values: Floats, offsets: Longs) -> None:
    """Add to each unit of ``total`` [unit, TILE] the rows of a tile, times ``values``, of its events."""
    for unit in range(len(total)):
        add_rows(total[unit], rows, steps_of, values, 0, offsets[unit], offsets[unit + 1])


@njit(cache=True)
def _add(total: Floats, row: Floats) -> None:
    for j in range(len(row)):
        total[j] += row[j]


@njit(cache=True)
def _scale(rows: Floats, factors: Floats, neurons: int) -> None:
    for row in rows:
        for j in range(neurons):
            row[j] *= factors[j]


@njit(cache=True, fastmath={"contract"})
def _unleak(by_potentials: Floats, decays: Floats) -> Floats:
    """Return the gradient of the readout's currents [step, padded class]."""
    steps, classes = by_potentials.shape
    by_current = np.zeros((steps, (classes + TILE - 1) // TILE * TILE), np.float32)
    by_membrane = np.zeros(classes, np.float32)
    for step in range(steps - 1, -1, -1):
        for j in range(classes):
            by_membrane[j] = decays[1, j] * by_membrane[j] + by_potentials[step, j]
            by_current[step, j] = by_membrane[j]
        if step + 1 < steps:
            for j in range(classes):
                by_current[step, j] += decays[0, j] * by_current[step + 1, j]
    return by_current


@njit(cache=True)
def _add_decays(
    by_potentials: Floats,
    by_current: Floats,
    decays: Floats,
    seen: tuple[Floats, Floats],
    total: NDArray[np.float64],
) -> None:
    """Add what the decays of the readout did to ``total`` [2, class]; ``seen`` are currents and membranes."""
    currents, potentials = seen
    steps, classes = by_potentials.shape
    by_membrane = np.zeros(classes, np.float32)
    for step in range(steps - 1, 0, -1):
        for j in range(classes):
            by_membrane[j] = decays[1, j] * by_membrane[j] + by_potentials[step, j]
            total[0, j] += by_current[step, j] * currents[step - 1, j]
            total[1, j] += by_membrane[j] * potentials[step - 1, j]


@njit(cache=True)
def _add_readout(by_current: Floats, fired: Ints, ends: Longs, kept: Floats, total: Floats) -> None:
    """Add what spikes times ``kept`` did to the readout's weights, ``total`` [tile, neuron, TILE]."""
    factors = np.empty(ends[-1], np.float32)
    for entry in range(ends[-1]):
        factors[entry] = kept[fired[entry]]
    for tile in range(len(total)):
        for step in range(len(by_current)):
            scatter_row(
                total[tile], by_current[step], fired, factors, tile * TILE, ends[step], ends[step + 1]
            )


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
