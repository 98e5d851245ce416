"""Spiking networks of current-based neurons: one to many layers, recurrence, adaptation, learnt constants.

The family of Cramer et al. (IEEE TNNLS 33:2744, 2022), with what later lifted results on its data sets:
adaptive thresholds (Yin et al., Nat. Mach. Intell. 3:905, 2021), time constants that are learnt and differ
from neuron to neuron (Perez-Nieves et al., Nat. Commun. 12:5791, 2021), and learnt delays
(`hearspike.baselines.axonal_delays`).
"""

from dataclasses import dataclass, replace
from typing import get_args

import nir
import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.baselines.decision import decide
from hearspike.baselines.event_batch import EventBatch, events_in_steps
from hearspike.baselines.gradient_classifier import FittedModule, GradientClassifier
from hearspike.baselines.interface import NetworkShape, Operations, Predictions, Readout
from hearspike.baselines.neurons import Reset
from hearspike.baselines.operations import neuron_operations, spike_operations, value_operations
from hearspike.baselines.spiking_graph import spiking_graph
from hearspike.baselines.spiking_layer import Implementation
from hearspike.baselines.spiking_module import SpikingModule
from hearspike.baselines.training import EpochScore, one_thread
from hearspike.datasets import SpikeEvents
from hearspike.errors import InputError

PREDICTION_BATCH = 256
"""Samples that pass through the network at once when it predicts: bounds the memory."""

RATE_FACTORS = {"delays": 100.0}
"""Delays are counted in steps and have far to go (the factor of Hammouamri et al., ICLR 2024)."""

CHIP_SETTINGS = {
    "compress": False,
    "adaptation_strength": 0,
    "largest_delay_us": 0,
    "normalise": False,
    "reset": "zero",
}
"""What a network on a chip does without."""


