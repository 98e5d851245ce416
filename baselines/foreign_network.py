r"""A network that somebody else has trained, from a NIR file: nothing to fit, everything to evaluate.

In software it is computed in steps of :math:`h` seconds,

.. math::
    I[t] &= \alpha I[t-1] + W S_{in}[t] + R S[t-1] + b \\
    V[t] &= \beta V[t-1] + (1 - \beta) v_{leak} + I[t], \quad S[t] = [V[t] > \theta]

with :math:`\alpha, \beta = 1 - h/\tau` or :math:`e^{-h/\tau}`, and weights in units of what a spike lifts
:math:`V` by within its step. A spike sets :math:`V[t]`, or :math:`V[t+1]` before it is looked at, to
:math:`v_{reset}`: see `hearspike.baselines.foreign_graph.Convention`.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import nir
import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.baselines.decision import decide
from hearspike.baselines.foreign_graph import Convention, in_data_time, read_graph
from hearspike.baselines.input_frames import InputFrames
from hearspike.baselines.interface import NetworkShape, Operations, Predictions, Readout
from hearspike.datasets import SpikeDataset, SpikeEvents, bin_events
from hearspike.emulator.dynamics import exact_rise
from hearspike.emulator.network import Layer, read_layers
from hearspike.errors import InputError
from hearspike.progress import Progress, no_progress

PREDICTION_BATCH = 128
"""Samples that pass through the network at once: bounds the memory."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ForeignNetwork:
    """A network from a NIR file.

    Parameters
    ----------
    file
        The file. The membranes of its last population are the scores of the classes.
    convention
        How its framework counts time and spikes.
    frames
        Time steps and inputs as the network was trained on.
    readout
        What of the last membranes decides: ``maximum``, ``sum`` or ``last``.

    Raises
    ------
    InputError
        If the file is none, or holds what cannot be evaluated.
    """

    file: Path
    convention: Convention
    frames: InputFrames
    readout: Readout

    def __post_init__(self) -> None:
        if self.readout not in get_args(Readout):
            raise InputError("model.readout", self.readout, f"one of {', '.join(get_args(Readout))}")

    @property
    def step(self) -> float:
        """Length of a step in seconds of the data's time."""
        return self.frames.window / self.frames.bins

    @cached_property
    def graph(self) -> nir.NIRGraph:
        """The network in the data's time."""
        return in_data_time(read_graph(self.file), self.convention, step=self.step)

    @cached_property
    def layers(self) -> list[Layer]:
        """Its layers from input to readout."""
        return read_layers(self.graph)

    def shape(self, channels: int, classes: int) -> NetworkShape:
        """Return the sizes of the network.

        Raises
        ------
        InputError
            If its inputs or outputs are not those of the data.
        """
        first, last = self.layers[0], self.layers[-1]
        inputs = first.weight.shape[1]
        if self.frames.inputs(channels) != inputs:
            found = f"{self.frames.inputs(channels)} inputs of {channels} channels"
            raise InputError("model.frames.channels", found, f"{inputs}, as in {self.file}")
        if last.size != classes:
            raise InputError(self.file, f"{last.size} outputs", f"{classes}, the classes of the data")
        recurrent = any(layer.recurrent is not None for layer in self.layers)
        return NetworkShape(inputs, tuple(layer.size for layer in self.layers[:-1]), classes, recurrent)

    def fit(
        self,
        train: SpikeDataset,
        validation: SpikeDataset,
        *,
        seed: int,
        progress: Progress = no_progress,
        checkpoint: Path | None = None,
    ) -> "FittedForeignNetwork":
        """Check that the network suits the data; there is nothing to learn."""
        self.shape(train.events.channels, len(train.classes))
        return FittedForeignNetwork(self)


