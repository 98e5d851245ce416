"""A long short-term memory on frames, to which Cramer et al. (TNNLS 33:2744, 2022) compare spiking networks.

The cell is that of Hochreiter and Schmidhuber (Neural Computation 9:1735, 1997) with forget gate.
"""

from dataclasses import dataclass

import torch

from hearspike.baselines.frame_classifier import FrameClassifier
from hearspike.errors import InputError


@dataclass(frozen=True, kw_only=True)
class LongShortTermMemory(FrameClassifier):
    r"""Settings of the network.

    Counts :math:`c` enter as :math:`\ln(1 + c)`; the mean of the hidden state over time is mapped to scores.

    Parameters
    ----------
    frames, training
        See `hearspike.baselines.gradient_classifier.GradientClassifier`.
    hidden
        Number of cells in a layer and direction.
    layers
        Number of layers.
    bidirectional
        Whether each layer also reads backwards.
    dropout
        Probability of an input, or of a summary's entry, to be left out in training.
    """

    hidden: int
    layers: int
    bidirectional: bool
    dropout: float

    def __post_init__(self) -> None:
        for name in ("hidden", "layers"):
            if getattr(self, name) < 1:
                raise InputError(f"model.{name}", getattr(self, name), "at least 1")
        if not 0 <= self.dropout < 1:
            raise InputError("model.dropout", self.dropout, "at least 0 and below 1")

    def module(self, inputs: int, classes: int) -> torch.nn.Module:
        """Return the untrained network."""
        return _Network(self, inputs, classes)


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
