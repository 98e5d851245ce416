"""Compiled loops of the event-driven layer; `hearspike.baselines.event_layer` has the equations."""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@njit(cache=True, parallel=True)
def forward(
    times: Floats,
    units: NDArray[np.uint16],
    offsets: Integers,
    bins_per_second: float,
    weights: Floats,
    recurrent: Floats,
    decay_syn: Floats,
    decay_mem: Floats,
    threshold: Floats,
    membrane: Floats,
    spikes: Floats,
) -> None:
    """Integrate every sample over all steps.

    ``weights`` and ``recurrent`` are [source, neuron], the latter without rows if there is none;
    ``threshold`` is [sample, neuron]; ``membrane`` and ``spikes``, the results, are [step, sample, neuron].
    Only rows of sources that fired are added, so the cost follows the activity.
    """
    steps, samples, neurons = membrane.shape
    for sample in prange(samples):
        current, potential = np.zeros(neurons, np.float32), np.zeros(neurons, np.float32)
        fired = np.empty(neurons, np.int64)
        count = 0
        event = offsets[sample]
        for step in range(steps):
            for j in range(neurons):
                current[j] *= decay_syn[j]
            while event < offsets[sample + 1] and np.int64(times[event] * bins_per_second) <= step:
                _add(current, weights[units[event]])
                event += 1
            if len(recurrent) > 0:
                for index in range(count):
                    _add(current, recurrent[fired[index]])
            for j in range(neurons):
                potential[j] = decay_mem[j] * potential[j] + current[j]
            for index in range(count):
                potential[fired[index]] = np.float32(0)
            count = 0
            for j in range(neurons):
                membrane[step, sample, j] = potential[j]
                above = potential[j] > threshold[sample, j]
                spikes[step, sample, j] = np.float32(above)
                if above:
                    fired[count] = j
                    count += 1


@njit(cache=True)
def backward(
    gradient: Floats,
    membrane: Floats,
    spikes: Floats,
    threshold: Floats,
    slope: float,
    times: Floats,
    units: NDArray[np.uint16],
    offsets: Integers,
    bins_per_second: float,
    recurrent: Floats,
    decay_syn: Floats,
    decay_mem: Floats,
    weights_gradient: Floats,
    recurrent_gradient: Floats,
) -> None:
    """Go back over all steps, adding up what every weight did.

    ``gradient`` is that of the spikes [step, sample, neuron], ``threshold`` is [sample, neuron],
    ``recurrent`` [neuron, source]; the gradients are [source, neuron].
    """
    steps, samples, neurons = gradient.shape
    by_current = np.zeros((samples, neurons), np.float32)
    by_membrane = np.zeros((samples, neurons), np.float32)
    by_spike = np.zeros((samples, neurons), np.float32)
    event, nothing = np.empty(samples, np.int64), np.zeros(neurons, np.float32)
    for sample in range(samples):
        event[sample] = offsets[sample + 1] - 1
        while event[sample] >= offsets[sample] and np.int64(times[event[sample]] * bins_per_second) >= steps:
            event[sample] -= 1
    for step in range(steps - 1, -1, -1):
        for sample in range(samples):
            before = spikes[max(step - 1, 0), sample]
            _step_back(
                gradient[step, sample],
                membrane[step, sample],
                spikes[step, sample],
                threshold[sample],
                before if step > 0 else nothing,
                by_spike[sample],
                np.float32(slope),
                decay_syn,
                decay_mem,
                by_current[sample],
                by_membrane[sample],
            )
            while event[sample] >= offsets[sample] and (
                np.int64(times[event[sample]] * bins_per_second) >= step
            ):
                _add(weights_gradient[units[event[sample]]], by_current[sample])
                event[sample] -= 1
            if step > 0 and len(recurrent) > 0:
                for j in range(neurons):
                    if before[j] > 0:
                        _add(recurrent_gradient[j], by_current[sample])
        if step > 0 and len(recurrent) > 0:
            np.dot(by_current, recurrent, by_spike)


@njit(cache=True)
def _add(total: Floats, row: Floats) -> None:
    for j in range(len(total)):
        total[j] += row[j]


@njit(cache=True, fastmath={"contract"})
def _step_back(
    gradient: Floats,
    membrane: Floats,
    spikes: Floats,
    threshold: Floats,
    spikes_before: Floats,
    by_spike: Floats,
    slope: np.float32,
    decay_syn: Floats,
    decay_mem: Floats,
    by_current: Floats,
    by_membrane: Floats,
) -> None:
    for j in range(len(gradient)):
        distance = abs(membrane[j] - threshold[j]) * (np.float32(1) - spikes[j])
        width = slope * distance + np.float32(1)
        by_potential = (gradient[j] + by_spike[j]) / (width * width)
        pushed = (by_potential + by_membrane[j]) * (np.float32(1) - spikes_before[j])
        by_membrane[j] = decay_mem[j] * pushed
        by_current[j] = decay_syn[j] * by_current[j] + pushed
