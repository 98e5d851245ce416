"""The weights and constants of a spiking network of several layers, and what it does with a batch."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from hearspike.baselines.axonal_delays import delay
from hearspike.baselines.event_batch import EventBatch
from hearspike.baselines.neurons import LeakyReadout, Neurons
from hearspike.baselines.spiking_layer import spiking_layer, spiking_layer_with_readout

if TYPE_CHECKING:
    from hearspike.baselines.spiking_network import SpikingClassifier

MOMENTUM = 0.1
"""Weight of a batch in running averages when ten came before it; torch's."""


@dataclass(frozen=True)
class Activity:
    """What the network does with some samples.

    Parameters
    ----------
    traces
        Membranes of the readout [sample, step, class].
    counts
        Spikes of the neurons of each hidden layer [sample, neuron].
    """

    traces: torch.Tensor
    counts: list[torch.Tensor]


class SpikingModule(torch.nn.Module):
    """Hidden layers, one after the other, and a leaky readout."""

    def __init__(self, settings: "SpikingClassifier", inputs: int, classes: int) -> None:
        super().__init__()
        sizes = [inputs, *settings.hidden]
        self.hidden = torch.nn.ModuleList([SpikingLayer(settings, *pair) for pair in pairwise(sizes)])
        self.readout = Readout(settings, sizes[-1], classes)

    def forward(self, source: EventBatch) -> Activity:
        """Run the network over all time steps."""
        signal: EventBatch | torch.Tensor = source
        counts: list[torch.Tensor] = []
        *layers, last = self.hidden
        for layer in layers:
            assert isinstance(layer, SpikingLayer)
            spikes = layer(signal)
            counts.append(spikes.sum(dim=1))
            kept = layer.kept(len(spikes))
            signal = spikes if kept is None else spikes * kept.unsqueeze(1)
        assert isinstance(last, SpikingLayer)
        traces, count = last.read(signal, self.readout())
        return Activity(traces, [*counts, count])