@dataclass(frozen=True, kw_only=True)
class SpikingClassifier(GradientClassifier[SpikingModule, "FittedSpikingClassifier"]):
    r"""Settings of a network; `hearspike.baselines.neurons` has its equations.

    With spikes at the beginnings of steps of length :math:`\Delta` the recursion
    :math:`V[t] = \beta V[t-1] + I[t]` is exact for neurons whose potential a spike of weight 1 lifts by 1
    within the step. Time constants are given on the chip's scale, so that one setting fits speech and tasks
    that are made in the chip's time.

    The loss is the cross-entropy of ``readout_gain`` times the readout's score plus, for each hidden layer of
    neurons with :math:`z_j` spikes per sample, in the mean over the batch (Cramer et al. 2022),

    .. math::
        s_l \, \langle \max(0, \theta_l - z_j)^2 \rangle_j + s_u \max(0, \langle z_j \rangle_j - \theta_u)^2 .

    Parameters
    ----------
    frames
        Window, time steps and pooled input channels.
    compress
        Whether counts :math:`c` in a step enter as :math:`\ln(1 + c)`, as ears compress loudness, or as they
        are.
    hidden
        Number of neurons of each hidden layer.
    recurrent
        Whether the neurons of a hidden layer feed each other.
    time_scale
        Seconds of the data's time in one second of the chip's.
    tau_mem_us, tau_syn_us
        Membrane and synaptic time constants in microseconds of the chip's time.
    train_time_constants
        Whether every neuron learns its own.
    time_constant_spread
        Standard deviation of their logarithms at the start, where they are learnt.
    tau_adaptation_us, adaptation_strength
        Time constant of the adaptive threshold and its initial strength :math:`\kappa`, which is learnt for
        every neuron; a strength of 0 is a fixed threshold.
    largest_delay_us, axons
        Bound of the learnt delays, 0 for none, never beyond the window; number of axons from each source.
    reset
        What a spike does to the membrane, ``subtract`` or ``zero``.
    surrogate_slope
        Slope of the SuperSpike surrogate.
    normalise
        Whether the drive of each neuron is normalised over batch and time (Ioffe and Szegedy,
        arXiv:1502.03167).
    dropout
        Probability of a hidden neuron to be left out of a sample in training.
    readout
        What of the readout trace decides: its ``maximum``, its ``sum`` over time or its ``last`` value.
    readout_gain
        Factor on the score before the softmax of the loss.
    input_scale, recurrent_scale, readout_scale
        Standard deviation of the initial weights times the square root of the number of sources.
    lower_spikes, lower_penalty
        :math:`\theta_l` and :math:`s_l`.
    upper_spikes, upper_penalty
        :math:`\theta_u` and :math:`s_u`.
    implementation
        ``fused`` or ``torch``; see `hearspike.baselines.spiking_layer`.
    training
        Settings of the gradient descent.
    """

    compress: bool
    hidden: tuple[int, ...]
    recurrent: bool
    time_scale: float
    tau_mem_us: float
    tau_syn_us: float
    train_time_constants: bool
    time_constant_spread: float
    tau_adaptation_us: float
    adaptation_strength: float
    largest_delay_us: float
    axons: int
    reset: Reset
    surrogate_slope: float
    normalise: bool
    dropout: float
    readout: Readout
    readout_gain: float
    input_scale: float
    recurrent_scale: float
    readout_scale: float
    lower_spikes: float
    lower_penalty: float
    upper_spikes: float
    upper_penalty: float
    implementation: Implementation

    rate_factors = RATE_FACTORS

    def __post_init__(self) -> None:
        if not self.hidden or min(self.hidden) < 1:
            raise InputError("model.hidden", list(self.hidden), "one or more numbers of at least 1")
        if self.axons < 1:
            raise InputError("model.axons", self.axons, "at least 1")
        for name in ("time_scale", "tau_mem_us", "tau_syn_us", "tau_adaptation_us", "readout_gain"):
            if not 0 < getattr(self, name) < np.inf:
                raise InputError(f"model.{name}", getattr(self, name), "a positive number")
        for name in ("time_constant_spread", "adaptation_strength", "largest_delay_us", "surrogate_slope"):
            if not 0 <= getattr(self, name) < np.inf:
                raise InputError(f"model.{name}", getattr(self, name), "a number of at least 0")
        if not 0 <= self.dropout < 1:
            raise InputError("model.dropout", self.dropout, "at least 0 and below 1")
        for name, choice in (("readout", Readout), ("reset", Reset), ("implementation", Implementation)):
            if getattr(self, name) not in get_args(choice):
                raise InputError(
                    f"model.{name}", getattr(self, name), f"one of {', '.join(get_args(choice))}"
                )

    @property
    def step(self) -> float:
        """Length of a step in seconds of the data's time."""
        return self.frames.window / self.frames.bins

    @property
    def tau_mem(self) -> float:
        """Membrane time constant in seconds of the data's time, of every neuron or at the start."""
        return self.tau_mem_us * 1e-6 * self.time_scale

    @property
    def tau_syn(self) -> float:
        """Synaptic time constant in seconds of the data's time, of every neuron or at the start."""
        return self.tau_syn_us * 1e-6 * self.time_scale

    @property
    def tau_adaptation(self) -> float:
        """Time constant of the adaptive threshold in seconds of the data's time."""
        return self.tau_adaptation_us * 1e-6 * self.time_scale

    @property
    def largest_delay(self) -> float:
        """Bound of the delays in seconds of the data's time; a later spike would be outside the window."""
        return min(self.largest_delay_us * 1e-6 * self.time_scale, self.frames.window)

    @property
    def largest_delay_in_steps(self) -> float:
        """Bound of the delays in steps."""
        return self.largest_delay / self.step

    @property
    def fits_chips(self) -> bool:
        """Whether a chip has all that the network has."""
        return all(getattr(self, name) == none for name, none in CHIP_SETTINGS.items())

    def shape(self, channels: int, classes: int) -> NetworkShape:
        """Return the sizes of the network for data with these channels and classes.

        Raises
        ------
        InputError
            If the network has what no chip here has: compression, adaptation, delays, normalisation, reset by
            subtraction.
        """
        for name, none in CHIP_SETTINGS.items():
            if getattr(self, name) != none:
                raise InputError(f"model.{name}", getattr(self, name), f"{none} for a network on a chip")
        return NetworkShape(self.frames.inputs(channels), self.hidden, classes, recurrent=self.recurrent)

    def module(self, inputs: int, classes: int) -> SpikingModule:
        """Return the untrained network."""
        return SpikingModule(self, inputs, classes)

    def scores(self, module: SpikingModule, events: SpikeEvents) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what the readout decides by, times its gain, and the regularisers."""
        activity = module(self.drive(self.steps(events)))
        penalty = torch.stack([self.penalty(counts) for counts in activity.counts]).sum()
        return self.readout_gain * decide(activity.traces, self.readout), penalty

    def fitted(
        self, module: SpikingModule, inputs: int, classes: int, history: tuple[EpochScore, ...]
    ) -> "FittedSpikingClassifier":
        """Return the network with this module, one for chips if they have all that it has."""
        form = FittedChipClassifier if self.fits_chips else FittedSpikingClassifier
        return form(self, module, inputs, classes, history)

    def steps(self, events: SpikeEvents) -> EventBatch:
        """Return the counts of every step and input."""
        return events_in_steps(self.frames.pool(events), steps=self.frames.bins, window=self.frames.window)

    def drive(self, counts: EventBatch) -> EventBatch:
        """Return what enters the network."""
        return replace(counts, values=np.log1p(counts.values)) if self.compress else counts

    def penalty(self, counts: torch.Tensor) -> torch.Tensor:
        """Return the regularisers for the spikes [sample, neuron] of one layer."""
        means = counts.mean(dim=0)
        lower = torch.relu(self.lower_spikes - means).square().mean()
        upper = torch.relu(means.mean() - self.upper_spikes).square()
        return self.lower_penalty * lower + self.upper_penalty * upper


class FittedSpikingClassifier(FittedModule[SpikingClassifier, SpikingModule]):
    """A trained network in software."""

    @torch.no_grad()
    def predict(self, events: SpikeEvents) -> Predictions:
        """Run the network in software."""
        self.module.eval()
        layers = len(self.settings.hidden)
        labels, totals = [np.empty(0, np.int64)], [np.empty((1 + layers, 0), np.int64)]
        by_source = [np.zeros(size) for size in (self.inputs, *self.settings.hidden)]
        with one_thread():
            for part in events.batches(PREDICTION_BATCH):
                source = self.settings.steps(part)
                activity = self.module(self.settings.drive(source))
                labels.append(decide(activity.traces, self.settings.readout).argmax(dim=1).numpy())
                sample = np.repeat(np.arange(len(source)), np.diff(source.offsets[:: source.steps]))
                received = np.bincount(sample, weights=source.values, minlength=len(source))
                fired = [counts.sum(dim=1).numpy() for counts in activity.counts]
                totals.append(np.stack([received, *fired]).astype(np.int64))
                arriving = None if self.settings.compress else source.values
                by_source[0] += np.bincount(source.units, weights=arriving, minlength=self.inputs)
                for total, counts in zip(by_source[1:], activity.counts, strict=True):
                    total += counts.sum(dim=0).numpy()
        names = ["input", *(f"hidden{number}" for number in range(1, 1 + layers))]
        rows = np.concatenate(totals, axis=1)
        means = [counts / len(events) for counts in by_source] if len(events) else None
        return Predictions(
            np.concatenate(labels)[np.newaxis],
            layer_spikes={name: row[np.newaxis] for name, row in zip(names, rows, strict=True)},
            operations=None if means is None else self._operations(means),
        )

    def _operations(self, spikes: list[NDArray[np.float64]]) -> Operations:
        """Count what spikes [source] of the input and of each layer cause in the layer above, and updates."""
        settings, steps, learnt = self.settings, self.settings.frames.bins, self.parameters
        states = 3 if settings.adaptation_strength > 0 else 2
        counted = neuron_operations(self.classes, steps=steps, states=2)
        counted += spike_operations(learnt["readout.weight"].T, spikes[-1], steps=steps)
        for layer, neurons in enumerate(settings.hidden):
            counted += neuron_operations(neurons, steps=steps, states=states)
            weight = learnt[f"hidden.{layer}.weight"].T
            if settings.largest_delay > 0:
                # Over an axon a spike arrives in two steps, weighted.
                arrivals = np.tile(2.0 * spikes[layer], settings.axons)
                counted += value_operations(weight, arrivals, steps=steps)
            elif settings.compress and layer == 0:
                counted += value_operations(weight, spikes[layer], steps=steps)
            else:
                counted += spike_operations(weight, spikes[layer], steps=steps)
            if settings.recurrent:
                recurrent = learnt[f"hidden.{layer}.recurrent_weight"].T
                counted += spike_operations(recurrent, spikes[layer + 1], steps=steps)
        return counted


class FittedChipClassifier(FittedSpikingClassifier):
    """A trained network of neurons that chips have: a `hearspike.baselines.interface.SpikingNetwork`."""

    @property
    def window(self) -> float:
        """Length of the input in seconds."""
        return self.settings.frames.window

    @property
    def step(self) -> float:
        """Length of a time step in seconds."""
        return self.settings.step

    @property
    def refractory_period(self) -> float:
        """A step: in the one after a spike the membrane stays at its reset."""
        return self.step

    @property
    def readout(self) -> Readout:
        """What of the readout trace decides."""
        return self.settings.readout

    def encode(self, events: SpikeEvents) -> SpikeEvents:
        """Pool neighbouring channels to the inputs of the network."""
        return self.settings.frames.pool(events)

    def network(self) -> nir.NIRGraph:
        """Return the network in continuous time."""
        shape = self.settings.shape(self.inputs, self.classes)
        return spiking_graph(self.module, shape, step=self.settings.step)
