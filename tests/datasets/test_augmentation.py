"""Augmented spikes are moved as asked, and nothing else."""

import numpy as np

from hearspike.datasets import SpikeEvents, count_spikes
from hearspike.datasets.augmentation import jitter_channels


def events(samples: int, per_sample: int) -> SpikeEvents:
    times = np.tile(np.linspace(0, 1, per_sample, dtype=np.float32), samples)
    units = np.full(samples * per_sample, 350, dtype=np.uint16)
    return SpikeEvents(times, units, np.arange(samples + 1) * per_sample, 700)


def test_no_jitter_changes_nothing() -> None:
    """Zero distances give the same spikes."""
    before = events(5, 20)
    after = jitter_channels(before, np.random.default_rng(0), shift=0.0, spread=0.0)
    np.testing.assert_array_equal(after.units, before.units)
    np.testing.assert_array_equal(after.times, before.times)
    np.testing.assert_array_equal(after.offsets, before.offsets)


def test_samples_move_as_a_whole_and_spikes_by_themselves() -> None:
    """The spread between samples and within them are those asked for."""
    after = jitter_channels(events(400, 400), np.random.default_rng(1), shift=20.0, spread=5.0)
    moved = after.units.reshape(400, 400).astype(float) - 350
    # A standard deviation from n normal numbers has a relative standard error of 1 / sqrt(2 n): 3.5 % of
    # 400 samples; four of them are 14 %. Rounding adds 1/12 to the variance within samples.
    assert abs(moved.mean(axis=1).std() / 20 - 1) < 0.14
    assert abs(moved.std(axis=1).mean() / np.sqrt(25 + 1 / 12) - 1) < 0.02


def test_spikes_beyond_the_channels_are_dropped() -> None:
    """Each sample keeps only what lies within; order and sample boundaries stay."""
    before = events(50, 30)
    after = jitter_channels(before, np.random.default_rng(2), shift=0.0, spread=400.0)
    counts = count_spikes(after).sum(axis=1)
    np.testing.assert_array_equal(counts, np.diff(after.offsets))
    assert 0 < counts.sum() < len(before.units)
    steps = np.diff(after.times)[np.setdiff1d(np.arange(len(after.times) - 1), after.offsets[1:-1] - 1)]
    assert (steps > 0).all()
