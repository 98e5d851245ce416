r"""A hidden layer and a readout as plain functions of weights and neuron constants.

Hidden neurons are those of `hearspike.baselines.event_layer`. A readout neuron has the same dynamics without
threshold, driven by the hidden spikes of the same step. In steps of :math:`h` with spikes at their beginnings
this is exactly NIR's neuron :math:`\tau_{syn} \dot I = -I + \tau_{syn} W S`,
:math:`\tau_{mem} \dot V = -V + r I` with
:math:`r = \tau_{mem} / \int_0^h e^{-(h - t)/\tau_{mem}} e^{-t/\tau_{syn}} dt`: a spike lifts the membrane by
its weight within a step.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import nir
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from hearspike.baselines.event_layer import LayerDynamics, Recorded, event_layer
from hearspike.datasets import SpikeEvents
from hearspike.emulator.dynamics import exact_rise


class Weights(NamedTuple):
    """The synapses of the network.

    Parameters
    ----------
    input
        Onto the hidden layer [hidden, input].
    recurrent
        Within the hidden layer [hidden, hidden], or None.
    readout
        Onto the readout [class, hidden].
    """

    input: torch.Tensor
    recurrent: torch.Tensor | None
    readout: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Steps of the model and nominal constants of its neurons.

    Parameters
    ----------
    steps
        Number of time steps.
    window
        Seconds of all steps together.
    tau_mem, tau_syn
        Time constants in seconds.
    slope
        Steepness of the surrogate.
    """

    steps: int
    window: float
    tau_mem: float
    tau_syn: float
    slope: float

    @property
    def step(self) -> float:
        """Length of a step in seconds."""
        return self.window / self.steps


