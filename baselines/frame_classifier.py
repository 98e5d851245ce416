"""What the models that do not spike share: frames in, scores out, trained by gradient."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.baselines.input_frames import InputFrames
from hearspike.baselines.interface import Operations, Predictions
from hearspike.baselines.module_operations import count_module_operations
from hearspike.baselines.training import EpochScore, Training, one_thread, seeded_torch, train_by_gradient
from hearspike.datasets import SpikeDataset, SpikeEvents, count_spikes
from hearspike.progress import Progress, no_progress

COUNTED_SAMPLES = 4
"""Samples in which operations are counted, which takes as long as a few passes of each."""

PREDICTION_BATCH = 128
"""Samples that pass through the module at once when it predicts: bounds the memory."""


@dataclass(frozen=True, kw_only=True)
class FrameClassifier(ABC):
    """Settings of a model that maps frames to scores; a subclass adds its own and makes the module.

    Parameters
    ----------
    frames
        Time bins and pooled channels.
    training
        Settings of the gradient descent.
    """

    frames: InputFrames
    training: Training

    @abstractmethod
    def module(self, inputs: int, classes: int) -> torch.nn.Module:
        """Return an untrained module that maps counts [sample, time, input] to scores [sample, class]."""

    def fit(
        self,
        train: SpikeDataset,
        validation: SpikeDataset,
        *,
        seed: int,
        progress: Progress = no_progress,
        checkpoint: Path | None = None,
    ) -> "FittedFrameClassifier":
        """Train the weights; keep those of the epoch that is best on validation speakers."""
        with seeded_torch(np.random.default_rng(np.random.SeedSequence(seed))):
            module = self.module(self.frames.inputs(train.events.channels), len(train.classes))

        def scores(events: SpikeEvents) -> tuple[torch.Tensor, torch.Tensor]:
            return module(self.frames(events)), torch.zeros(())

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
        return FittedFrameClassifier(self.frames, module, history)

    def restore(
        self, parameters: Mapping[str, NDArray[Any]], *, channels: int, classes: int
    ) -> "FittedFrameClassifier":
        """Return the model with these tensors."""
        module = self.module(self.frames.inputs(channels), classes)
        module.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in parameters.items()})
        return FittedFrameClassifier(self.frames, module, ())


@dataclass(frozen=True)
class FittedFrameClassifier:
    """A trained module and the frames that it sees."""

    frames: InputFrames
    module: torch.nn.Module
    history: tuple[EpochScore, ...]

    @property
    def parameters(self) -> dict[str, NDArray[Any]]:
        """All tensors of the module, running averages too."""
        return {name: tensor.numpy() for name, tensor in self.module.state_dict().items()}

    @torch.no_grad()
    def predict(self, events: SpikeEvents) -> Predictions:
        """Label each sample by its largest score."""
        self.module.eval()
        labels = [np.empty(0, np.int64)]
        with one_thread():
            for part in events.batches(PREDICTION_BATCH):
                labels.append(self.module(self.frames(part)).argmax(dim=1).numpy())
            operations = self._operations(events)
        return Predictions(
            np.concatenate(labels)[np.newaxis],
            layer_spikes={"input": count_spikes(events).sum(axis=1)[np.newaxis]},
            operations=operations,
        )

    def _operations(self, events: SpikeEvents) -> Operations | None:
        """Count in a few samples, evenly spread over all."""
        if not len(events):
            return None
        chosen = np.unique(np.linspace(0, len(events) - 1, COUNTED_SAMPLES).astype(np.int64))
        return count_module_operations(self.module, self.frames(events.select(chosen)))
