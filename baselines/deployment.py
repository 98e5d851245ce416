"""How training meets the chip: what a forward pass is, and what chooses the epoch.

Three ways, values of one word of the configuration (``deployment``):

``weight_transfer``
    Train in software; the weights go to the chip afterwards.
``noise_aware``
    Train in software with weights on the chip's grid and neurons that differ as a chip's do, other ones in
    every batch (`hearspike.baselines.noise_aware`).
``in_the_loop``
    Every forward pass runs on emulated chips; the gradient is the model's with the recorded values in their
    place (`hearspike.baselines.in_the_loop`).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from hearspike.baselines.two_layer_network import Activity, Grid, Neurons, Weights, run
from hearspike.datasets import SpikeEvents


class Course(Protocol):
    """One training as it meets the chip.

    What is random in it is drawn from torch's generator, which training seeds in every epoch: so a training
    that was stopped goes on to the same result.
    """

    def train(self, weights: Weights, events: SpikeEvents) -> Activity:
        """Run a batch forwards, with gradients for the weights."""

    def validate(self, weights: Weights, events: SpikeEvents) -> torch.Tensor:
        """Return the readout traces [sample, step, class] by which an epoch is judged."""


def random_generator() -> np.random.Generator:
    """Return a generator whose seed is drawn from torch's."""
    return np.random.default_rng(int(torch.randint(2**62, ())))


@dataclass(frozen=True)
class WeightTransfer:
    """Train in software as if there were no chip."""

    def course(self, grid: Grid, nominal: Neurons) -> Course:
        """Begin a training."""
        return _Software(nominal)


@dataclass(frozen=True)
class _Software:
    nominal: Neurons

    def train(self, weights: Weights, events: SpikeEvents) -> Activity:
        return run(weights, events, self.nominal)

    def validate(self, weights: Weights, events: SpikeEvents) -> torch.Tensor:
        return run(weights, events, self.nominal).traces
