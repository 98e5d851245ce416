"""Compiled loops of the fused recurrent layer; `hearspike.baselines.fused_layer` has the equations."""

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@njit(cache=True, parallel=True)
def forward(drive: Floats, recurrent: Floats, alpha: float, beta: float, membrane: Floats) -> None:
    """Integrate every sample over all steps.

    ``recurrent`` is [source, target], ``drive`` and ``membrane``, the result, are [step, sample, neuron].
    Only rows of neurons that fired are added, so the cost of the recurrence follows the activity.
    """
    steps, samples, neurons = drive.shape
    decay_syn, decay_mem = np.float32(alpha), np.float32(beta)
    for sample in prange(samples):
        current, fired = np.zeros(neurons, np.float32), np.empty(neurons, np.int64)
        potential = np.zeros(neurons, np.float32)
        count = 0
        for step in range(steps):
            row = membrane[step, sample]
            for j in range(neurons):
                current[j] = decay_syn * current[j] + drive[step, sample, j]
            for index in range(count):
                weights = recurrent[fired[index]]
                for j in range(neurons):
                    current[j] += weights[j]
            for j in range(neurons):
                potential[j] = decay_mem * potential[j] + current[j]
            for index in range(count):
                potential[fired[index]] = np.float32(0)
            count = 0
            for j in range(neurons):
                row[j] = potential[j]
                if potential[j] > np.float32(1):
                    fired[count] = j
                    count += 1


@njit(cache=True)
def backward(
    gradient: Floats,
    slopes: Floats,
    free: Floats,
    recurrent: Floats,
    alpha: float,
    beta: float,
    drive_gradient: Floats,
    recurrent_gradient: Floats,
) -> None:
    """Go back over all steps, adding up what every current and every recurrent weight did.

    ``gradient`` is that of the spikes, ``slopes`` the surrogate's, and ``free`` 0 for neurons that the spike
    of the step before holds at reset, else 1 [step, sample, neuron]; ``recurrent`` is [target, source],
    ``recurrent_gradient`` [source, target].
    """
    steps, samples, neurons = gradient.shape
    decay_syn, decay_mem = np.float32(alpha), np.float32(beta)
    by_current = np.zeros((samples, neurons), np.float32)
    by_membrane = np.zeros((samples, neurons), np.float32)
    by_spike = np.zeros((samples, neurons), np.float32)
    for step in range(steps - 1, -1, -1):
        for sample in range(samples):
            _step_back(
                gradient[step, sample],
                slopes[step, sample],
                free[step, sample],
                by_spike[sample],
                decay_syn,
                decay_mem,
                by_current[sample],
                by_membrane[sample],
                drive_gradient[step, sample],
            )
        if step > 0:
            np.dot(by_current, recurrent, by_spike)
            for sample in range(samples):
                for source in range(neurons):
                    if free[step, sample, source] == np.float32(0):
                        _add(recurrent_gradient[source], by_current[sample])


@njit(cache=True)
def _add(total: Floats, row: Floats) -> None:
    for j in range(len(total)):
        total[j] += row[j]


@njit(cache=True, fastmath={"contract"})
def _step_back(
    gradient: Floats,
    slopes: Floats,
    free: Floats,
    by_spike: Floats,
    decay_syn: np.float32,
    decay_mem: np.float32,
    by_current: Floats,
    by_membrane: Floats,
    drive_gradient: Floats,
) -> None:
    for j in range(len(gradient)):
        g = ((gradient[j] + by_spike[j]) * slopes[j] + by_membrane[j]) * free[j]
        by_membrane[j] = decay_mem * g
        c = decay_syn * by_current[j] + g
        by_current[j] = c
        drive_gradient[j] = c
