"""A long short-term memory on frames, to which Cramer et al. (TNNLS 33:2744, 2022) compare spiking networks.

The cell is that of Hochreiter and Schmidhuber (Neural Computation 9:1735, 1997) with forget gate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from hearspike.baselines.frame_classifier import (
    FittedFrameClassifier,
    fit_frame_classifier,
    restore_frame_classifier,
)
from hearspike.baselines.input_frames import InputFrames
from hearspike.baselines.training import Training
from hearspike.datasets import SpikeDataset
from hearspike.errors import InputError
from hearspike.progress import Progress, no_progress


@dataclass(frozen=True)
class LongShortTermMemory:
    r"""Settings of the network.

    Counts :math:`c` enter as :math:`\ln(1 + c)`; the mean of the hidden state over time is mapped to scores.

    Parameters
    ----------
    frames
        Time bins and pooled channels.
    hidden
        Number of cells in a layer and direction.
    layers
        Number of layers.
    bidirectional
        Whether each layer also reads backwards.
    dropout
        Probability of an input, or of a summary's entry, to be left out in training.
    training
        Settings of the gradient descent.
    """

    frames: InputFrames
    hidden: int
    layers: int
    bidirectional: bool
    dropout: float
    training: Training

    def __post_init__(self) -> None:
        for name in ("hidden", "layers"):
            if getattr(self, name) < 1:
                raise InputError(f"model.{name}", getattr(self, name), "at least 1")
        if not 0 <= self.dropout < 1:
            raise InputError("model.dropout", self.dropout, "at least 0 and below 1")

    def fit(
        self,
        train: SpikeDataset,
        validation: SpikeDataset,
        *,
        seed: int,
        progress: Progress = no_progress,
        checkpoint: Path | None = None,
    ) -> FittedFrameClassifier:
        """Train the weights; keep those of the epoch that is best on validation speakers."""
        return fit_frame_classifier(
            lambda inputs, classes: _Network(self, inputs, classes),
            self.frames,
            self.training,
            train,
            validation,
            seed=seed,
            identity=repr(self),
            progress=progress,
            checkpoint=checkpoint,
        )

    def restore(
        self, parameters: Mapping[str, NDArray[Any]], *, channels: int, classes: int
    ) -> FittedFrameClassifier:
        """Return the network with these tensors."""
        return restore_frame_classifier(
            lambda inputs, outputs: _Network(self, inputs, outputs),
            self.frames,
            parameters,
            channels=channels,
            classes=classes,
        )


class _Network(torch.nn.Module):
    def __init__(self, settings: LongShortTermMemory, inputs: int, classes: int) -> None:
        super().__init__()
        self.memory = torch.nn.LSTM(
            inputs,
            settings.hidden,
            settings.layers,
            batch_first=True,
            bidirectional=settings.bidirectional,
            dropout=settings.dropout if settings.layers > 1 else 0.0,
        )
        self.dropout = torch.nn.Dropout(settings.dropout)
        directions = 2 if settings.bidirectional else 1
        self.scores = torch.nn.Linear(directions * settings.hidden, classes)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Map [sample, time, input] counts to [sample, class] scores."""
        states, _ = self.memory(self.dropout(torch.log1p(frames)))
        scores: torch.Tensor = self.scores(self.dropout(states.mean(dim=1)))
        return scores
