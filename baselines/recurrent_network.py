"""A recurrent spiking network of current-based neurons, trained with surrogate gradients.

The set-up follows Cramer et al., PNAS 119:e2109194119 (2022): SHD's 700 channels thinned to 70 inputs,
one recurrent hidden layer, a leaky readout whose trace is summed over time. At 70 inputs, 186 hidden and
20 readout neurons it fills the 256 signed rows of a BrainScaleS-2 chip exactly.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import nir
import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.baselines.chip_input import ChipInput
from hearspike.baselines.decision import decide
from hearspike.baselines.event_batch import EventBatch, events_in_steps
from hearspike.baselines.interface import NetworkShape, Predictions, Readout
from hearspike.baselines.neurons import LeakyReadout, Neurons
from hearspike.baselines.operations import neuron_operations, spike_operations
from hearspike.baselines.spiking_layer import Implementation, spiking_layer_with_readout
from hearspike.baselines.training import EpochScore, Training, one_thread, train_by_gradient
from hearspike.datasets import SpikeDataset, SpikeEvents
from hearspike.errors import InputError
from hearspike.progress import Progress, no_progress

READOUT_QUANTILE = 0.99
"""Share of the training samples whose readout traces stay within 1."""

PREDICTION_BATCH = 256
"""Samples that pass through the network at once when it predicts: bounds the memory."""


@dataclass(frozen=True)
class RecurrentSpikingNetwork:
    r"""Settings of the network.

    A spike of weight 1 evokes a potential
    :math:`K (e^{-t/\tau_{mem}} - e^{-t/\tau_{syn}})` whose peak is 1. In steps of length
    :math:`\Delta`, with spikes at the beginnings of steps and :math:`V` at their ends, the current and the
    membrane of neuron :math:`j` are exactly

    .. math::
        I_j[t] &= \alpha I_j[t-1] + \sum_i W_{ji} S_i[t] + \sum_k R_{jk} S_k[t-1] \\
        V_j[t] &= \beta V_j[t-1] + \gamma I_j[t]

    with :math:`\alpha = e^{-\Delta/\tau_{syn}}`, :math:`\beta = e^{-\Delta/\tau_{mem}}` and
    :math:`\gamma = K (\beta - \alpha)`. A neuron spikes when :math:`V_j` exceeds 1 and stays at 0 for the
    next step, its refractory period. Readout neurons have the same dynamics without threshold.

    Parameters
    ----------
    input
        Channels and time steps that the network sees.
    hidden
        Number of recurrent neurons.
    tau_mem_us, tau_syn_us
        Membrane and synaptic time constants in microseconds of the chip's time.
    surrogate_slope
        Slope :math:`\beta` of the SuperSpike surrogate :math:`(\beta |V - 1| + 1)^{-2}` (Zenke and Ganguli,
        Neural Computation 30:1514, 2018).
    readout
        What of the readout trace decides: its ``maximum``, its ``sum`` over time or its ``last`` value.
    readout_gain
        Factor on the trace before the softmax of the loss.
    input_scale, recurrent_scale
        Standard deviation of the initial weights times the square root of the number of sources.
    spike_limit, spike_penalty
        Hidden neurons may fire this often per sample on average over the batch; the squared excess, times the
        penalty, is added to the loss.
    implementation
        ``fused``, compiled layers, or ``torch``, step by step: see `hearspike.baselines.spiking_layer`.
    training
        Settings of the gradient descent.
    """

    input: ChipInput
    hidden: int
    tau_mem_us: float
    tau_syn_us: float
    surrogate_slope: float
    readout: Readout
    readout_gain: float
    input_scale: float
    recurrent_scale: float
    spike_limit: float
    spike_penalty: float
    implementation: Implementation
    training: Training

    def __post_init__(self) -> None:
        for name, names in (("implementation", Implementation), ("readout", Readout)):
            if getattr(self, name) not in get_args(names):
                raise InputError(f"model.{name}", getattr(self, name), f"one of {', '.join(get_args(names))}")
        if self.hidden < 1:
            raise InputError("model.hidden", self.hidden, "at least 1")
        for name in ("tau_mem_us", "tau_syn_us", "surrogate_slope", "readout_gain"):
            value = getattr(self, name)
            if not value > 0:
                raise InputError(f"model.{name}", value, "a positive number")
        if self.tau_mem_us == self.tau_syn_us:
            expected = f"a value other than tau_mem_us, {self.tau_mem_us}"
            raise InputError("model.tau_syn_us", self.tau_syn_us, expected)

    @property
    def tau_mem(self) -> float:
        """Membrane time constant in seconds of the data's time."""
        return self.tau_mem_us * self.input.time_scale / 1e6

    @property
    def tau_syn(self) -> float:
        """Synaptic time constant in seconds of the data's time."""
        return self.tau_syn_us * self.input.time_scale / 1e6

    def shape(self, channels: int, classes: int) -> NetworkShape:
        """Return the sizes of the network for data with these channels and classes."""
        return NetworkShape(self.input.inputs(channels), (self.hidden,), classes, recurrent=True)

    def fit(
        self,
        train: SpikeDataset,
        validation: SpikeDataset,
        *,
        seed: int,
        progress: Progress = no_progress,
        checkpoint: Path | None = None,
    ) -> "FittedRecurrentNetwork":
        """Train the weights; keep those of the epoch that is best on validation speakers."""
        rng = np.random.default_rng(np.random.SeedSequence(seed))
        shape = self.shape(train.events.channels, len(train.classes))
        module = _Network(self, shape, rng)
        fitted = FittedRecurrentNetwork(self, module)

        def scores(events: SpikeEvents) -> tuple[torch.Tensor, torch.Tensor]:
            traces, counts = module(fitted.in_steps(events))
            excess = torch.relu(counts.mean(dim=0) - self.spike_limit)
            penalty = self.spike_penalty * (excess**2).mean()
            return self.readout_gain * decide(traces, self.readout), penalty

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
        with one_thread():
            _bring_readout_into_range(fitted, train.events)
        return replace(fitted, history=history)

    def restore(
        self, parameters: Mapping[str, NDArray[Any]], *, channels: int, classes: int
    ) -> "FittedRecurrentNetwork":
        """Return the network with these weights."""
        module = _Network(self, self.shape(channels, classes), np.random.default_rng(0))
        module.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in parameters.items()})
        return FittedRecurrentNetwork(self, module)


