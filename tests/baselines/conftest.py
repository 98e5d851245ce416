"""A small task whose classes differ in when, not in how often, a few channels fire."""

import numpy as np
import pytest

from hearspike.baselines.chip_input import ChipInput
from hearspike.baselines.recurrent_network import FittedRecurrentNetwork, RecurrentSpikingNetwork
from hearspike.baselines.training import Training
from hearspike.datasets import SpikeDataset, SpikeEvents
from hearspike.datasets.augmentation import Augmentation

NETWORK = RecurrentSpikingNetwork(
    input=ChipInput(
        window=0.2, time_scale=2000.0, step_us=2.5, most_steps=100, most_channels=20, left_out=0.0
    ),
    hidden=32,
    tau_mem_us=10.0,
    tau_syn_us=5.0,
    surrogate_slope=50.0,
    readout="sum",
    readout_gain=10.0,
    input_scale=1.5,
    recurrent_scale=0.75,
    spike_limit=20.0,
    spike_penalty=1e-3,
    implementation="fused",
    training=Training(
        epochs=12,
        patience=12,
        batch_size=32,
        optimiser="adam",
        learning_rate=5e-3,
        schedule="exponential",
        final_rate=0.7,
        warm_up=0.0,
        weight_decay=0.0,
        gradient_limit=1.0,
        label_smoothing=0.0,
        augmentation=Augmentation(),
    ),
)


def make_dataset(samples: int, seed: int, *, by_count: bool, channels: int = 20) -> SpikeDataset:
    """Class 0 and class 1 differ in the order of two bursts, or in their sizes if ``by_count``."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=samples)
    times, units, lengths = [], [], []
    for label in labels:
        early, late = (0, channels // 2) if label == 0 else (channels // 2, 0)
        sizes = (60, 20) if by_count else (40, 40)
        unit = np.concatenate(
            [
                early + rng.integers(channels // 2, size=sizes[0]),
                late + rng.integers(channels // 2, size=sizes[1]),
            ]
        )
        start = np.zeros(sum(sizes)) if by_count else np.repeat([0.0, 0.05], sizes)
        time = start + rng.uniform(0, 0.04, size=len(unit))
        order = np.argsort(time)
        times.append(time[order])
        units.append(unit[order])
        lengths.append(len(unit))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    events = SpikeEvents(
        np.concatenate(times).astype(np.float32), np.concatenate(units).astype(np.uint16), offsets, channels
    )
    return SpikeDataset(events, labels.astype(np.int64), np.zeros(samples, np.int64), ("first", "second"))


@pytest.fixture(scope="session")
def timed() -> tuple[SpikeDataset, SpikeDataset]:
    """Train and test data that only spike times tell apart."""
    return make_dataset(256, 0, by_count=False), make_dataset(128, 1, by_count=False)


@pytest.fixture(scope="session")
def counted() -> tuple[SpikeDataset, SpikeDataset]:
    """Train and test data that spike counts tell apart."""
    return make_dataset(256, 2, by_count=True), make_dataset(128, 3, by_count=True)


@pytest.fixture(scope="session")
def fitted(timed: tuple[SpikeDataset, SpikeDataset]) -> FittedRecurrentNetwork:
    """A small recurrent network, trained on the timed data."""
    train, test = timed
    return NETWORK.fit(train, test, seed=0)