@dataclass(frozen=True)
class FittedForeignNetwork:
    """The network as it came."""

    settings: ForeignNetwork

    @property
    def parameters(self) -> dict[str, NDArray[Any]]:
        """Weights of every layer."""
        found: dict[str, NDArray[Any]] = {}
        for layer in self.settings.layers:
            found[f"{layer.name}.weight"] = layer.weight
            if layer.recurrent is not None:
                found[f"{layer.name}.recurrent"] = layer.recurrent
        return found

    @property
    def window(self) -> float:
        """Length of the input in seconds."""
        return self.settings.frames.window

    @property
    def step(self) -> float:
        """Length of a time step in seconds."""
        return self.settings.step

    @property
    def refractory_period(self) -> None:
        """The chip's usual one: NIR has none."""
        return

    @property
    def readout(self) -> Readout:
        """What of the readout trace decides."""
        return self.settings.readout

    def encode(self, events: SpikeEvents) -> SpikeEvents:
        """Pool neighbouring channels to the inputs of the network."""
        return self.settings.frames.pool(events)

    def network(self) -> nir.NIRGraph:
        """Return the network in the data's time."""
        return self.settings.graph

    def predict(self, events: SpikeEvents) -> Predictions:
        """Run the network in software."""
        frames = self.settings.frames
        labels = [np.empty(0, np.int64)]
        counts = [np.empty((len(self.settings.layers), 0), np.int64)]
        for part in self.encode(events).batches(PREDICTION_BATCH):
            spikes = bin_events(part, bins=frames.bins, window=frames.window).counts.astype(np.float64)
            fired = [spikes.sum(axis=(1, 2))]
            for layer in self.settings.layers:
                spikes, traces = run_layer(
                    layer, spikes, step=self.settings.step, convention=self.settings.convention
                )
                fired.append(spikes.sum(axis=(1, 2)))
            labels.append(decide(torch.from_numpy(traces), self.readout).argmax(dim=1).numpy())
            counts.append(np.stack(fired[:-1]).astype(np.int64))
        spikes = np.concatenate(counts, axis=1)
        names = ["input", *(layer.name for layer in self.settings.layers[:-1])]
        return Predictions(
            np.concatenate(labels)[np.newaxis],
            layer_spikes={name: row[np.newaxis] for name, row in zip(names, spikes, strict=True)},
            operations=self._operations(spikes.mean(axis=1)) if spikes.shape[1] else None,
        )

    def _operations(self, spikes: NDArray[np.float64]) -> Operations:
        """Count a weight for each spike and target, and two products for each neuron and step."""
        layers = self.settings.layers
        added = sum(mean * layer.size for mean, layer in zip(spikes, layers, strict=True))
        added += sum(
            mean * layer.size
            for mean, layer in zip(spikes[1:], layers[:-1], strict=True)
            if layer.recurrent is not None
        )
        updates = 2.0 * self.settings.frames.bins * sum(layer.size for layer in layers)
        return Operations(multiply_accumulates=updates, accumulates=float(added))


def run_layer(layer: Layer, spikes: Array, *, step: float, convention: Convention) -> tuple[Array, Array]:
    """Return spikes and membranes [sample, step, neuron] of a layer; a readout has no spikes.

    Parameters
    ----------
    layer
        Constants in seconds; a spike is an impulse of 1.
    spikes
        [sample, step, source] Number of spikes that arrive in each step.
    step
        Its length in seconds.
    convention
        Its scheme and reset.
    """
    euler = convention.scheme == "euler"
    alpha, beta = (
        1.0 - step / tau if euler else np.exp(-step / tau) for tau in (layer.tau_syn, layer.tau_mem)
    )
    rise = np.full(layer.size, step) if euler else exact_rise(step, layer.tau_mem, layer.tau_syn)
    lift = layer.resistance * rise / (layer.tau_syn * layer.tau_mem)
    drive = spikes @ (layer.weight.T * lift) + layer.bias * lift * step
    recurrent = None if layer.recurrent is None else layer.recurrent.T * lift
    current, membrane = np.zeros_like(drive[:, 0]), np.broadcast_to(layer.leak, drive[:, 0].shape).copy()
    fired, traces = np.zeros_like(drive), np.empty_like(drive)
    for t in range(drive.shape[1]):
        current = alpha * current + drive[:, t]
        if recurrent is not None and t:
            current += fired[:, t - 1] @ recurrent
        membrane = beta * membrane + (1.0 - beta) * layer.leak + current
        if layer.threshold is not None and layer.reset is not None:
            if convention.reset == "next_step" and t:
                membrane = np.where(fired[:, t - 1] > 0, layer.reset, membrane)
            fired[:, t] = over = membrane > layer.threshold
            if convention.reset == "at_once":
                membrane = np.where(over, layer.reset, membrane)
        traces[:, t] = membrane
    return fired, traces