class _Network(torch.nn.Module):
    """The weights and their dynamics in discrete time."""

    def __init__(
        self, settings: RecurrentSpikingNetwork, shape: NetworkShape, rng: np.random.Generator
    ) -> None:
        super().__init__()
        (hidden,) = shape.hidden
        step = settings.input.step
        self.neurons = Neurons(
            decay_syn=math.exp(-step / settings.tau_syn),
            decay_mem=math.exp(-step / settings.tau_mem),
            threshold=1.0,
            reset="zero",
            surrogate_slope=settings.surrogate_slope,
        )
        decays = math.exp(-step / settings.tau_mem) - math.exp(-step / settings.tau_syn)
        self.gain = psp_amplitude(settings.tau_mem, settings.tau_syn) * decays
        self.implementation = settings.implementation
        self.input_weights = _normal(rng, (hidden, shape.inputs), settings.input_scale)
        self.recurrent_weights = _normal(rng, (hidden, hidden), settings.recurrent_scale)
        self.readout_weights = _normal(rng, (shape.outputs, hidden), settings.input_scale)

    def forward(self, events: EventBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Map events to traces [sample, step, class] and hidden spikes [sample, neuron]."""
        return spiking_layer_with_readout(
            events,
            self.gain * self.input_weights.T,
            self.neurons,
            recurrent_weight=self.gain * self.recurrent_weights.T,
            readout=LeakyReadout(
                weight=self.gain * self.readout_weights.T,
                decay_syn=self.neurons.decay_syn,
                decay_mem=self.neurons.decay_mem,
            ),
            implementation=self.implementation,
        )


def _normal(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> torch.nn.Parameter:
    values = rng.normal(0.0, scale / math.sqrt(shape[1]), size=shape)
    return torch.nn.Parameter(torch.from_numpy(values.astype(np.float32)))


@torch.no_grad()
def _bring_readout_into_range(fitted: "FittedRecurrentNetwork", events: SpikeEvents) -> None:
    """Scale all readout weights alike, so that hardly any sample drives a trace beyond 1.

    No decision changes. On a chip the traces would otherwise leave the range of the converter that reads
    them, which begins about 1 below the resting potential in units of the threshold.
    """
    peaks = [
        fitted.module(fitted.in_steps(part))[0].abs().amax(dim=(1, 2))
        for part in events.batches(PREDICTION_BATCH)
        if len(part)
    ]
    peak = torch.cat(peaks).quantile(READOUT_QUANTILE)
    if peak > 0:
        fitted.module.readout_weights.div_(peak)


def psp_amplitude(tau_mem: float, tau_syn: float) -> float:
    r"""Return the :math:`K` for which :math:`K (e^{-t/\tau_{mem}} - e^{-t/\tau_{syn}})` has its peak at 1.

    The peak is at
    :math:`t = \ln(\tau_{mem}/\tau_{syn}) \, \tau_{mem} \tau_{syn} / (\tau_{mem} - \tau_{syn})`.
    """
    peak = math.log(tau_mem / tau_syn) * tau_mem * tau_syn / (tau_mem - tau_syn)
    return 1 / (math.exp(-peak / tau_mem) - math.exp(-peak / tau_syn))


@dataclass(frozen=True)
class FittedRecurrentNetwork:
    """A trained network, in software and as a NIR graph."""

    settings: RecurrentSpikingNetwork
    module: _Network
    history: tuple[EpochScore, ...] = ()

    @property
    def parameters(self) -> dict[str, NDArray[Any]]:
        """The three weight matrices."""
        return {name: weights.detach().numpy() for name, weights in self.module.named_parameters()}

    @property
    def window(self) -> float:
        """Length of the input in seconds."""
        return self.settings.input.duration

    @property
    def step(self) -> float:
        """Length of a time step in seconds."""
        return self.settings.input.step

    @property
    def refractory_period(self) -> float:
        """A step: in the one after a spike the membrane stays at its reset."""
        return self.step

    @property
    def readout(self) -> Readout:
        """What of the readout trace decides."""
        return self.settings.readout

    def encode(self, events: SpikeEvents) -> SpikeEvents:
        """Keep the channels that are inputs of the network."""
        return self.settings.input(events)

    def in_steps(self, events: SpikeEvents) -> EventBatch:
        """Return the network's input."""
        return events_in_steps(self.encode(events), steps=self.settings.input.steps, window=self.window)

    def predict(self, events: SpikeEvents) -> Predictions:
        """Run the network in software."""
        with one_thread():
            parts = [self._run(part) for part in events.batches(PREDICTION_BATCH)]
        labels, inputs, hidden = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        sources = {"input_weights": inputs, "recurrent_weights": hidden, "readout_weights": hidden}
        weights, steps = self.parameters, self.settings.input.steps
        neurons = len(weights["input_weights"]) + len(weights["readout_weights"])
        operations = neuron_operations(neurons, steps=steps, states=2)
        for name, spikes in sources.items():
            operations += spike_operations(weights[name], spikes.mean(), steps=steps)
        return Predictions(
            labels[np.newaxis],
            layer_spikes={"input": inputs[np.newaxis], "hidden": hidden[np.newaxis]},
            operations=operations,
        )

    @torch.no_grad()
    def _run(self, events: SpikeEvents) -> tuple[NDArray[np.int64], ...]:
        inputs = self.in_steps(events)
        traces, counts = self.module(inputs)
        labels = decide(traces, self.settings.readout).argmax(dim=1)
        return labels.numpy(), inputs.totals.astype(np.int64), counts.sum(dim=1).numpy().astype(np.int64)

    def network(self) -> nir.NIRGraph:
        r"""Return the network in continuous time.

        NIR's neuron is :math:`\tau_{syn} \dot I = -I + w_{in} S`, :math:`\tau_{mem} \dot V = -V + r I`. With
        :math:`w_{in} = \tau_{syn}` a spike of weight :math:`W` lifts :math:`I` by :math:`W`, as here, and
        evokes :math:`r W \tau_{syn} / (\tau_{mem} - \tau_{syn}) \, (e^{-t/\tau_{mem}} - e^{-t/\tau_{syn}})`.
        """
        settings, weights = self.settings, self.parameters
        amplitude = psp_amplitude(settings.tau_mem, settings.tau_syn)
        resistance = amplitude * (settings.tau_mem - settings.tau_syn) / settings.tau_syn

        def neurons(count: int) -> dict[str, NDArray[np.float64]]:
            return {
                "tau_syn": np.full(count, settings.tau_syn),
                "tau_mem": np.full(count, settings.tau_mem),
                "r": np.full(count, resistance),
                "v_leak": np.zeros(count),
                "w_in": np.full(count, settings.tau_syn),
            }

        hidden, inputs = weights["input_weights"].shape
        classes = len(weights["readout_weights"])
        threshold = {"v_threshold": np.ones(hidden), "v_reset": np.zeros(hidden)}
        return nir.NIRGraph(
            nodes={
                "input": nir.Input({"input": np.array([inputs])}),
                "input_weights": nir.Linear(weights["input_weights"]),
                "hidden": nir.CubaLIF(**neurons(hidden), **threshold),
                "recurrent_weights": nir.Linear(weights["recurrent_weights"]),
                "readout_weights": nir.Linear(weights["readout_weights"]),
                "readout": nir.CubaLI(**neurons(classes)),
                "output": nir.Output({"output": np.array([classes])}),
            },
            edges=[
                ("input", "input_weights"),
                ("input_weights", "hidden"),
                ("hidden", "recurrent_weights"),
                ("recurrent_weights", "hidden"),
                ("hidden", "readout_weights"),
                ("readout_weights", "readout"),
                ("readout", "output"),
            ],
        )
