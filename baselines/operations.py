"""Counting operations from shapes and recorded activity, as NeuroBench counts them, without hooks.

NeuroBench (Yik et al., Nature Communications 16:1545, 2025) calls a synaptic operation *effective* if
neither weight nor input is 0, an *AC* if the inputs are spikes and a *MAC* otherwise, and *dense* if zeros
count too. It watches modules of torch while they run, and takes a fused kernel for no operation at all. Here
the same numbers follow from weights and spike counts. One difference is meant: where several spikes of one
source fall into one time step, each is an AC here; NeuroBench sees an input above 1 and counts a MAC.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hearspike.baselines.interface import Operations

FLOAT_BYTES = 4
"""States are single precision."""


def spike_operations(weights: NDArray[np.floating], spikes: ArrayLike, *, steps: int) -> Operations:
    r"""Count what spikes cause in a matrix of weights: :math:`\sum_i n_i f_i` accumulations.

    Parameters
    ----------
    weights
        [target, source]; :math:`f_i` is the number of weights of source :math:`i` that are not 0.
    spikes
        [source] Mean number of spikes per sample, :math:`n_i`; or that of all sources together, taken as
        evenly spread over them, which is exact where no weight is 0.
    steps
        Time steps of a sample.
    """
    return Operations(0.0, _effective(weights, spikes), dense=float(weights.size * steps))


def value_operations(weights: NDArray[np.floating], active: ArrayLike, *, steps: int) -> Operations:
    """Count what graded values cause in a matrix of weights: a multiplication and an addition each.

    Parameters
    ----------
    weights
        [target, source].
    active
        [source] Mean number of time steps per sample in which the value is not 0.
    steps
        Time steps of a sample.
    """
    return Operations(_effective(weights, active), 0.0, dense=float(weights.size * steps))


def neuron_operations(neurons: int, *, steps: int, states: int) -> Operations:
    """Count the updates of neurons by a clock: each state decays and gains an input, one MAC.

    Parameters
    ----------
    neurons
        Number of neurons.
    steps
        Time steps of a sample.
    states
        Variables of a neuron that decay, such as current and membrane.
    """
    updates = float(neurons * steps)
    return Operations(
        states * updates,
        0.0,
        neuron_multiply_accumulates=states * updates,
        neuron_updates=updates,
        state_bytes=float(FLOAT_BYTES * states * neurons),
    )


def _effective(weights: NDArray[np.floating], counts: ArrayLike) -> float:
    fan_out = np.count_nonzero(weights, axis=0)
    given = np.asarray(counts, dtype=np.float64)
    return float(fan_out @ (given if given.ndim else np.full(len(fan_out), given / len(fan_out))))
