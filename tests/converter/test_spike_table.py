"""The table holds every spike, readable by anything that reads CSV."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hearspike.converter import SpikeTrains
from hearspike.converter.spike_table import save_spike_table
from hearspike.errors import InputError


def trains() -> SpikeTrains:
    rng = np.random.default_rng(0)
    times = np.sort(rng.integers(0, 24_000, 500)) / 24_000
    units = rng.integers(0, 700, 500).astype(np.uint16)
    return SpikeTrains(times=times, units=units, duration=1.0, channels=700, sample_rate=24_000)


def test_table_holds_every_spike(tmp_path: Path) -> None:
    """Read by pandas, times come back to half a nanosecond and channels exactly."""
    save_spike_table(tmp_path / "a.csv", trains())
    table = pd.read_csv(tmp_path / "a.csv")
    assert list(table.columns) == ["time_s", "channel"]
    np.testing.assert_allclose(table["time_s"], trains().times, atol=0.51e-9)
    np.testing.assert_array_equal(table["channel"], trains().units)


def test_other_suffix_and_existing_file_are_refused(tmp_path: Path) -> None:
    """Nothing is written over."""
    with pytest.raises(InputError, match=r"ends in \.csv"):
        save_spike_table(tmp_path / "a.txt", trains())
    save_spike_table(tmp_path / "a.csv", trains())
    with pytest.raises(InputError, match="exists already"):
        save_spike_table(tmp_path / "a.csv", trains())
