"""The fused time-step kernel: every chip and sample on its own, parallel over them.

Importing this module imports numba; `hearspike.emulator.emulation` does so when it is asked to run.
"""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from hearspike.emulator.dynamics import StepConstants, driving_weights
from hearspike.emulator.noise import BYTES_DEVIATION, BYTES_MEAN, ELEMENT_STRIDE, STEP_STRIDE
from hearspike.emulator.trials import Recording, Trials, blank_recording

Floats = NDArray[np.float32]
Times = NDArray[np.float64]
Integers = NDArray[np.int64]
Counters = NDArray[np.int32]
Words = NDArray[np.uint32]
Codes = NDArray[np.uint8]

_STEP = np.uint32(STEP_STRIDE)
_ELEMENT = np.uint32(ELEMENT_STRIDE)
_MEAN = np.float32(BYTES_MEAN)
_PER_DEVIATION = np.float32(1 / BYTES_DEVIATION)
_MIX_1, _MIX_2 = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_BYTES = np.uint32(0x00FF00FF)
_LOW = np.uint32(0xFFFF)
_HALF = np.float32(0.5)
_ZERO = np.float32(0)
_BLOCK = 32


@njit(cache=True, inline="always")
def mix(x: np.uint32) -> np.uint32:
    """Return the 32-bit finaliser of MurmurHash3."""
    x = np.uint32(x ^ (x >> np.uint32(16)))
    x = np.uint32(x * _MIX_1)
    x = np.uint32(x ^ (x >> np.uint32(13)))
    x = np.uint32(x * _MIX_2)
    return np.uint32(x ^ (x >> np.uint32(16)))


@njit(cache=True, inline="always")
def step_word(key: Words, step: int) -> np.uint32:
    """Return the word of a step, from which `almost_normal` makes the numbers of its elements."""
    return np.uint32(mix(np.uint32(key[0] + np.uint32(np.uint32(step) * _STEP))) ^ key[1])


@njit(cache=True, inline="always")
def almost_normal(word: np.uint32, element: int) -> np.float32:
    """Return the centred sum of four uniform bytes, of standard deviation `BYTES_DEVIATION`."""
    return byte_sum(word, element) - _MEAN


@njit(cache=True, inline="always")
def byte_sum(word: np.uint32, element: int) -> np.float32:
    """Return the sum of four uniform bytes."""
    x = mix(np.uint32(word + np.uint32(np.uint32(element) * _ELEMENT)))
    pairs = np.uint32(np.uint32(x & _BYTES) + np.uint32((x >> np.uint32(8)) & _BYTES))
    total = np.uint32(np.uint32(pairs & _LOW) + np.uint32(pairs >> np.uint32(16)))
    return np.float32(np.int32(total))


@njit(cache=True)
def sort_events(
    times: Times,
    units: Integers,
    jitter: float,
    key: Words,
    steps: int,
    first: Integers,
    sorted_units: Integers,
) -> None:
    """Bring the events of a sample in the order of their steps, keeping their order within a step.

    ``times`` are in steps; ``first[n]`` becomes the place of step n's first event in ``sorted_units``.
    Events beyond the last step are not delivered.
    """
    at = np.empty(len(times), np.int64)
    word = step_word(key, 0)
    first[:] = 0
    for i in range(len(times)):
        time = times[i]
        if jitter > 0:
            time += jitter * almost_normal(word, i)
        at[i] = max(int(np.floor(time + 0.5)), 0)
        if at[i] < steps:
            first[at[i] + 1] += 1
    for n in range(steps):
        first[n + 1] += first[n]
    place = first[:-1].copy()
    for i in range(len(times)):
        if at[i] < steps:
            sorted_units[place[at[i]]] = units[i]
            place[at[i]] += 1


