"""What models of torch modules share: the module is made, trained by gradient, saved and restored."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.baselines.input_frames import InputFrames
from hearspike.baselines.training import EpochScore, Training, seeded_torch, train_by_gradient
from hearspike.datasets import SpikeDataset, SpikeEvents
from hearspike.progress import Progress, no_progress

Settings = TypeVar("Settings")
Module = TypeVar("Module", bound=torch.nn.Module)
Fitted = TypeVar("Fitted", bound="FittedModule[Any, Any]")


@dataclass(frozen=True)
class FittedModule(Generic[Settings, Module]):
    """A trained module; a subclass predicts with it.

    Parameters
    ----------
    settings
        Those of the model.
    module
        With its weights.
    inputs, classes
        Sizes of the data.
    history
        Scores of every epoch, none if the module was restored.
    """

    settings: Settings
    module: Module
    inputs: int
    classes: int
    history: tuple[EpochScore, ...]

    @property
    def parameters(self) -> dict[str, NDArray[Any]]:
        """All tensors of the module, running averages too."""
        return {name: tensor.numpy() for name, tensor in self.module.state_dict().items()}


@dataclass(frozen=True, kw_only=True)
class GradientClassifier(ABC, Generic[Module, Fitted]):
    """Settings of a model; a subclass adds its own, and says what the module is and how it is scored.

    Parameters
    ----------
    frames
        Time bins and pooled channels.
    training
        Settings of the gradient descent.
    """

    frames: InputFrames
    training: Training

    rate_factors: ClassVar[Mapping[str, float]] = {}
    """Factors on the learning rate of parameters by the last part of their names."""

    @abstractmethod
    def module(self, inputs: int, classes: int) -> Module:
        """Return the untrained module."""

    @abstractmethod
    def scores(self, module: Module, events: SpikeEvents) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scores [sample, class] that enter the loss, and a penalty that is added to it."""

    @abstractmethod
    def fitted(self, module: Module, inputs: int, classes: int, history: tuple[EpochScore, ...]) -> Fitted:
        """Return the model with this module."""

    def fit(
        self,
        train: SpikeDataset,
        validation: SpikeDataset,
        *,
        seed: int,
        progress: Progress = no_progress,
        checkpoint: Path | None = None,
    ) -> Fitted:
        """Train the weights; keep those of the epoch that is best on validation speakers."""
        inputs, classes = self.frames.inputs(train.events.channels), len(train.classes)
        with seeded_torch(np.random.default_rng(np.random.SeedSequence(seed))):
            module = self.module(inputs, classes)
        history = train_by_gradient(
            module,
            lambda events: self.scores(module, events),
            train,
            validation,
            self.training,
            seed=seed,
            identity=repr(self),
            progress=progress,
            checkpoint=checkpoint,
            rate_factors=self.rate_factors,
        )
        return self.fitted(module, inputs, classes, history)

    def restore(self, parameters: Mapping[str, NDArray[Any]], *, channels: int, classes: int) -> Fitted:
        """Return the model with these tensors."""
        inputs = self.frames.inputs(channels)
        module = self.module(inputs, classes)
        module.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in parameters.items()})
        return self.fitted(module, inputs, classes, ())
