"""Frames become events and come back as the same frames."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hearspike.datasets import bin_events
from hearspike.datasets.graded_events import graded_events, sum_values
from hearspike.errors import InputError


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_round_trip(seed: int, lengths: list[int]) -> None:
    """With one bin for each frame, sums are the frames, and 0 after a sample's end."""
    rng = np.random.default_rng(seed)
    frames = [rng.random((length, 3)) * (rng.random((length, 3)) < 0.7) for length in lengths]
    events = graded_events(frames, step=0.01)
    sums = sum_values(events, bins=10, window=0.1)
    for frame, found in zip(frames, sums, strict=True):
        np.testing.assert_allclose(found[: len(frame)], frame, rtol=1e-6)
        assert not found[len(frame) :].any()


def test_values_of_1_are_spikes() -> None:
    """Sums of events of value 1 are counts, also where bins are wider than frames."""
    frames = [(np.random.default_rng(0).random((20, 4)) < 0.4).astype(float) for _ in range(3)]
    events = graded_events(frames, step=0.01)
    np.testing.assert_array_equal(
        sum_values(events, bins=7, window=0.15), bin_events(events, bins=7, window=0.15).counts
    )


def test_selection_takes_values_along() -> None:
    """Samples in another order, and one twice."""
    rng = np.random.default_rng(0)
    events = graded_events([rng.random((length, 2)) for length in (3, 1, 4)], step=0.01)
    sums = sum_values(events, bins=5, window=0.05)
    chosen = np.array([2, 0, 2])
    np.testing.assert_array_equal(sum_values(events.select(chosen), bins=5, window=0.05), sums[chosen])


@pytest.mark.parametrize("frames", [[], [np.full((2, 2), -1.0)], [np.ones((1, 2)), np.ones((1, 3))]])
def test_wrong_frames_are_refused(frames: list[np.ndarray]) -> None:
    """None, negative, or of different widths."""
    with pytest.raises(InputError, match="frames"):
        graded_events(frames, step=0.01)
