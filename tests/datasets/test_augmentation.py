"""Augmented spikes keep the contract, and are changed by as much as was asked for."""

from collections.abc import Callable

import numpy as np
import pytest

from hearspike.datasets import SpikeDataset, SpikeEvents, count_spikes
from hearspike.datasets.augmentation import (
    add_noise_events,
    drop_events,
    jitter_channels,
    mask_channels,
    mask_times,
    mix_samples,
    shift_times,
    stretch_times,
)
from hearspike.errors import InputError

SAMPLES, SPIKES, CHANNELS = 40, 500, 700


def events() -> SpikeEvents:
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0.1, 1.0, (SAMPLES, SPIKES)), axis=1).ravel().astype(np.float32)
    units = rng.integers(0, CHANNELS, SAMPLES * SPIKES).astype(np.uint16)
    return SpikeEvents(times, units, np.arange(SAMPLES + 1) * SPIKES, CHANNELS)


def dataset() -> SpikeDataset:
    return SpikeDataset(events(), np.arange(SAMPLES) % 7, np.arange(SAMPLES) % 3, tuple("abcdefg"))


Change = Callable[[np.random.Generator], SpikeEvents]

CHANGES: dict[str, Change] = {
    "jitter": lambda rng: jitter_channels(events(), rng, shift=20.0, spread=20.0),
    "shift": lambda rng: shift_times(events(), rng, largest=0.2),
    "stretch": lambda rng: stretch_times(events(), rng, spread=0.2),
    "channel mask": lambda rng: mask_channels(events(), rng, widest=200.0),
    "time mask": lambda rng: mask_times(events(), rng, longest=0.3),
    "drop": lambda rng: drop_events(events(), rng, probability=0.3),
    "noise": lambda rng: add_noise_events(events(), rng, rate_hz=0.5, window=1.4),
    "mix": lambda rng: mix_samples(dataset(), rng).events,
}


@pytest.mark.parametrize("name", CHANGES)
def test_changed_spikes_keep_the_contract_and_the_seed(name: str) -> None:
    """Sorted, of at least 0 s, in range, as many samples; the same seed gives the same, another does not."""
    first, again, other = (CHANGES[name](np.random.default_rng(seed)) for seed in (1, 1, 2))
    for field in ("times", "units", "offsets"):
        np.testing.assert_array_equal(getattr(first, field), getattr(again, field))
    assert len(first.times) != len(other.times) or (first.times != other.times).any() or name == "jitter"
    assert count_spikes(first).tolist() != count_spikes(other).tolist() or name == "stretch"
    assert (str(first.times.dtype), str(first.units.dtype), first.channels) == ("float32", "uint16", CHANNELS)
    assert len(first) == SAMPLES
    assert first.offsets[-1] == len(first.times) == len(first.units)
    assert (first.times >= 0).all()
    steps = np.diff(first.times)
    steps[first.offsets[1:-1] - 1] = 0
    assert (steps >= 0).all()
    assert first.units.max() < CHANNELS


def test_nothing_is_changed_by_nothing() -> None:
    """With zero strength every change is the identity."""
    rng = np.random.default_rng(0)
    for same in (
        jitter_channels(events(), rng, shift=0.0, spread=0.0),
        shift_times(events(), rng, largest=0.0),
        stretch_times(events(), rng, spread=0.0),
        mask_channels(events(), rng, widest=0.0),
        mask_times(events(), rng, longest=0.0),
        drop_events(events(), rng, probability=0.0),
        add_noise_events(events(), rng, rate_hz=0.0, window=1.0),
        mix_samples(dataset(), rng, share=0.0).events,
    ):
        np.testing.assert_array_equal(same.times, events().times)
        np.testing.assert_array_equal(same.units, events().units)


def test_shift_moves_a_sample_as_a_whole() -> None:
    """Differences within a sample stay; the shifts fill the interval; early spikes are dropped."""
    moved = shift_times(events(), np.random.default_rng(0), largest=0.05)
    assert len(moved.times) == len(events().times)  # all start after 0.1 s
    shifts = (moved.times - events().times).reshape(SAMPLES, SPIKES)
    np.testing.assert_allclose(shifts, np.broadcast_to(shifts[:, :1], shifts.shape), atol=1e-6)  # float32
    assert -0.05 <= shifts.min() < -0.03
    assert 0.03 < shifts.max() <= 0.05
    assert len(shift_times(events(), np.random.default_rng(0), largest=0.5).times) < len(events().times)


