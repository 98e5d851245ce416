"""Channels and steps: published numbers for speech, everything of small data."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearspike.baselines.chip_input import ChipInput
from hearspike.datasets import SpikeEvents
from hearspike.errors import InputError

SPEECH: dict[str, Any] = {
    "window": 1.4,
    "time_scale": 2000.0,
    "step_us": 2.0,
    "most_steps": 250,
    "most_channels": 70,
    "left_out": 0.1,
}


def one_spike_in_each(channels: int) -> SpikeEvents:
    """One sample in which every channel fires once."""
    units = np.arange(channels, dtype=np.uint16)
    times = np.zeros(channels, dtype=np.float32)
    return SpikeEvents(times, units, np.array([0, channels], dtype=np.int64), channels)


def test_of_700_channels_every_ninth_from_70_on_is_seen() -> None:
    """As Cramer et al. (PNAS 2022) thin SHD."""
    source = ChipInput(**SPEECH)
    seen = source(one_spike_in_each(700))
    expected = one_spike_in_each(700).subsample_channels(first=70, stride=9)
    assert seen.channels == source.inputs(700) == 70
    assert seen.units.tolist() == expected.units.tolist()


@given(channels=st.integers(1, 2000), most=st.integers(1, 300), left_out=st.floats(0, 0.9))
def test_inputs_are_within_the_bound_and_small_data_whole(channels: int, most: int, left_out: float) -> None:
    """Whatever the data, something is seen, never more than the network has room for."""
    source = ChipInput(**SPEECH | {"most_channels": most, "left_out": left_out})
    assert source(one_spike_in_each(channels)).channels == source.inputs(channels)
    assert 1 <= source.inputs(channels) <= most
    if channels <= most:
        assert source.inputs(channels) == channels


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ({}, 250),
        ({"window": 1.0}, 250),
        ({"window": 34e-6, "time_scale": 1.0, "step_us": 1.7}, 20),  # 16 × 16 images, Cramer et al. 2022
        ({"window": 30e-6, "time_scale": 1.0, "step_us": 1.7}, 18),  # 30.6 µs
        ({"window": 1e-7, "time_scale": 1.0}, 1),
    ],
)
def test_steps_cover_the_window_within_the_bound(changes: dict[str, Any], steps: int) -> None:
    """A part of a step counts as one, rounding does not."""
    source = ChipInput(**SPEECH | changes)
    assert source.steps == steps
    assert source.duration == pytest.approx(steps * source.step_us * 1e-6 * source.time_scale)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("window", 0.0),
        ("time_scale", -1.0),
        ("step_us", np.inf),
        ("most_steps", 0),
        ("most_channels", 0),
        ("left_out", 1.0),
    ],
)
def test_wrong_settings_are_refused(key: str, value: float) -> None:
    """Each names its key."""
    with pytest.raises(InputError, match=rf"model\.input\.{key}"):
        ChipInput(**SPEECH | {key: value})
