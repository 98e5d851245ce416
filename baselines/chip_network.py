"""A spiking network made for the chip: one hidden layer, with or without recurrence, and a leaky readout.

The set-up is that of Cramer et al., PNAS 119:e2109194119 (2022): a step is as long as the time between two
reads of the chip's converter, so that what the model computes and what a chip shows stand side by side. At
256-246-10 it is their network for 16 × 16 images, at 70-186 recurrent-20 the one for SHD.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import nir
import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.baselines.chip_input import ChipInput
from hearspike.baselines.decision import decide
from hearspike.baselines.deployment import WeightTransfer, random_generator
from hearspike.baselines.in_the_loop import InTheLoop
from hearspike.baselines.interface import NetworkShape, Predictions, Readout
from hearspike.baselines.noise_aware import NoiseAware
from hearspike.baselines.operations import neuron_operations, spike_operations
from hearspike.baselines.training import EpochScore, Training, one_thread, train_by_gradient
from hearspike.baselines.two_layer_network import (
    Grid,
    Weights,
    graph,
    nominal_neurons,
    random_weights,
    restrict,
    run,
    thinned,
)
from hearspike.datasets import SpikeDataset, SpikeEvents
from hearspike.datasets.image_rotation import ImageRotation
from hearspike.emulator import BSS2
from hearspike.errors import InputError
from hearspike.progress import Progress, no_progress

PREDICTION_BATCH = 256
"""Samples that pass through the network at once when it predicts: bounds the memory."""


@dataclass(frozen=True)
class ChipNetwork:
    r"""Settings of the network; `hearspike.baselines.two_layer_network` has its equations.

    The loss is the cross entropy of the softmax of ``readout_gain`` times the readout's score, plus
    ``spike_penalty`` times the mean square of a hidden neuron's spikes per sample, plus ``weight_penalty``
    times the mean square of the input weights (Cramer et al. 2022).

    Parameters
    ----------
    input
        Channels and time steps that the network sees. A step is as long as the time between two reads of the
        chip's converter.
    hidden
        Number of hidden neurons.
    recurrent
        Whether they feed each other.
    tau_mem_us, tau_syn_us
        Membrane and synaptic time constants in microseconds of the chip's time.
    surrogate_slope
        Slope of the SuperSpike surrogate.
    readout
        What of the readout trace decides: its ``maximum``, its ``sum`` over time or its ``last`` value.
    readout_gain
        Factor on the score before the softmax of the loss.
    input_mean
        Mean of the initial input weights.
    input_scale, recurrent_scale, readout_scale
        Standard deviation of the initial weights times the square root of the number of sources.
    weight_limit
        Largest weight onto the hidden layer: what is beyond after a step is pulled back.
    spike_penalty, weight_penalty
        Strengths of the regularisers.
    dropout
        Share of hidden neurons that reach nothing in a batch. On a chip all samples of a batch meet the same
        synapses, so they share the choice, here as well.
    rotation
        How far images are turned in training, anew in every epoch; None for not at all.
    deployment
        How training meets the chip; see `hearspike.baselines.deployment`.
    training
        Settings of the gradient descent.
    """

    input: ChipInput
    hidden: int
    recurrent: bool
    tau_mem_us: float
    tau_syn_us: float
    surrogate_slope: float
    readout: Readout
    readout_gain: float
    input_mean: float
    input_scale: float
    recurrent_scale: float
    readout_scale: float
    weight_limit: float
    spike_penalty: float
    weight_penalty: float
    dropout: float
    rotation: ImageRotation | None
    deployment: WeightTransfer | NoiseAware | InTheLoop
    training: Training

    def __post_init__(self) -> None:
        if self.readout not in get_args(Readout):
            raise InputError("model.readout", self.readout, f"one of {', '.join(get_args(Readout))}")
        if self.hidden < 1:
            raise InputError("model.hidden", self.hidden, "at least 1")
        if not math.isclose(self.input.step_us, BSS2.cadc_period * 1e6):
            expected = f"{BSS2.cadc_period * 1e6:g}, the time between two reads"
            raise InputError("model.input.step_us", self.input.step_us, expected)
        for name in ("tau_mem_us", "tau_syn_us", "surrogate_slope", "readout_gain", "weight_limit"):
            if not getattr(self, name) > 0:
                raise InputError(f"model.{name}", getattr(self, name), "a positive number")
        if not 0 <= self.dropout < 1:
            raise InputError("model.dropout", self.dropout, "a share from 0 to below 1")

    @property
    def grid(self) -> Grid:
        """Steps and nominal constants."""
        return Grid(
            steps=self.input.steps,
            window=self.input.duration,
            tau_mem=self.tau_mem_us * self.input.time_scale / 1e6,
            tau_syn=self.tau_syn_us * self.input.time_scale / 1e6,
            slope=self.surrogate_slope,
        )

    def shape(self, channels: int, classes: int) -> NetworkShape:
        """Return the sizes of the network for data with these channels and classes."""
        return NetworkShape(self.input.inputs(channels), (self.hidden,), classes, recurrent=self.recurrent)

    def fit(
        self,
        train: SpikeDataset,
        validation: SpikeDataset,
        *,
        seed: int,
        progress: Progress = no_progress,
        checkpoint: Path | None = None,
    ) -> "FittedChipNetwork":
        """Train the weights; keep those of the epoch that is best on the validation samples."""
        shape = self.shape(train.events.channels, len(train.classes))
        module = _Parameters(self, shape, np.random.default_rng(np.random.SeedSequence(seed)))
        nominal = nominal_neurons(self.grid, self.hidden, shape.outputs)
        course = self.deployment.course(self.grid, nominal)

        def scores(events: SpikeEvents) -> tuple[torch.Tensor, torch.Tensor]:
            restrict(module.weights, self.weight_limit)
            if not module.training:
                traces = course.validate(module.weights, self.input(events))
                return self.readout_gain * decide(traces, self.readout), torch.zeros(())
            rng = random_generator()
            events = self.rotation(events, rng) if self.rotation else events
            weights = module.weights
            if self.dropout > 0:
                keep = torch.from_numpy(rng.random(self.hidden) >= self.dropout)
                weights = thinned(weights, keep, 1 - self.dropout)
            activity = course.train(weights, self.input(events))
            penalty = self.spike_penalty * (activity.spikes.sum(dim=0) ** 2).mean()
            penalty = penalty + self.weight_penalty * (weights.input**2).mean()
            return self.readout_gain * decide(activity.traces, self.readout), penalty

        history = train_by_gradient(
            module,
            scores,
            train,
            validation,
            self.training,
            seed=seed,
            identity=repr(self),
            progress=progress,
            checkpoint=checkpoint,
        )
        return FittedChipNetwork(self, module.weights, history)

    def restore(
        self, parameters: Mapping[str, NDArray[Any]], *, channels: int, classes: int
    ) -> "FittedChipNetwork":
        """Return the network with these weights."""
        module = _Parameters(self, self.shape(channels, classes), np.random.default_rng(0))
        tensors = {
            name.removesuffix("_weights"): torch.from_numpy(array.copy())
            for name, array in parameters.items()
        }
        module.load_state_dict(tensors)
        return FittedChipNetwork(self, module.weights)


class _Parameters(torch.nn.Module):
    """The weights as torch wants them."""

    def __init__(self, settings: ChipNetwork, shape: NetworkShape, rng: np.random.Generator) -> None:
        super().__init__()
        hidden, inputs = settings.hidden, shape.inputs
        self.input = random_weights(
            rng, (hidden, inputs), scale=settings.input_scale, mean=settings.input_mean
        )
        self.recurrent = (
            random_weights(rng, (hidden, hidden), scale=settings.recurrent_scale) if shape.recurrent else None
        )
        self.readout = random_weights(rng, (shape.outputs, hidden), scale=settings.readout_scale)

    @property
    def weights(self) -> Weights:
        """The weights as the functions want them."""
        return Weights(self.input, self.recurrent, self.readout)


@dataclass(frozen=True)
class FittedChipNetwork:
    """A trained network, in software and as a NIR graph."""

    settings: ChipNetwork
    weights: Weights
    history: tuple[EpochScore, ...] = ()

    @property
    def parameters(self) -> dict[str, NDArray[Any]]:
        """The weight matrices."""
        named = self.weights._asdict().items()
        return {f"{name}_weights": value.detach().numpy() for name, value in named if value is not None}

    @property
    def window(self) -> float:
        """Length of the input in seconds."""
        return self.settings.input.duration

    @property
    def step(self) -> float:
        """Length of a time step in seconds."""
        return self.settings.input.step

    @property
    def refractory_period(self) -> None:
        """The chip's usual one, as published."""
        return

    @property
    def readout(self) -> Readout:
        """What of the readout trace decides."""
        return self.settings.readout

    def encode(self, events: SpikeEvents) -> SpikeEvents:
        """Keep the channels that are inputs of the network."""
        return self.settings.input(events)

    def network(self) -> nir.NIRGraph:
        """Return the network in continuous time."""
        return graph(self.weights, self.settings.grid)

    @torch.no_grad()
    def predict(self, events: SpikeEvents) -> Predictions:
        """Run the network in software."""
        classes, hidden = self.weights.readout.shape
        nominal = nominal_neurons(self.settings.grid, hidden, classes)
        labels, fired, received = [], [], []
        with one_thread():
            for part in self.encode(events).batches(PREDICTION_BATCH):
                activity = run(self.weights, part, nominal)
                labels.append(decide(activity.traces, self.settings.readout).argmax(dim=1).numpy())
                fired.append(activity.spikes.sum(dim=(0, 2)).numpy().astype(np.int64))
                seen = part.sample_of_event[part.times < self.window]
                received.append(np.bincount(seen, minlength=len(part)))
        inputs, spikes = np.concatenate(received), np.concatenate(fired)
        operations = neuron_operations(hidden + classes, steps=self.settings.input.steps, states=2)
        for weights, sent in zip(self.weights, (inputs, spikes, spikes), strict=True):
            if weights is not None:
                steps = self.settings.input.steps
                operations += spike_operations(weights.numpy(), sent.mean(), steps=steps)
        return Predictions(
            np.concatenate(labels)[np.newaxis],
            layer_spikes={"input": inputs[np.newaxis], "hidden": spikes[np.newaxis]},
            operations=operations,
        )