def test_stretch_multiplies_a_sample_as_a_whole() -> None:
    """One factor for all times of a sample, lognormal over samples; no spike is lost."""
    stretched = stretch_times(events(), np.random.default_rng(0), spread=0.2)
    factors = (stretched.times / events().times).reshape(SAMPLES, SPIKES)
    np.testing.assert_allclose(factors, np.broadcast_to(factors[:, :1], factors.shape), rtol=1e-6)  # float32
    # The standard deviation of 40 draws scatters by 0.2 / sqrt(80) = 0.022; four of these.
    assert abs(np.log(factors[:, 0]).std() - 0.2) < 0.09


def test_masks_silence_one_stretch_and_nothing_else() -> None:
    """What is lost lies together, and nothing is lost around it; widths are uniform up to the widest."""
    before = events()
    by_channel = mask_channels(before, np.random.default_rng(0), widest=200.0)
    by_time = mask_times(before, np.random.default_rng(0), longest=0.3)
    for masked, name, widest in ((by_channel, "units", 200.0), (by_time, "times", 0.3)):
        shares = []
        for sample in range(SAMPLES):
            whole, left = (
                getattr(part, name)[part.offsets[sample] : part.offsets[sample + 1]]
                for part in (before, masked)
            )
            values, counts = np.unique(whole, return_counts=True)
            lost = counts - (left[:, np.newaxis] == values).sum(axis=0)
            gone = np.flatnonzero(lost)
            if len(gone):
                np.testing.assert_array_equal(lost[gone[0] : gone[-1] + 1], counts[gone[0] : gone[-1] + 1])
                assert values[gone[-1]] - values[gone[0]] <= widest
            shares.append((values[gone[-1]] - values[gone[0]]) / widest if len(gone) else 0.0)
        # The mean of 40 uniform draws scatters by 0.29 / sqrt(40) = 0.046; three of these, less the gaps.
        assert 0.34 < np.mean(shares) < 0.64


def test_masks_leave_samples_without_spikes_alone() -> None:
    """No spike, no last one; and a mask wider than everything takes everything at most."""
    empty = SpikeEvents(np.empty(0, np.float32), np.empty(0, np.uint16), np.zeros(3, np.int64), CHANNELS)
    for masked in (
        mask_channels(empty, np.random.default_rng(0), widest=1e6),
        mask_times(empty, np.random.default_rng(0), longest=1e6),
    ):
        assert len(masked) == 2
    assert len(mask_times(events(), np.random.default_rng(0), longest=1e6).times) < 0.01 * SAMPLES * SPIKES


def test_drop_and_noise_have_their_rates() -> None:
    """Binomial losses and Poisson gains, to five standard deviations."""
    total = SAMPLES * SPIKES
    kept = len(drop_events(events(), np.random.default_rng(0), probability=0.3).times)
    assert abs(kept - 0.7 * total) < 5 * np.sqrt(0.21 * total)
    noisy = add_noise_events(events(), np.random.default_rng(0), rate_hz=0.5, window=1.4)
    mean = 0.5 * 1.4 * CHANNELS * SAMPLES
    assert abs(len(noisy.times) - total - mean) < 5 * np.sqrt(mean)
    assert noisy.times.max() < 1.4
    assert len(drop_events(events(), np.random.default_rng(0), probability=1.0).times) == 0


def test_mixing_takes_spikes_of_one_other_sample_of_the_class() -> None:
    """With share 1 every sample becomes another of its class, and each is taken once."""
    data = dataset()
    mixed = mix_samples(data, np.random.default_rng(0), share=1.0)
    originals = {data.events.times[i * SPIKES : (i + 1) * SPIKES].tobytes(): i for i in range(SAMPLES)}
    sources = [originals[mixed.events.times[i * SPIKES : (i + 1) * SPIKES].tobytes()] for i in range(SAMPLES)]
    assert sorted(sources) == list(range(SAMPLES))
    assert all(source != sample for sample, source in enumerate(sources))
    np.testing.assert_array_equal(data.labels[sources], data.labels)
    np.testing.assert_array_equal(mixed.speakers, data.speakers)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_wrong_probability_is_refused(wrong: float) -> None:
    """A probability is 0 to 1."""
    with pytest.raises(InputError, match="probability"):
        drop_events(events(), np.random.default_rng(0), probability=wrong)
    with pytest.raises(InputError, match="share"):
        mix_samples(dataset(), np.random.default_rng(0), share=wrong)
