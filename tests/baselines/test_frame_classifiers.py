"""What holds for every model of frames: they learn timing, are reproducible, and go on where they stopped."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hearspike.baselines.cnn import ConvolutionalNetwork
from hearspike.baselines.frame_classifier import FittedFrameClassifier
from hearspike.baselines.input_frames import InputFrames
from hearspike.baselines.lstm import LongShortTermMemory
from hearspike.baselines.training import Training
from hearspike.datasets import SpikeDataset, SpikeEvents, bin_events, count_spikes
from hearspike.datasets.augmentation import Augmentation
from hearspike.errors import InputError

Data = tuple[SpikeDataset, SpikeDataset]
FRAMES = InputFrames(window=0.1, bins=10, channels=10)
TRAINING = Training(
    epochs=8,
    patience=8,
    batch_size=32,
    optimiser="adamw",
    learning_rate=1e-2,
    schedule="cosine",
    final_rate=0.1,
    warm_up=0.0,
    weight_decay=0.0,
    gradient_limit=1.0,
    label_smoothing=0.0,
    augmentation=Augmentation(channel_shift=0.5),
)
CNN = ConvolutionalNetwork(frames=FRAMES, maps=(8, 8), features=16, dropout=0.2, training=TRAINING)
LSTM = LongShortTermMemory(
    frames=FRAMES, hidden=16, layers=2, bidirectional=False, dropout=0.1, training=TRAINING
)
MODELS = pytest.mark.parametrize("model", [CNN, LSTM], ids=["cnn", "lstm"])
Model = ConvolutionalNetwork | LongShortTermMemory


def accuracy(fitted: FittedFrameClassifier, data: SpikeDataset) -> float:
    return float(np.mean(fitted.predict(data.events).labels[0] == data.labels))


@MODELS
def test_it_learns_what_only_times_tell_and_repeats_it(model: Model, timed: Data) -> None:
    """The order of two bursts, which counts do not tell; the same seed gives the same bits."""
    fitted, again = model.fit(*timed, seed=3), model.fit(*timed, seed=3)
    assert accuracy(fitted, timed[1]) > 0.95
    assert fitted.history == again.history
    for name, array in fitted.parameters.items():
        np.testing.assert_array_equal(array, again.parameters[name])
    best = max(score.validation_accuracy for score in fitted.history)
    assert accuracy(fitted, timed[1]) == best


@MODELS
def test_times_destroyed_leave_chance(model: Model, timed: Data) -> None:
    """With every spike at the same time there is nothing to learn: 4 deviations of 128 coin tosses."""
    at_once = tuple(
        dataclasses.replace(
            data, events=dataclasses.replace(data.events, times=np.zeros_like(data.events.times))
        )
        for data in timed
    )
    fitted = model.fit(at_once[0], at_once[0], seed=0)
    assert abs(accuracy(fitted, at_once[1]) - 0.5) < 0.18


@MODELS
def test_a_stopped_fit_goes_on_to_the_same_bits(model: Model, timed: Data, tmp_path: Path) -> None:
    """Stopped after 2 of 3 epochs, then fitted again with the same folder."""
    model = dataclasses.replace(model, training=dataclasses.replace(TRAINING, epochs=3))

    def stop(stage: str, done: int, total: int, note: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(*timed, seed=0, checkpoint=tmp_path, progress=stop)
    resumed, undisturbed = model.fit(*timed, seed=0, checkpoint=tmp_path), model.fit(*timed, seed=0)
    assert resumed.history == undisturbed.history
    for name, array in undisturbed.parameters.items():
        np.testing.assert_array_equal(array, resumed.parameters[name])


@MODELS
def test_batches_do_not_change_predictions(model: Model, timed: Data) -> None:
    """A sample is labelled the same alone and among others."""
    fitted = model.fit(*timed, seed=0)
    events = timed[1].events
    together = fitted.predict(events).labels[0]
    alone = [int(fitted.predict(events.select(np.array([index]))).labels[0, 0]) for index in range(8)]
    assert alone == together[:8].tolist()
    assert fitted.predict(events.select(np.arange(0))).labels.shape == (1, 0)


def test_the_cnn_does_not_hear_loudness() -> None:
    """Standardised log counts: a pattern of ones and zeros, and the same of threes, give the same scores."""
    module = torch.nn.Module.eval(_module(CNN))
    pattern = (torch.rand(2, 10, 10, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    torch.testing.assert_close(module(pattern), module(3 * pattern), rtol=0.02, atol=0.02)


def test_the_cnn_takes_any_shape_down_to_one_channel_and_bin() -> None:
    """Every task can be run: few channels, few bins, no spikes at all."""
    for bins, channels in ((1, 1), (3, 5), (7, 2)):
        frames = InputFrames(window=1.0, bins=bins, channels=channels)
        module = _module(dataclasses.replace(CNN, frames=frames), channels).eval()
        assert torch.isfinite(module(torch.zeros(2, bins, channels))).all()


def _module(model: ConvolutionalNetwork, inputs: int = 10) -> torch.nn.Module:
    from hearspike.baselines import cnn

    torch.manual_seed(0)
    return cnn._Network(model, inputs, 2)


@given(channels=st.integers(1, 300), at_most=st.integers(1, 300), seed=st.integers(0, 99))
def test_pooling_loses_no_spike_and_keeps_neighbours_together(channels: int, at_most: int, seed: int) -> None:
    """Sums over groups of equal size, as few as the bound allows."""
    rng = np.random.default_rng(seed)
    units = rng.integers(channels, size=50).astype(np.uint16)
    events = SpikeEvents(np.zeros(50, np.float32), units, np.array([0, 20, 50]), channels)
    frames = InputFrames(window=1.0, bins=1, channels=at_most)
    pooled = frames.pool(events)
    inputs = frames.inputs(channels)
    size = -(-channels // at_most)
    assert inputs == pooled.channels <= min(at_most, channels)
    padded = np.zeros((2, inputs * size), np.int64)
    padded[:, :channels] = count_spikes(events)
    np.testing.assert_array_equal(count_spikes(pooled), padded.reshape(2, inputs, size).sum(axis=2))


def test_frames_are_counts_in_bins(timed: Data) -> None:
    """Without pooling they are what `bin_events` counts."""
    frames = InputFrames(window=0.1, bins=7, channels=20)
    expected = bin_events(timed[1].events, bins=7, window=0.1).counts
    np.testing.assert_array_equal(frames(timed[1].events).numpy(), expected)


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [
        (CNN, "maps", ()),
        (CNN, "features", 0),
        (CNN, "dropout", 1.0),
        (LSTM, "hidden", 0),
        (LSTM, "layers", 0),
        (LSTM, "dropout", -0.1),
        (FRAMES, "bins", 0),
        (FRAMES, "channels", 0),
        (FRAMES, "window", 0.0),
    ],
)
def test_wrong_settings_are_refused(model: Any, key: str, value: Any) -> None:
    """Each names its key."""
    with pytest.raises(InputError, match=rf"model\.(frames\.)?{key}"):
        dataclasses.replace(model, **{key: value})
