"""Spikes lose their times and keep their number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearspike.datasets import SpikeEvents, count_spikes
from hearspike.datasets.spike_timing import draw_times, jitter_times, reverse_times, shuffle_intervals
from hearspike.errors import InputError

CHANNELS = 4


@st.composite
def spike_events(draw: st.DrawFn) -> SpikeEvents:
    """Some samples, with and without spikes, several at once allowed."""
    counts = draw(st.lists(st.integers(0, 12), min_size=1, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    times = np.concatenate([np.sort(rng.integers(0, 50, count)) / 64 for count in counts])
    units = rng.integers(CHANNELS, size=offsets[-1])
    return SpikeEvents(times.astype(np.float32), units.astype(np.uint16), offsets, CHANNELS)


def assert_in_order(events: SpikeEvents) -> None:
    for start, end in zip(events.offsets[:-1], events.offsets[1:], strict=True):
        assert (np.diff(events.times[start:end]) >= 0).all()


def intervals(events: SpikeEvents, ends: list[float]) -> list[list[float]]:
    """Sorted intervals of every channel of every sample, from 0 s to the given end of the sample."""
    found = []
    for start, stop, end in zip(events.offsets[:-1], events.offsets[1:], ends, strict=True):
        for channel in range(CHANNELS):
            own = events.times[start:stop][events.units[start:stop] == channel].astype(float)
            if len(own):
                found.append(sorted(np.diff([0.0, *own, end])))
    return found


@settings(max_examples=30)
@given(events=spike_events(), seed=st.integers(0, 1000))
@pytest.mark.parametrize("name", ["draw", "shuffle", "reverse", "jitter"])
def test_counts_are_kept(name: str, events: SpikeEvents, seed: int) -> None:
    """Whatever is done to times, every channel of every sample has as many spikes as before, in order."""
    rng = np.random.default_rng(seed)
    changed = {
        "draw": lambda: draw_times(events, rng, window=1.0),
        "shuffle": lambda: shuffle_intervals(events, rng),
        "reverse": lambda: reverse_times(events),
        "jitter": lambda: jitter_times(events, rng, deviation=0.05),
    }[name]()
    np.testing.assert_array_equal(count_spikes(changed), count_spikes(events))
    assert_in_order(changed)
    assert changed.times.dtype == np.float32
    assert (changed.times >= 0).all()


@settings(max_examples=30)
@given(events=spike_events(), seed=st.integers(0, 1000))
def test_shuffled_intervals_are_the_same_intervals(events: SpikeEvents, seed: int) -> None:
    """Each channel keeps its intervals, those before its first and after its last spike among them."""
    shuffled = shuffle_intervals(events, np.random.default_rng(seed))
    spiking = zip(events.offsets[:-1], events.offsets[1:], strict=True)
    ends = [float(events.times[stop - 1]) if stop > start else 0.0 for start, stop in spiking]
    for before, after in zip(intervals(events, ends), intervals(shuffled, ends), strict=True):
        # Times below 1 s in single precision are exact to 6e-8; an interval is the difference of two.
        np.testing.assert_allclose(after, before, atol=2e-7)


def test_shuffle_of_one_channel_is_a_permutation_of_its_intervals() -> None:
    """All orders of three intervals come up equally often."""
    samples = 3000
    times = np.tile(np.array([0.1, 0.3, 0.9], dtype=np.float32), samples)
    # Channel 0 has spikes at 0.1 and 0.3, channel 1 ends the sample at 0.9: intervals 0.1, 0.2, 0.6.
    units = np.tile(np.array([0, 0, 1], dtype=np.uint16), samples)
    events = SpikeEvents(times, units, 3 * np.arange(samples + 1), 2)
    shuffled = shuffle_intervals(events, np.random.default_rng(0))
    own = shuffled.times[shuffled.units == 0].reshape(samples, 2)
    found, counts = np.unique(np.round(own, 4), axis=0, return_counts=True)
    expected = sorted([(0.1, 0.3), (0.1, 0.7), (0.2, 0.3), (0.2, 0.8), (0.6, 0.7), (0.6, 0.8)])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    # Each of six orders 500 times with a standard deviation of 20: six of them within 5 deviations.
    assert np.abs(counts - samples / 6).max() < 100


@settings(max_examples=30)
@given(events=spike_events())
def test_no_jitter_is_no_change(events: SpikeEvents) -> None:
    """A deviation of 0 is the identity, to the byte and in the same order."""
    same = jitter_times(events, np.random.default_rng(0), deviation=0.0)
    for name in ("times", "units", "offsets"):
        np.testing.assert_array_equal(getattr(same, name), getattr(events, name))


@settings(max_examples=30)
@given(events=spike_events())
def test_reversing_twice_is_no_change(events: SpikeEvents) -> None:
    """First and last spike change places, and back; times are in 64ths, so that float32 adds them exactly."""
    twice = reverse_times(reverse_times(events))
    np.testing.assert_array_equal(twice.times, events.times)
    if len(events.times):
        once = reverse_times(events)
        start, end = events.offsets[0], events.offsets[1]
        if end > start:
            assert once.times[start] == events.times[start]


def test_drawn_times_are_uniform_and_jitter_is_normal() -> None:
    """By Kolmogorov and Smirnov's test, which would fail by chance once in 10,000."""
    from scipy import stats

    many = SpikeEvents(
        np.full(20_000, 0.5, np.float32), np.zeros(20_000, np.uint16), np.array([0, 20_000]), 1
    )
    drawn = draw_times(many, np.random.default_rng(0), window=0.8).times
    assert stats.kstest(drawn, stats.uniform(0, 0.8).cdf).pvalue > 1e-4
    moved = jitter_times(many, np.random.default_rng(0), deviation=0.02).times - 0.5
    assert stats.kstest(moved, stats.norm(0, 0.02).cdf).pvalue > 1e-4


def test_wrong_numbers_are_refused() -> None:
    """Times need a window, jitter a deviation."""
    events = SpikeEvents(np.zeros(1, np.float32), np.zeros(1, np.uint16), np.array([0, 1]), 1)
    with pytest.raises(InputError, match="window"):
        draw_times(events, np.random.default_rng(0), window=0.0)
    with pytest.raises(InputError, match="deviation"):
        jitter_times(events, np.random.default_rng(0), deviation=-1.0)