@dataclass(frozen=True, kw_only=True)
class Neurons:
    """Constants of all neurons in discrete time.

    Parameters
    ----------
    hidden
        Those of the hidden layer.
    response
        Potential of each readout at the end of a step per unit of input in each step [class, step, step].
    """

    hidden: LayerDynamics
    response: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Activity:
    """What the network does with some samples.

    Parameters
    ----------
    spikes
        Hidden spikes [step, sample, neuron].
    traces
        Potentials of the readout [sample, step, class].
    """

    spikes: torch.Tensor
    traces: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a chip showed of some samples, to stand in place of what the model would do.

    Parameters
    ----------
    hidden
        Spikes and membranes of the hidden layer.
    traces
        Potentials of the readout [sample, step, class].
    """

    hidden: Recorded
    traces: torch.Tensor


def neurons(
    grid: Grid,
    *,
    hidden_tau_mem: ArrayLike,
    hidden_tau_syn: ArrayLike,
    threshold: torch.Tensor,
    readout_tau_mem: ArrayLike,
    readout_tau_syn: ArrayLike,
) -> Neurons:
    """Return the constants of neurons with time constants [neuron, s], thresholds [sample or 1, neuron]."""

    def decay(tau: ArrayLike) -> torch.Tensor:
        return torch.from_numpy(np.exp(-grid.step / np.asarray(tau, np.float64)).astype(np.float32))

    return Neurons(
        hidden=LayerDynamics(
            grid.steps, grid.window, decay(hidden_tau_syn), decay(hidden_tau_mem), threshold, grid.slope
        ),
        response=_response(grid, np.asarray(readout_tau_mem), np.asarray(readout_tau_syn)),
    )


def nominal_neurons(grid: Grid, hidden: int, classes: int) -> Neurons:
    """Return neurons that are all as they should be."""
    return neurons(
        grid,
        hidden_tau_mem=np.full(hidden, grid.tau_mem),
        hidden_tau_syn=np.full(hidden, grid.tau_syn),
        threshold=torch.ones(1, hidden),
        readout_tau_mem=np.full(classes, grid.tau_mem),
        readout_tau_syn=np.full(classes, grid.tau_syn),
    )


def _response(grid: Grid, tau_mem: NDArray[np.float64], tau_syn: NDArray[np.float64]) -> torch.Tensor:
    r"""Return :math:`\sum_{j=0}^{n} \beta^{n-j} \alpha^j`, the potential n steps after an input of 1."""
    alpha, beta = np.exp(-grid.step / tau_syn)[:, None], np.exp(-grid.step / tau_mem)[:, None]
    pulse = np.zeros((len(alpha), grid.steps))
    current, potential = np.ones_like(alpha), np.zeros_like(alpha)
    for n in range(grid.steps):
        potential = beta * potential + current
        pulse[:, n : n + 1] = potential
        current = alpha * current
    age = np.subtract.outer(np.arange(grid.steps), np.arange(grid.steps))
    return torch.from_numpy(np.where(age >= 0, pulse[:, np.maximum(age, 0)], 0.0).astype(np.float32))


def run(weights: Weights, events: SpikeEvents, constants: Neurons, shown: Shown | None = None) -> Activity:
    """Run the network; with ``shown``, its values are the chip's and its gradients the model's."""
    recorded = None if shown is None else shown.hidden
    spikes = event_layer(weights.input, weights.recurrent, events, constants.hidden, recorded)
    drive = (spikes @ weights.readout.T).permute(2, 0, 1)  # [class, step, sample]
    traces = (constants.response @ drive).permute(2, 1, 0)
    if shown is not None:
        traces = shown.traces + (traces - traces.detach())
    return Activity(spikes=spikes, traces=traces)


def graph(weights: Weights, grid: Grid) -> nir.NIRGraph:
    """Return the network in continuous time."""
    rise = float(exact_rise(grid.step, np.array(grid.tau_mem), np.array(grid.tau_syn)))

    def constants(count: int) -> dict[str, NDArray[np.float64]]:
        return {
            "tau_syn": np.full(count, grid.tau_syn),
            "tau_mem": np.full(count, grid.tau_mem),
            "r": np.full(count, grid.tau_mem / rise),
            "v_leak": np.zeros(count),
            "w_in": np.full(count, grid.tau_syn),
        }

    hidden, inputs = weights.input.shape
    classes = len(weights.readout)
    nodes: dict[str, nir.NIRNode] = {
        "input": nir.Input({"input": np.array([inputs])}),
        "input_weights": nir.Linear(weights.input.detach().numpy()),
        "hidden": nir.CubaLIF(**constants(hidden), v_threshold=np.ones(hidden), v_reset=np.zeros(hidden)),
        "readout_weights": nir.Linear(weights.readout.detach().numpy()),
        "readout": nir.CubaLI(**constants(classes)),
        "output": nir.Output({"output": np.array([classes])}),
    }
    chain = ["input", "input_weights", "hidden", "readout_weights", "readout", "output"]
    edges = list(pairwise(chain))
    if weights.recurrent is not None:
        nodes["recurrent_weights"] = nir.Linear(weights.recurrent.detach().numpy())
        edges += [("hidden", "recurrent_weights"), ("recurrent_weights", "hidden")]
    return nir.NIRGraph(nodes=nodes, edges=edges, type_check=False)  # its shapes are right


def restrict(weights: Weights, limit: float) -> None:
    """Pull hidden weights that are beyond ``limit`` back to it, in place."""
    with torch.no_grad():
        for tensor in (weights.input, weights.recurrent):
            if tensor is not None:
                tensor.clamp_(-limit, limit)


def thinned(weights: Weights, keep: torch.Tensor, share: float) -> Weights:
    """Return the weights without what neurons outside ``keep`` [hidden] send, and more of what others do."""
    factor = keep / share
    recurrent = None if weights.recurrent is None else weights.recurrent * factor
    return Weights(weights.input, recurrent, weights.readout * factor)


def random_weights(
    rng: np.random.Generator, shape: tuple[int, int], *, scale: float, mean: float = 0.0
) -> torch.nn.Parameter:
    """Draw weights [target, source] of standard deviation ``scale`` / sqrt(sources)."""
    values = rng.normal(mean, scale / math.sqrt(shape[1]), size=shape)
    return torch.nn.Parameter(torch.from_numpy(values.astype(np.float32)))
