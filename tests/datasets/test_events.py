"""Spikes are neither lost nor invented on their way into counts and bins."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearspike.datasets import SpikeEvents, bin_events, count_spikes
from hearspike.errors import InputError


@st.composite
def spike_events(draw: st.DrawFn) -> SpikeEvents:
    channels = draw(st.integers(1, 12))
    counts = draw(st.lists(st.integers(0, 9), min_size=1, max_size=6))
    events = [
        (draw(st.floats(0, 2, width=16)), draw(st.integers(0, channels - 1))) for _ in range(sum(counts))
    ]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    times = np.array([time for time, _ in events], dtype=np.float32)
    for start, stop in pairwise(offsets):
        times[start:stop].sort()
    return SpikeEvents(times, np.array([unit for _, unit in events], dtype=np.uint16), offsets, channels)


@given(spike_events(), st.integers(1, 20), st.floats(0.1, 3))
def test_every_spike_is_in_exactly_one_bin_or_outside(events: SpikeEvents, bins: int, window: float) -> None:
    """A plain loop over events, with the definition of a bin, gives the same frames."""
    frames = bin_events(events, bins=bins, window=window)
    expected = np.zeros((len(events), bins, events.channels))
    outside = 0
    for sample in range(len(events)):
        for event in range(events.offsets[sample], events.offsets[sample + 1]):
            index = int(np.floor(float(events.times[event]) * (bins / window)))
            if index < bins:
                expected[sample, index, events.units[event]] += 1
            else:
                outside += 1
    np.testing.assert_array_equal(frames.counts, expected)
    assert frames.outside == outside
    assert frames.counts.sum() + frames.outside == len(events.times)


@given(spike_events())
def test_counts_add_up(events: SpikeEvents) -> None:
    """Every spike is counted once, in its sample and channel."""
    expected = np.zeros((len(events), events.channels), dtype=int)
    np.add.at(expected, (events.sample_of_event, events.units), 1)
    np.testing.assert_array_equal(count_spikes(events), expected)
    assert expected.sum() == len(events.times)


@given(spike_events(), st.integers(0, 5))
def test_parts_make_the_whole(events: SpikeEvents, cut: int) -> None:
    """Samples taken apart and put together again are what they were."""
    samples = np.arange(len(events))
    joined = SpikeEvents.concatenate([events.select(samples[:cut]), events.select(samples[cut:])])
    for name in ("times", "units", "offsets"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(events, name))


@given(spike_events(), st.randoms(use_true_random=False))
def test_selection_is_indexing(events: SpikeEvents, random: object) -> None:
    """Selecting samples and counting is counting and selecting."""
    order = np.random.default_rng(0).integers(len(events), size=5)
    np.testing.assert_array_equal(count_spikes(events.select(order)), count_spikes(events)[order])


@given(spike_events(), st.integers(0, 11), st.integers(1, 5))
def test_subsampling_channels_is_slicing(events: SpikeEvents, first: int, stride: int) -> None:
    """Kept channels keep their counts, all others vanish."""
    if first >= events.channels:
        with pytest.raises(InputError, match="first_channel"):
            events.subsample_channels(first=first, stride=stride)
        return
    thinned = events.subsample_channels(first=first, stride=stride)
    np.testing.assert_array_equal(count_spikes(thinned), count_spikes(events)[:, first::stride])


def test_published_thinning_of_shd_leaves_70_channels() -> None:
    """Dropping the first 70 of 700 channels and keeping every ninth leaves the 70 inputs of PNAS 2022."""
    empty = SpikeEvents(np.empty(0, np.float32), np.empty(0, np.uint16), np.zeros(2, np.int64), 700)
    assert empty.subsample_channels(first=70, stride=9).channels == 70
