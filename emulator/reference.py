"""The oracle: the emulation step by step in plain numpy, slow and readable.

It is the definition that `hearspike.emulator.kernel` is tested against, bit for bit: both do the same float32
operations in the same order. It shares with the kernel the constants of a step and the keys of the noise, and
no code of the loop or the hash.

It alone runs the `hearspike.emulator.circuits` that the kernels do not have.
"""

import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.circuits import PlacedCircuits
from hearspike.emulator.correlation import read_sums
from hearspike.emulator.dynamics import StepConstants, driving_weights
from hearspike.emulator.noise import BYTES_DEVIATION, BYTES_MEAN, ELEMENT_STRIDE, STEP_STRIDE
from hearspike.emulator.trials import Recording, Trials, blank_recording

Float = NDArray[np.float32]


def _mix(x: NDArray[np.uint32]) -> NDArray[np.uint32]:
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return x ^ (x >> np.uint32(16))


def almost_normal(key: NDArray[np.uint32], step: int, elements: int) -> Float:
    """Return the numbers of a step, of mean 0 and standard deviation `BYTES_DEVIATION` [element]."""
    return byte_sums(key, step, elements) - np.float32(BYTES_MEAN)


def byte_sums(key: NDArray[np.uint32], step: int, elements: int) -> Float:
    """Return the numbers of a step before their mean is taken off [element].

    Parameters
    ----------
    key
        Key of the trial and purpose [2].
    step
        Counter of the step.
    elements
        How many numbers.
    """
    start = np.array([(int(key[0]) + step * STEP_STRIDE) % 2**32], np.uint32)
    word = _mix(start) ^ key[1]
    spread = (np.arange(elements, dtype=np.uint64) * np.uint64(ELEMENT_STRIDE)).astype(np.uint32)
    words = _mix(word + spread)
    total: Float = words.astype("<u4").view(np.uint8).reshape(elements, 4).sum(axis=1).astype(np.float32)
    return total


def run(constants: StepConstants, trials: Trials, circuits: PlacedCircuits) -> Recording:
    """Run every chip and sample, and return what was recorded.

    A step n does in this order: convert the potentials if a read is due; add the events of the step and the
    spikes of the step before to the synapses; advance; compare with the threshold.
    """
    sensed = circuits.correlation is not None
    synapses = (len(circuits.plasticity), len(circuits.adex)) if sensed else (0, 0)
    recording = blank_recording(trials, synapses=synapses)
    for c, b in np.ndindex(trials.keys.shape[:2]):
        _run_trial(constants, trials, circuits, recording, chip=c, sample=b)
    return recording


def _run_trial(
    constants: StepConstants,
    trials: Trials,
    circuits: PlacedCircuits,
    recording: Recording,
    *,
    chip: int,
    sample: int,
) -> None:
    k, c, b = constants, chip, sample
    neurons, spiking = k.leak.shape[1], len(trials.layer_of)
    inputs, reads = len(k.target_start) - spiking, len(trials.read_steps)
    per_deviation = np.float32(1 / BYTES_DEVIATION)
    weights = driving_weights(k)[c]
    key_membrane, key_jitter, key_cadc = trials.keys[c, b]

    own = slice(trials.offsets[b], trials.offsets[b + 1])
    arrival = trials.times[own].copy()
    if trials.spike_jitter > 0:
        jitter = almost_normal(key_jitter, 0, len(arrival)).astype(np.float64)
        arrival += trials.spike_jitter / BYTES_DEVIATION * jitter
    at = np.maximum(np.floor(arrival + 0.5), 0)
    read_noise = np.float32(trials.cadc_noise / BYTES_DEVIATION)
    noise = k.noise_step[c] * per_deviation
    v = k.leak[c] + almost_normal(key_membrane, 0, neurons) * (k.noise_rest[c] * per_deviation)
    pull = k.pull[c] - np.float32(BYTES_MEAN) * noise
    u = np.zeros((2, neurons), np.float32)
    held = np.zeros(neurons, np.int64)
    drivers, membranes, sensors = circuits.drivers(), circuits.membranes(k, c), circuits.sensors()
    fired: NDArray[np.int64] = np.empty(0, np.int64)
    read = 0
    for n in range(trials.steps + 1):
        if read < reads and trials.read_steps[read] == n:
            code = k.code_offset[c] + k.code_gain[c] * v
            if read_noise > 0:
                code = code + almost_normal(key_cadc, read, neurons) * read_noise
            rounded = np.clip(np.floor(code + np.float32(0.5)), 0, 255).astype(np.uint8)
            recording.codes[c, b, read] = rounded[trials.read_neurons]
            read += 1
        if n == trials.steps:
            break
        for source in [*trials.units[own][at == n], *(inputs + fired)]:
            reached = slice(k.target_start[source], k.target_stop[source])
            strength = drivers.use(source, n)
            u[0, reached] += strength * np.maximum(weights[source, reached], 0)
            u[1, reached] += strength * np.minimum(weights[source, reached], 0)
            if sensors is not None:
                sensors.event(source, n)
        drive = u * (1 - v * circuits.per_reversal)
        moved = v * k.decay_mem[c] + drive[0] + drive[1] + pull + membranes.advance(v)
        if noise.any():
            moved = moved + byte_sums(key_membrane, n + 1, neurons) * noise
        refractory = n < held
        v = np.where(refractory, k.reset[c], moved)
        u = u * k.decay_syn[c]
        fired = np.flatnonzero((v > membranes.peak)[:spiking] & ~refractory[:spiking])
        v[fired] = k.reset[c, fired]
        held[fired] = n + 1 + k.refractory_steps[c, fired]
        membranes.spike(fired)
        if sensors is not None:
            sensors.spikes(fired, n)
        np.add.at(recording.counts[c, b], trials.layer_of[fired], 1)
        if trials.raster:
            recording.raster[c, b, min(read, reads - 1), fired] += 1
    if sensors is not None:
        recording.correlation[c, b] = read_sums(sensors.sums * _connected(k))


def _connected(constants: StepConstants) -> NDArray[np.bool_]:
    """Return which neurons each source reaches [source, neuron]."""
    neuron = np.arange(constants.leak.shape[1])
    start, stop = constants.target_start[:, None], constants.target_stop[:, None]
    return (start <= neuron) & (neuron < stop)
