"""What the models that do not spike share: frames in, scores out, trained by gradient."""

from dataclasses import dataclass

import numpy as np
import torch

from hearspike.baselines.gradient_classifier import FittedModule, GradientClassifier
from hearspike.baselines.interface import Operations, Predictions
from hearspike.baselines.module_operations import count_module_operations
from hearspike.baselines.training import EpochScore, one_thread
from hearspike.datasets import SpikeEvents, count_spikes

COUNTED_SAMPLES = 4
"""Samples in which operations are counted, which takes as long as a few passes of each."""

PREDICTION_BATCH = 128
"""Samples that pass through the module at once when it predicts: bounds the memory."""


@dataclass(frozen=True, kw_only=True)
class FrameClassifier(GradientClassifier[torch.nn.Module, "FittedFrameClassifier"]):
    """Settings of a model that maps counts [sample, time, input] to scores [sample, class].

    A subclass adds its own and makes the module; `GradientClassifier` has ``frames`` and ``training``.
    """

    def scores(self, module: torch.nn.Module, events: SpikeEvents) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what the module makes of the frames, and no penalty."""
        return module(self.frames(events)), torch.zeros(())

    def fitted(
        self, module: torch.nn.Module, inputs: int, classes: int, history: tuple[EpochScore, ...]
    ) -> "FittedFrameClassifier":
        """Return the model with this module."""
        return FittedFrameClassifier(self, module, inputs, classes, history)


class FittedFrameClassifier(FittedModule[FrameClassifier, torch.nn.Module]):
    """A trained module and the frames that it sees."""

    @torch.no_grad()
    def predict(self, events: SpikeEvents) -> Predictions:
        """Label each sample by its largest score."""
        self.module.eval()
        labels = [np.empty(0, np.int64)]
        with one_thread():
            for part in events.batches(PREDICTION_BATCH):
                labels.append(self.module(self.settings.frames(part)).argmax(dim=1).numpy())
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
        return count_module_operations(self.module, self.settings.frames(events.select(chosen)))
