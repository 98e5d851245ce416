"""What a model is: something that can be fitted and then predicts.

Bring your own model by writing a class with these two methods and one YAML file that names it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import nir
import numpy as np
from numpy.typing import NDArray

from hearspike.datasets import SpikeDataset, SpikeEvents
from hearspike.emulator import Activity
from hearspike.progress import Progress, no_progress


@dataclass(frozen=True)
class Operations:
    """Arithmetic that one forward pass needs per sample, counted from shapes and recorded activity.

    See `hearspike.baselines.operations` for how to count.

    Parameters
    ----------
    multiply_accumulates
        Additions of a product (MAC), of a weight and an input that are not 0, and in neurons.
    accumulates
        Additions of a weight that is not 0 because a spike came (AC).
    dense
        Synaptic operations, MAC or AC, if no input and no weight were 0.
    neuron_multiply_accumulates
        Those of the MACs that are in neurons.
    neuron_updates
        Times that the state of a neuron is brought to the next time step.
    state_bytes
        Memory of the states that a sample carries from step to step.
    """

    multiply_accumulates: float
    accumulates: float
    dense: float = 0.0
    neuron_multiply_accumulates: float = 0.0
    neuron_updates: float = 0.0
    state_bytes: float = 0.0

    @property
    def synaptic(self) -> float:
        """Synaptic operations: those of synapses, not of neurons."""
        return self.accumulates + self.multiply_accumulates - self.neuron_multiply_accumulates

    def __add__(self, other: "Operations") -> "Operations":
        return Operations(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))


@dataclass(frozen=True)
class Predictions:
    """Labels for each sample, and what it took to find them.

    Parameters
    ----------
    labels
        [chip, sample] Predicted class; one row for a model in software.
    layer_spikes
        Name of a layer → [chip, sample] number of spikes it fired (or received, for ``input``).
    operations
        Arithmetic per sample, None where it has no meaning.
    time_on_chip
        Seconds that one sample occupies a chip, None in software.
    activity
        What a chip did for a sample on average, None in software.
    decision_times
        [chip, sample] Seconds of chip time after which the decision no longer changed, None in software.
    """

    labels: NDArray[np.int64]
    layer_spikes: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    operations: Operations | None = None
    time_on_chip: float | None = None
    activity: Activity | None = None
    decision_times: NDArray[np.float64] | None = None


class FittedModel(Protocol):
    """A model after training.

    One that learnt in epochs has a ``history`` too, a tuple of `hearspike.baselines.training.EpochScore`.
    """

    @property
    def parameters(self) -> dict[str, NDArray[Any]]:
        """Everything that was learnt, by name; saved beside the record."""

    def predict(self, events: SpikeEvents) -> Predictions:
        """Label samples whose labels it does not see."""


class Model(Protocol):
    """A model before training: nothing but its settings."""

    def fit(
        self,
        train: SpikeDataset,
        validation: SpikeDataset,
        *,
        seed: int,
        progress: Progress = no_progress,
        checkpoint: Path | None = None,
    ) -> FittedModel:
        """Learn from ``train`` and choose on ``validation``; the same seed gives the same result.

        A model that takes long keeps what it has so far in the folder ``checkpoint`` and, if it finds
        something there, goes on to the same result; others leave the folder alone.
        """


@runtime_checkable
class Restorable(Protocol):
    """A model that takes back what it has learnt; others have to be trained again."""

    def restore(self, parameters: Mapping[str, NDArray[Any]], *, channels: int, classes: int) -> FittedModel:
        """Return the fitted model whose ``parameters`` these are, for data of these sizes.

        Raises
        ------
        KeyError, RuntimeError, ValueError
            If they are not those of this model.
        """


@dataclass(frozen=True)
class NetworkShape:
    """Sizes of a spiking network, known before it is trained.

    Parameters
    ----------
    inputs
        Number of input channels.
    hidden
        Number of neurons in each hidden layer.
    outputs
        Number of readout neurons.
    recurrent
        Whether the hidden layers feed back on themselves.
    """

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    recurrent: bool


Readout = Literal["maximum", "sum", "last"]
"""What of a readout's trace decides."""


@runtime_checkable
class SpikingNetwork(Protocol):
    """A fitted model that can be placed on a chip."""

    @property
    def window(self) -> float:
        """Length of a sample in seconds."""

    @property
    def step(self) -> float:
        """Length of a time step in software, in seconds."""

    @property
    def refractory_period(self) -> float | None:
        """Seconds for which a spike holds a neuron at its reset in software; None for the chip's usual."""

    @property
    def readout(self) -> Readout:
        """What of the readout trace decides: ``maximum``, ``sum`` or ``last``."""

    def network(self) -> nir.NIRGraph:
        """Return the network as a NIR graph, in seconds of its input's time."""

    def encode(self, events: SpikeEvents) -> SpikeEvents:
        """Return the events that enter the network's input channels."""


@runtime_checkable
class SpikingModel(Protocol):
    """A model whose fitted form is a `SpikingNetwork`, and which knows its size beforehand."""

    def shape(self, channels: int, classes: int) -> NetworkShape:
        """Return the sizes of the network for data with these channels and classes."""