@njit(cache=True)
def deliver(u_exc: Floats, u_inh: Floats, row: Floats, start: int, stop: int) -> None:
    """Add the weights of a source to the drive of the neurons from ``start`` to ``stop``, by their sign."""
    excited, inhibited, weights = u_exc[start:stop], u_inh[start:stop], row[start:stop]
    for j in range(len(weights)):  # a range from 0 lets the compiler see that no index is negative
        excited[j] += weights[j] if weights[j] > _ZERO else _ZERO
        inhibited[j] += weights[j] if weights[j] < _ZERO else _ZERO


@njit(cache=True)
def decay(u: Floats, factor: Floats) -> None:
    """Let the drive of one sign decay; a loop of its own, since loops over many arrays are not vectorised."""
    for j in range(len(u)):
        u[j] *= factor[j]


@njit(cache=True)
def advance(
    v: Floats, u_exc: Floats, u_inh: Floats, held: Counters, step: np.int32, constants: Floats
) -> bool:
    """Advance membranes and synapses by one step; return whether any potential is above its threshold.

    The drive u is the rise κ s of the potential over a step. Neurons in their refractory period stay at
    reset. ``constants`` are the rows of `pack`.
    """
    decay_mem, pull, reset, threshold = constants[0], constants[1], constants[2], constants[3]
    above = False
    for j in range(len(v)):
        moved = v[j] * decay_mem[j] + u_exc[j] + u_inh[j] + pull[j]
        moved = reset[j] if step < held[j] else moved
        v[j] = moved
        above |= moved > threshold[j]
    decay(u_exc, constants[4])
    decay(u_inh, constants[5])
    return above


@njit(cache=True)
def advance_noisy(
    v: Floats,
    u_exc: Floats,
    u_inh: Floats,
    held: Counters,
    step: np.int32,
    constants: Floats,
    word: np.uint32,
) -> bool:
    """Advance as `advance` does, with membrane noise of ``constants[6]`` per unit of `byte_sum`."""
    decay_mem, pull, reset, threshold = constants[0], constants[1], constants[2], constants[3]
    noise = constants[6]
    above = False
    for j in range(len(v)):
        moved = v[j] * decay_mem[j] + u_exc[j] + u_inh[j] + pull[j] + byte_sum(word, j) * noise[j]
        moved = reset[j] if step < held[j] else moved
        v[j] = moved
        above |= moved > threshold[j]
    decay(u_exc, constants[4])
    decay(u_inh, constants[5])
    return above


@njit(cache=True)
def fire(
    v: Floats,
    held: Counters,
    step: int,
    refractory_steps: Counters,
    reset: Floats,
    threshold: Floats,
    fired: Integers,
) -> int:
    """Reset the neurons above their threshold, list them in ``fired``, and return how many there are."""
    count = 0
    for start in range(0, len(fired), _BLOCK):
        block_v, block_threshold = v[start : start + _BLOCK], threshold[start : start + _BLOCK]
        above = False
        for i in range(len(block_v)):  # few neurons fire in a step: this loop is wide, the next is not
            above |= block_v[i] > block_threshold[i]
        if not above:
            continue
        for j in range(start, min(start + _BLOCK, len(fired))):
            if v[j] > threshold[j] and step >= held[j]:
                v[j] = reset[j]
                held[j] = step + 1 + refractory_steps[j]
                fired[count] = j
                count += 1
    return count


@njit(cache=True)
def convert(
    v: Floats,
    neurons: Integers,
    gain: Floats,
    offset: Floats,
    noise: np.float32,
    word: np.uint32,
    codes: Codes,
) -> None:
    """Read potentials as 8-bit codes, rounded and clipped."""
    for r in range(len(neurons)):
        j = neurons[r]
        code = offset[j] + gain[j] * v[j]
        if noise > 0:
            code += almost_normal(word, j) * noise
        codes[r] = np.uint8(min(max(np.floor(code + _HALF), np.float32(0)), np.float32(255)))


