"""Chance and majority: what a table has to be compared with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearspike.baselines.interface import Operations, Predictions
from hearspike.datasets import SpikeDataset, SpikeEvents
from hearspike.progress import Progress, no_progress

NO_OPERATIONS = Operations(multiply_accumulates=0.0, accumulates=0.0)


@dataclass(frozen=True)
class Chance:
    """Guess each class with the same probability."""

    def fit(
        self,
        train: SpikeDataset,
        validation: SpikeDataset,
        *,
        seed: int,
        progress: Progress = no_progress,
        checkpoint: Path | None = None,
    ) -> "FittedChance":
        """Remember the number of classes."""
        return FittedChance(len(train.classes), seed)


@dataclass(frozen=True)
class FittedChance:
    """Guesses among ``classes`` classes."""

    classes: int
    seed: int

    @property
    def parameters(self) -> dict[str, NDArray[Any]]:
        """Nothing was learnt."""
        return {}

    def predict(self, events: SpikeEvents) -> Predictions:
        """Draw a label for each sample."""
        labels = np.random.default_rng(self.seed).integers(self.classes, size=(1, len(events)))
        return Predictions(labels, operations=NO_OPERATIONS)


@dataclass(frozen=True)
class Majority:
    """Answer with the commonest class of the training set; the lowest of several."""

    def fit(
        self,
        train: SpikeDataset,
        validation: SpikeDataset,
        *,
        seed: int,
        progress: Progress = no_progress,
        checkpoint: Path | None = None,
    ) -> "FittedMajority":
        """Count the classes."""
        return FittedMajority(int(np.bincount(train.labels).argmax()))


@dataclass(frozen=True)
class FittedMajority:
    """Answers ``label``."""

    label: int

    @property
    def parameters(self) -> dict[str, NDArray[Any]]:
        """The one label."""
        return {"label": np.array([self.label])}

    def predict(self, events: SpikeEvents) -> Predictions:
        """Give every sample the same label."""
        return Predictions(np.full((1, len(events)), self.label), operations=NO_OPERATIONS)
