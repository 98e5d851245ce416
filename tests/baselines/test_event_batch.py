"""Events in steps are the frames of `hearspike.datasets.bin_events`, entry by entry, in both orders."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearspike.baselines.event_batch import EventBatch, events_in_steps, events_of
from hearspike.datasets import SpikeEvents, bin_events
from hearspike.errors import InputError


def spikes(counts: list[int], *, seed: int, channels: int = 9) -> SpikeEvents:
    """Random spikes with many of a unit in one step, some after the window, and samples without any."""
    rng = np.random.default_rng(seed)
    times = [np.sort(rng.uniform(0, 1.2, count)) for count in counts]
    return SpikeEvents(
        np.concatenate([*times, []]).astype(np.float32),
        rng.integers(0, channels, sum(counts)).astype(np.uint16),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        channels,
    )


@settings(max_examples=30, deadline=None)  # the first example compiles
@given(st.lists(st.integers(0, 200), min_size=1, max_size=5), st.integers(1, 40), st.integers(0, 1000))
def test_events_are_the_frames(counts: list[int], steps: int, seed: int) -> None:
    events = spikes(counts, seed=seed)
    frames = bin_events(events, bins=steps, window=1.0).counts
    batch = events_in_steps(events, steps=steps, window=1.0)
    assert len(batch) == len(counts)
    np.testing.assert_array_equal(batch.dense().numpy(), frames)
    assert len(batch.units) == np.count_nonzero(frames)
    np.testing.assert_array_equal(events_of(frames).dense().numpy(), frames)
    np.testing.assert_array_equal(from_units(batch), frames)


def from_units(batch: EventBatch) -> np.ndarray:
    """Return the frames, filled from the entries by unit."""
    offsets, steps, values = batch.by_unit
    cell = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    frames = np.zeros((len(offsets) - 1, batch.steps), np.float32)
    frames[cell, steps] = values
    return frames.reshape(len(batch), batch.channels, batch.steps).transpose(0, 2, 1)


def test_not_a_number_is_an_entry() -> None:
    """It must reach the layer, which says so, and not pass for silence."""
    frames = np.zeros((1, 2, 3), np.float32)
    frames[0, 1, 2] = np.nan
    batch = events_of(frames)
    assert batch.units.tolist() == [2]
    assert np.isnan(batch.values).all()


def test_falling_times_and_empty_windows_are_refused() -> None:
    events = SpikeEvents(np.array([0.5, 0.1], np.float32), np.array([0, 1], np.uint16), np.array([0, 2]), 2)
    with pytest.raises(InputError, match="rising order"):
        events_in_steps(events, steps=10, window=1.0)
    with pytest.raises(InputError, match="steps: got 0"):
        events_in_steps(events, steps=0, window=1.0)
    with pytest.raises(InputError, match="window: got nan"):
        events_in_steps(events, steps=10, window=np.nan)
