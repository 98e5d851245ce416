"""What the models that do not spike share: frames in, scores out, trained by gradient."""

from collections.abc import Callable, Mapping
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
from hearspike.progress import Progress

COUNTED_SAMPLES = 4
"""Samples in which operations are counted, which takes as long as a few passes of each."""

PREDICTION_BATCH = 128
"""Samples that pass through the module at once when it predicts: bounds the memory."""


def fit_frame_classifier(
    make_module: Callable[[int, int], torch.nn.Module],
    frames: InputFrames,
    training: Training,
    train: SpikeDataset,
    validation: SpikeDataset,
    *,
    seed: int,
    identity: str,
    progress: Progress,
    checkpoint: Path | None,
) -> "FittedFrameClassifier":
    """Train a module on frames.

    Parameters
    ----------
    make_module
        Makes the module for so many inputs and classes; it maps counts [sample, time, input] to scores
        [sample, class].
    frames, training
        Settings.
    train, validation, seed, identity, progress, checkpoint
        See `hearspike.baselines.training.train_by_gradient`.
    """
    with seeded_torch(np.random.default_rng(np.random.SeedSequence(seed))):
        module = make_module(frames.inputs(train.events.channels), len(train.classes))

    def scores(events: SpikeEvents) -> tuple[torch.Tensor, torch.Tensor]:
        return module(frames(events)), torch.zeros(())

    history = train_by_gradient(
        module,
        scores,
        train,
        validation,
        training,
        seed=seed,
        identity=identity,
        progress=progress,
        checkpoint=checkpoint,
    )
    return FittedFrameClassifier(frames, module, history)


def restore_frame_classifier(
    make_module: Callable[[int, int], torch.nn.Module],
    frames: InputFrames,
    parameters: Mapping[str, NDArray[Any]],
    *,
    channels: int,
    classes: int,
) -> "FittedFrameClassifier":
    """Return the classifier with these tensors; see `hearspike.baselines.interface.Restorable`."""
    module = make_module(frames.inputs(channels), classes)
    module.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in parameters.items()})
    return FittedFrameClassifier(frames, module, ())


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
            for start in range(0, len(events), PREDICTION_BATCH):
                part = events.select(np.arange(start, min(start + PREDICTION_BATCH, len(events))))
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