class SpikingLayer(torch.nn.Module):
    """Synapses, with delays and normalisation where asked for, onto neurons that may feed each other."""

    def __init__(self, settings: "SpikingClassifier", sources: int, neurons: int) -> None:
        super().__init__()
        self.settings, self.neurons = settings, neurons
        axons = settings.axons if settings.largest_delay > 0 else 1
        self.weight = _normal(axons * sources, neurons, settings.input_scale)
        self.recurrent_weight = (
            _normal(neurons, neurons, settings.recurrent_scale) if settings.recurrent else None
        )
        self.delays = None
        if settings.largest_delay > 0:
            spread = torch.rand(axons, sources) * settings.largest_delay_in_steps
            self.delays = torch.nn.Parameter(spread)
        self.normalisation = Normalisation(neurons) if settings.normalise else None
        self.time_constants = TimeConstants(settings, neurons)
        self.adaptation_strength = (
            torch.nn.Parameter(torch.full((neurons,), settings.adaptation_strength))
            if settings.adaptation_strength > 0
            else None
        )

    def forward(self, source: EventBatch | torch.Tensor) -> torch.Tensor:
        """Map counts or spikes [sample, step, source] to spikes [sample, step, neuron]."""
        source, weight = self._input(source)
        return spiking_layer(
            source,
            weight,
            self._neurons(),
            recurrent_weight=self.recurrent_weight,
            implementation=self.settings.implementation,
        )

    def read(
        self, source: EventBatch | torch.Tensor, readout: LeakyReadout
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Map the same to traces of a readout [sample, step, class] and counts of spikes [sample, neuron]."""
        samples = len(source)
        source, weight = self._input(source)
        return spiking_layer_with_readout(
            source,
            weight,
            self._neurons(),
            recurrent_weight=self.recurrent_weight,
            readout=readout,
            kept=self.kept(samples),
            implementation=self.settings.implementation,
        )

    def _input(
        self, source: EventBatch | torch.Tensor
    ) -> tuple[EventBatch | torch.Tensor, torch.Tensor | None]:
        """Return what arrives after delays and normalisation, and its weights."""
        settings = self.settings
        if self.delays is not None:
            dense = source.dense() if isinstance(source, EventBatch) else source
            source = delay(dense, self.delays.clamp(0, settings.largest_delay_in_steps))
        if self.normalisation is None:
            return source, self.weight
        drive = (source.dense() if isinstance(source, EventBatch) else source) @ self.weight
        # Over samples and steps; the threshold of 1 is reached by strong drive only.
        return settings.input_scale * self.normalisation(drive.transpose(1, 2)).transpose(1, 2), None

    def _neurons(self) -> Neurons:
        settings = self.settings
        decay_syn, decay_mem = self.time_constants()
        adaptive = self.adaptation_strength is not None
        return Neurons(
            decay_syn=decay_syn,
            decay_mem=decay_mem,
            threshold=1.0,
            reset=settings.reset,
            surrogate_slope=settings.surrogate_slope,
            adaptation_decay=math.exp(-settings.step / settings.tau_adaptation) if adaptive else None,
            adaptation_strength=self.adaptation_strength,
        )

    def kept(self, samples: int) -> torch.Tensor | None:
        """Return factors on the spikes [sample, neuron]: who is left out is left out for the whole sample."""
        dropout = self.settings.dropout
        if not self.training or dropout == 0:
            return None
        return torch.nn.functional.dropout(torch.ones(samples, self.neurons), dropout)


class Normalisation(torch.nn.BatchNorm1d):
    """Batch normalisation whose running averages know nothing but the data.

    Those of torch begin at mean 0 and variance 1 and forget that by a tenth per batch. The drive of sparse
    spikes has variances of a thousandth: trained on few batches, neurons would fall silent in evaluation.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Normalise; the first batches enter the running averages with equal weights, later ones fade."""
        if self.training:
            assert self.num_batches_tracked is not None
            self.momentum = max(MOMENTUM, 1 / (1 + int(self.num_batches_tracked)))
        return super().forward(input)


class Readout(torch.nn.Module):
    """Leaky neurons that never spike."""

    def __init__(self, settings: "SpikingClassifier", sources: int, classes: int) -> None:
        super().__init__()
        self.settings = settings
        self.weight = _normal(sources, classes, settings.readout_scale)
        self.time_constants = TimeConstants(settings, classes)

    def forward(self) -> LeakyReadout:
        """Return the neurons as they are now."""
        decay_syn, decay_mem = self.time_constants()
        return LeakyReadout(weight=self.weight, decay_syn=decay_syn, decay_mem=decay_mem)


class TimeConstants(torch.nn.Module):
    """Membrane and synaptic time constants of a layer, one for all or each neuron's own, learnt as logs."""

    def __init__(self, settings: "SpikingClassifier", neurons: int) -> None:
        super().__init__()
        self.step = settings.step
        for name, tau in (("log_tau_syn", settings.tau_syn), ("log_tau_mem", settings.tau_mem)):
            values = torch.full((neurons,), math.log(tau))
            if settings.train_time_constants:
                values = values + settings.time_constant_spread * torch.randn(neurons)
                setattr(self, name, torch.nn.Parameter(values))
            else:
                self.register_buffer(name, values, persistent=False)

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the decays of current and membrane in one step, each [neuron]."""
        tau_syn, tau_mem = self.seconds()
        return torch.exp(-self.step / tau_syn), torch.exp(-self.step / tau_mem)

    def seconds(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the synaptic and membrane time constants, each [neuron]."""
        return torch.exp(self.get("log_tau_syn")), torch.exp(self.get("log_tau_mem"))

    def get(self, name: str) -> torch.Tensor:
        """Return a tensor of the module."""
        values = getattr(self, name)
        assert isinstance(values, torch.Tensor)
        return values


def _normal(sources: int, targets: int, scale: float) -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.randn(sources, targets) * (scale / math.sqrt(sources)))
