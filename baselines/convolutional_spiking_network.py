"""A convolutional spiking network: weights shared along the channels, as a vocal tract shifts what is said.

What the CNN of `hearspike.baselines.cnn` is among networks of real numbers, with spikes between all layers.
"""

from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch

from hearspike.baselines.convolutional_spiking_module import ConvolutionalSpikingModule, MapLayer
from hearspike.baselines.decision import decide
from hearspike.baselines.gradient_classifier import FittedModule, GradientClassifier
from hearspike.baselines.interface import Operations, Predictions
from hearspike.baselines.operations import neuron_operations, spike_operations
from hearspike.baselines.spiking_layer import Implementation
from hearspike.baselines.training import EpochScore, one_thread
from hearspike.datasets import SpikeEvents
from hearspike.errors import InputError

PREDICTION_BATCH = 64
"""Samples that pass through the network at once when it predicts: bounds the memory."""


@dataclass(frozen=True, kw_only=True)
class ConvolutionalSpikingNetwork(
    GradientClassifier[ConvolutionalSpikingModule, "FittedConvolutionalSpikingNetwork"]
):
    r"""Settings of the network; `hearspike.baselines.neurons` has the equations of its neurons.

    Map :math:`j` of a layer has a neuron for each channel :math:`x`, driven by

    .. math::
        I_j[t, x] = \mathrm{BN}_j \Bigl( \sum_i \sum_{d=0}^{D-1} \sum_k W_{jidk} \, S_i[t - d, x + k] \Bigr) :

    delays of 0 to :math:`D - 1` steps, and the same weights in all channels. The first layer sees
    :math:`\ln(1 + c)` of counts. BN is batch normalisation (Ioffe and Szegedy, arXiv:1502.03167), which in a
    trained network is a factor on the weights and a constant current. Neurons are leaky integrators without
    synaptic current, reset by subtraction; every map learns its time constant (Perez-Nieves et al., Nat.
    Commun. 12:5791, 2021). Spikes of two neighbouring channels and two steps are joined by a logical or, so
    that a step of the next layer is twice as long. The last layer of neurons sees all maps and
    channels, and the mean of its leaky readout decides.

    Parameters
    ----------
    frames
        Window, time steps and pooled input channels.
    maps
        Number of maps of each convolutional layer.
    kernel_steps, kernel_channels
        Extent of its kernels: :math:`D`, and the number of channels.
    features
        Number of neurons of the layer that sees all channels.
    time_scale
        Seconds of the data's time in one second of the chip's.
    tau_mem_us
        Membrane time constant at the start, in microseconds of the chip's time as in other models.
    time_constant_spread
        Standard deviation of its logarithm over maps at the start.
    surrogate_slope
        Slope of the SuperSpike surrogate.
    dropout
        Probability of a feature to be left out of a sample in training; of a whole map half as much.
    readout_gain
        Factor on the score before the softmax of the loss.
    implementation
        ``fused`` or ``torch``; see `hearspike.baselines.spiking_layer`.
    training
        Settings of the gradient descent.
    """

    maps: tuple[int, ...]
    kernel_steps: int
    kernel_channels: int
    features: int
    time_scale: float
    tau_mem_us: float
    time_constant_spread: float
    surrogate_slope: float
    dropout: float
    readout_gain: float
    implementation: Implementation

    def __post_init__(self) -> None:
        if not self.maps or min(self.maps) < 1:
            raise InputError("model.maps", list(self.maps), "one or more numbers of at least 1")
        for name in ("kernel_steps", "kernel_channels", "features"):
            if getattr(self, name) < 1:
                raise InputError(f"model.{name}", getattr(self, name), "at least 1")
        for name in ("time_scale", "tau_mem_us", "readout_gain"):
            if not 0 < getattr(self, name) < np.inf:
                raise InputError(f"model.{name}", getattr(self, name), "a positive number")
        for name in ("time_constant_spread", "surrogate_slope"):
            if not 0 <= getattr(self, name) < np.inf:
                raise InputError(f"model.{name}", getattr(self, name), "a number of at least 0")
        if not 0 <= self.dropout < 1:
            raise InputError("model.dropout", self.dropout, "at least 0 and below 1")
        if self.implementation not in get_args(Implementation):
            choices = ", ".join(get_args(Implementation))
            raise InputError("model.implementation", self.implementation, f"one of {choices}")

    @property
    def tau_mem(self) -> float:
        """Membrane time constant at the start in seconds of the data's time."""
        return self.tau_mem_us * 1e-6 * self.time_scale

    def module(self, inputs: int, classes: int) -> ConvolutionalSpikingModule:
        """Return the untrained network."""
        return ConvolutionalSpikingModule(self, inputs, classes)

    def scores(
        self, module: ConvolutionalSpikingModule, events: SpikeEvents
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the sum of the readout over time, times its gain, and no penalty."""
        traces = module(self.frames(events)).traces
        return self.readout_gain * decide(traces, "sum"), torch.zeros(())

    def fitted(
        self,
        module: ConvolutionalSpikingModule,
        inputs: int,
        classes: int,
        history: tuple[EpochScore, ...],
    ) -> "FittedConvolutionalSpikingNetwork":
        """Return the network with this module."""
        return FittedConvolutionalSpikingNetwork(self, module, inputs, classes, history)


class FittedConvolutionalSpikingNetwork(
    FittedModule[ConvolutionalSpikingNetwork, ConvolutionalSpikingModule]
):
    """A trained network in software."""

    @torch.no_grad()
    def predict(self, events: SpikeEvents) -> Predictions:
        """Run the network in software."""
        self.module.eval()
        layers = len(self.module.layers)
        labels, totals = [np.empty(0, np.int64)], [np.empty((1 + layers, 0), np.int64)]
        active: list[torch.Tensor] = []
        with one_thread():
            for part in events.batches(PREDICTION_BATCH):
                counts = self.settings.frames(part)
                activity = self.module(counts)
                labels.append(decide(activity.traces, "sum").argmax(dim=1).numpy())
                fired = [counts.sum(dim=(1, 2)), *(spikes.sum(dim=(1, 2, 3)) for spikes in activity.spikes)]
                totals.append(torch.stack(fired).numpy().astype(np.int64))
                new = [(signal != 0).sum(dim=0, dtype=torch.float64) for signal in activity.arriving]
                active = [one + other for one, other in zip(active, new, strict=True)] if active else new
            operations = self._operations([total / len(events) for total in active]) if active else None
        names = ["input", *(f"hidden{number}" for number in range(1, 1 + layers))]
        rows = np.concatenate(totals, axis=1)
        return Predictions(
            np.concatenate(labels)[np.newaxis],
            layer_spikes={name: row[np.newaxis] for name, row in zip(names, rows, strict=True)},
            operations=operations,
        )

    def _operations(self, active: list[torch.Tensor]) -> Operations:
        """Count what arrives [map, step, channel], in the mean over samples, causes in each layer."""
        counted = Operations(0.0, 0.0)
        for number, (layer, arriving) in enumerate(zip(self.module.layers, active, strict=False)):
            assert isinstance(layer, MapLayer)
            connected = (layer.weight != 0).double()
            effective = float(layer.currents(arriving.unsqueeze(0), connected).sum())
            full = layer.currents(torch.ones_like(arriving).unsqueeze(0), torch.ones_like(connected))
            dense = float(full.sum())
            # Logarithms of counts are multiplied, spikes only added.
            macs, acs = (effective, 0.0) if number == 0 else (0.0, effective)
            counted += Operations(macs, acs, dense=dense)
            counted += neuron_operations(full[0, :, 0].numel(), steps=full.shape[2], states=1)
        spikes, steps = active[-1].sum(dim=(1, 2)).numpy(), active[-1].shape[1]
        counted += spike_operations(self.parameters["readout_weight"].T, spikes, steps=steps)
        return counted + neuron_operations(self.classes, steps=steps, states=1)