@njit(parallel=True, cache=True)
def simulate(
    constants: Floats,
    leak: Floats,
    noise_rest: Floats,
    noisy: bool,
    weights: Floats,
    target_start: Integers,
    target_stop: Integers,
    code_gain: Floats,
    code_offset: Floats,
    refractory_steps: Counters,
    keys: Words,
    times: Times,
    units: Integers,
    offsets: Integers,
    steps: int,
    read_steps: Integers,
    read_neurons: Integers,
    layer_of: Integers,
    spike_jitter: float,
    cadc_noise: np.float32,
    codes: Codes,
    raster: Codes,
    counts: Integers,
) -> None:
    """Run every chip and sample: the loop of `hearspike.emulator.reference.run`, a trial per iteration."""
    chips, samples = keys.shape[:2]
    neurons = leak.shape[1]
    spiking = len(layer_of)
    inputs = len(target_start) - spiking
    reads = len(read_steps)
    for trial in prange(chips * samples):
        c, b = trial // samples, trial % samples
        k, w = constants[c], weights[c]
        own = slice(offsets[b], offsets[b + 1])
        first = np.empty(steps + 1, np.int64)
        events = np.empty(offsets[b + 1] - offsets[b], np.int64)
        sort_events(times[own], units[own], spike_jitter, keys[c, b, 1], steps, first, events)
        v, u_exc, u_inh = leak[c].copy(), np.zeros(neurons, np.float32), np.zeros(neurons, np.float32)
        held = np.zeros(neurons, np.int32)
        if noisy:
            word = step_word(keys[c, b, 0], 0)
            for j in range(neurons):
                v[j] += almost_normal(word, j) * noise_rest[c, j]
        fired = np.empty(spiking, np.int64)
        n_fired = 0
        read = 0
        for n in range(steps + 1):
            if read < reads and read_steps[read] == n:
                word = step_word(keys[c, b, 2], read)
                convert(v, read_neurons, code_gain[c], code_offset[c], cadc_noise, word, codes[c, b, read])
                read += 1
            if n == steps:
                break
            for e in range(first[n], first[n + 1]):
                source = events[e]
                deliver(u_exc, u_inh, w[source], target_start[source], target_stop[source])
            for e in range(n_fired):
                source = inputs + fired[e]
                deliver(u_exc, u_inh, w[source], target_start[source], target_stop[source])
            if noisy:
                word = step_word(keys[c, b, 0], n + 1)
                above = advance_noisy(v, u_exc, u_inh, held, np.int32(n), k, word)
            else:
                above = advance(v, u_exc, u_inh, held, np.int32(n), k)
            n_fired = fire(v, held, n, refractory_steps[c], k[2], k[3], fired) if above else 0
            for e in range(n_fired):
                counts[c, b, layer_of[fired[e]]] += 1
                if raster.shape[2] > 0:
                    raster[c, b, min(read, reads - 1), fired[e]] += 1


def pack(constants: StepConstants) -> Floats:
    """Return what `advance` reads, one row per constant [chip, constant, neuron].

    The mean of the summed bytes of the noise is taken from the pull, once for all steps.
    """
    k = constants
    noise = k.noise_step * _PER_DEVIATION
    membrane = np.stack([k.decay_mem, k.pull - _MEAN * noise, k.reset, k.threshold], axis=1)
    return np.concatenate([membrane, k.decay_syn, noise[:, None]], axis=1)


def run(constants: StepConstants, trials: Trials) -> Recording:
    """Run every chip and sample; the same result as `hearspike.emulator.reference.run`, bit for bit."""
    recording = blank_recording(trials)
    simulate(
        pack(constants),
        constants.leak,
        constants.noise_rest * _PER_DEVIATION,
        bool((constants.noise_step > 0).any()),
        driving_weights(constants),
        constants.target_start,
        constants.target_stop,
        constants.code_gain,
        constants.code_offset,
        constants.refractory_steps,
        trials.keys,
        trials.times,
        trials.units,
        trials.offsets,
        trials.steps,
        trials.read_steps,
        trials.read_neurons,
        trials.layer_of,
        trials.spike_jitter / BYTES_DEVIATION,
        np.float32(trials.cadc_noise / BYTES_DEVIATION),
        recording.codes,
        recording.raster,
        recording.counts,
    )
    return recording
