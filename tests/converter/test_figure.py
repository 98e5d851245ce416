"""The picture shows the rates that the spikes have, and comes out the same each time."""

from pathlib import Path

import numpy as np
import pytest

from hearspike.converter import SpikeTrains, Waveform
from hearspike.converter.figure import draw, firing_rates
from hearspike.errors import InputError

FREQUENCIES = np.geomspace(10_000, 100, 25)


def trains() -> SpikeTrains:
    """100 spikes/s on channels 0 to 9, none on 10 to 19, one spike on channel 24 at the very end."""
    times = np.repeat(np.arange(0.0025, 0.1, 0.01), 10)
    units = np.tile(np.arange(10), 10)
    order = np.argsort(times, kind="stable")
    return SpikeTrains(
        times=np.append(times[order], 0.1),
        units=np.append(units[order], 24).astype(np.uint16),
        duration=0.1,
        channels=25,
        sample_rate=24_000,
    )


def test_rates_are_spikes_per_second_and_channel() -> None:
    """Every second bin of 5 ms holds one spike of each channel: 200/s there, 0/s between."""
    rates, edges = firing_rates(trains())
    assert rates.shape == (3, 20)
    assert edges[-1] == pytest.approx(0.1)
    np.testing.assert_allclose(rates[0], np.tile([200.0, 0.0], 10))
    assert not rates[1].any()
    # One spike in 5 ms on a group of five channels.
    np.testing.assert_allclose(rates[2], [*np.zeros(19), 40.0])


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_same_spikes_same_bytes(suffix: str, tmp_path: Path) -> None:
    """The file holds no date and no random name."""
    waveform = Waveform(samples=np.zeros(4800, np.float32), sample_rate=48_000)
    for name in ("a", "b"):
        draw(waveform, trains(), tmp_path / f"{name}{suffix}", frequencies_hz=FREQUENCIES)
    first = (tmp_path / f"a{suffix}").read_bytes()
    assert len(first) > 5_000
    assert first == (tmp_path / f"b{suffix}").read_bytes()


def test_other_suffix_is_refused(tmp_path: Path) -> None:
    """The formats that exist are named."""
    waveform = Waveform(samples=np.zeros(4800, np.float32), sample_rate=48_000)
    with pytest.raises(InputError, match=r"\.png or \.svg"):
        draw(waveform, trains(), tmp_path / "a.bmp", frequencies_hz=FREQUENCIES)
    assert list(tmp_path.iterdir()) == []
