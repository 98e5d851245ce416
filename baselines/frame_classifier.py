"""What the models that do not spike share: frames in, scores out, trained by gradient."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.baselines.input_frames import InputFrames
from hearspike.baselines.interface import Operations, Predictions
from hearspike.baselines.training import EpochScore, Training, one_thread, seeded_torch, train_by_gradient
from hearspike.datasets import SpikeDataset, SpikeEvents, count_spikes
from hearspike.progress import Progress

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
            empty = torch.zeros(1, self.frames.bins, self.frames.inputs(events.channels))
            products = count_products(self.module, empty)
        return Predictions(
            np.concatenate(labels)[np.newaxis],
            layer_spikes={"input": count_spikes(events).sum(axis=1)[np.newaxis]},
            operations=Operations(multiply_accumulates=products, accumulates=0.0),
        )


@torch.no_grad()
def count_products(module: torch.nn.Module, sample: torch.Tensor) -> float:
    r"""Count the products of weights and activations in one pass of ``sample``, a batch of one.

    A convolution or a linear layer multiplies each output with the entries of one kernel or row; an LSTM of
    :math:`h` units and :math:`n` inputs takes :math:`4 h (n + h)` products in every step.
    """
    products = 0.0

    def count(layer: torch.nn.Module, inputs: tuple[torch.Tensor, ...], output: Any) -> None:  # noqa: ANN401  # a tensor or a tuple
        nonlocal products
        if isinstance(layer, torch.nn.LSTM):
            weights = [weight for weight in layer.parameters() if weight.ndim == 2]
            products += inputs[0].shape[1] * sum(weight.numel() for weight in weights)
        elif isinstance(layer, torch.nn.Linear | torch.nn.Conv1d | torch.nn.Conv2d):
            products += output.numel() * layer.weight[0].numel()

    hooks = [layer.register_forward_hook(count) for layer in module.modules()]
    try:
        module(sample)
    finally:
        for hook in hooks:
            hook.remove()
    return products
