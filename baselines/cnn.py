"""A small convolutional network on the image that spikes draw over time and channel.

Convolutions look for patterns wherever they are, along the channels too, as a longer or shorter vocal tract
shifts them; what is found is averaged over time, so that a word may come early or late.
"""

from dataclasses import dataclass

import torch

from hearspike.baselines.frame_classifier import FrameClassifier
from hearspike.errors import InputError

DEVIATION_FLOOR = 1e-3
"""Added to the standard deviation of a sample, so that one without spikes is no division by 0."""


@dataclass(frozen=True, kw_only=True)
class ConvolutionalNetwork(FrameClassifier):
    r"""Settings of the network.

    Counts :math:`c` enter as :math:`\ln(1 + c)`, standardised over each sample, so that it does not matter
    how loud the word is. Then follow blocks of a 3 × 3 convolution, batch normalisation (Ioffe and Szegedy,
    arXiv:1502.03167), rectifier and 2 × 2 maximum, one full connection of channels and maps in every step,
    the mean over time, and a linear map to scores.

    Parameters
    ----------
    frames, training
        See `hearspike.baselines.gradient_classifier.GradientClassifier`.
    maps
        Number of maps of each block.
    features
        Number of features in every step that are averaged over time.
    dropout
        Probability of a feature to be left out in training; of a whole map half as much.
    """

    maps: tuple[int, ...]
    features: int
    dropout: float

    def __post_init__(self) -> None:
        if not self.maps or min(self.maps) < 1:
            raise InputError("model.maps", list(self.maps), "one or more numbers of at least 1")
        if self.features < 1:
            raise InputError("model.features", self.features, "at least 1")
        if not 0 <= self.dropout < 1:
            raise InputError("model.dropout", self.dropout, "at least 0 and below 1")

    def module(self, inputs: int, classes: int) -> torch.nn.Module:
        """Return the untrained network."""
        return _Network(self, inputs, classes)


class _Network(torch.nn.Module):
    def __init__(self, settings: ConvolutionalNetwork, inputs: int, classes: int) -> None:
        super().__init__()
        blocks: list[torch.nn.Module] = []
        before = 1
        for maps in settings.maps:
            blocks += [
                torch.nn.Conv2d(before, maps, 3, padding=1, bias=False),
                torch.nn.BatchNorm2d(maps),
                torch.nn.ReLU(),
                torch.nn.MaxPool2d(2, ceil_mode=True),
                torch.nn.Dropout2d(settings.dropout / 2),
            ]
            before, inputs = maps, -(-inputs // 2)
        self.blocks = torch.nn.Sequential(*blocks)
        self.features = torch.nn.Sequential(
            torch.nn.Conv1d(before * inputs, settings.features, 1, bias=False),
            torch.nn.BatchNorm1d(settings.features),
            torch.nn.ReLU(),
            torch.nn.Dropout(settings.dropout),
        )
        self.scores = torch.nn.Linear(settings.features, classes)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Map [sample, time, input] counts to [sample, class] scores."""
        image = torch.log1p(frames)
        mean, deviation = image.mean((1, 2), keepdim=True), image.std((1, 2), correction=0, keepdim=True)
        image = (image - mean) / (deviation + DEVIATION_FLOOR)
        maps = self.blocks(image.unsqueeze(1))  # [sample, map, time, channel]
        features = self.features(maps.transpose(2, 3).flatten(1, 2))  # [sample, feature, time]
        scores: torch.Tensor = self.scores(features.mean(dim=2))
        return scores
