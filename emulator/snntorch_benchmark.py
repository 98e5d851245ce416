"""The same network at the same step in snnTorch, for the ratio of speeds. Importing this imports torch."""

import statistics
import time
from dataclasses import dataclass

import nir
import numpy as np
import torch
from numpy.typing import NDArray
from snntorch import Synaptic
from torch import Tensor

from hearspike.emulator.dynamics import exact_rise
from hearspike.emulator.network import Layer, read_layers

BATCH = 500
"""Samples at once: snnTorch was fastest with as many."""


@dataclass(frozen=True, kw_only=True)
class SnntorchTiming:
    """Samples per wall second, and spikes of the hidden layer per sample, which show that it is alive."""

    inferences_per_s: float
    hidden_spikes: float


def measure_snntorch(
    graph: nir.NIRGraph,
    times: NDArray[np.float64],
    units: NDArray[np.int64],
    offsets: NDArray[np.int64],
    *,
    duration: float,
    step: float,
    repeats: int = 3,
) -> SnntorchTiming:
    """Time the loop over steps that a user of snnTorch writes, without gradients, for ideal neurons.

    Spikes are brought to the grid of the steps before the clock starts. The neurons are
    `snntorch.Synaptic`, with reset to zero and without refractory period; the readout does not spike.

    Parameters
    ----------
    graph
        A hidden layer, recurrent or not, and a readout.
    times, units, offsets
        Events [s of network time], as for `hearspike.emulator.emulate`.
    duration, step
        Time per sample and time step [s of network time].
    repeats
        Runs, of which the median counts.
    """
    hidden, readout = read_layers(graph)
    steps, samples = round(duration / step), min(len(offsets) - 1, BATCH)
    frames = torch.zeros(steps, samples, hidden.weight.shape[1])
    for sample in range(samples):
        own = slice(offsets[sample], offsets[sample + 1])
        at = np.minimum(np.rint(times[own] / step).astype(np.int64), steps - 1)
        for n, unit in zip(at, units[own], strict=True):
            frames[n, sample, unit] += 1
    walls, spikes = [], 0.0
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two are no faster at this size, and on busy cores far slower
    try:
        with torch.no_grad():
            for _ in range(repeats + 1):  # the first warms up
                start = time.perf_counter()
                spikes = float(_run(hidden, readout, frames, step).sum()) / samples
                walls.append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    return SnntorchTiming(inferences_per_s=samples / statistics.median(walls[1:]), hidden_spikes=spikes)


def _run(hidden: Layer, readout: Layer, frames: Tensor, step: float) -> Tensor:
    """Return the spikes of the hidden layer, summed over time [sample, neuron]."""
    first, last = (_weights(layer.weight, layer, step) for layer in (hidden, readout))
    loop = None if hidden.recurrent is None else _weights(hidden.recurrent, hidden, step)
    neurons, readouts = _synaptic(hidden, step, "zero"), _synaptic(readout, step, "none")
    current, membrane = neurons.reset_mem()
    readout_current, readout_membrane = readouts.reset_mem()
    spikes = torch.zeros(frames.shape[1], len(first))
    counts, best = torch.zeros_like(spikes), torch.full((frames.shape[1], len(last)), -torch.inf)
    for frame in frames:
        drive = frame @ first.T if loop is None else frame @ first.T + spikes @ loop.T
        spikes, current, membrane = neurons(drive, current, membrane)
        _, readout_current, readout_membrane = readouts(spikes @ last.T, readout_current, readout_membrane)
        best = torch.maximum(best, readout_membrane)
        counts += spikes
    return counts


def _weights(weight: NDArray[np.float64], layer: Layer, step: float) -> Tensor:
    """Return the rise of the potential over a step that a spike causes [neuron, source]."""
    rise = exact_rise(step, layer.tau_mem, layer.tau_syn) / layer.tau_mem
    jump = weight * (layer.resistance / layer.tau_syn * rise)[:, None]
    return torch.from_numpy(jump.astype(np.float32))


def _synaptic(layer: Layer, step: float, reset: str) -> Synaptic:
    alpha, beta = (float(np.exp(-step / tau[0])) for tau in (layer.tau_syn, layer.tau_mem))
    threshold = 1e9 if layer.threshold is None else float(layer.threshold[0])
    return Synaptic(alpha=alpha, beta=beta, threshold=threshold, reset_mechanism=reset)
