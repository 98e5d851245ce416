"""The table holds every spike, readable by anything that reads CSV, and gives it back exactly."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearspike.converter import SpikeTrains
from hearspike.converter.spike_table import load_spike_table, save_spike_table
from hearspike.errors import InputError


def trains() -> SpikeTrains:
    rng = np.random.default_rng(0)
    times = np.sort(rng.integers(0, 24_000, 500)) / 24_000
    units = rng.integers(0, 700, 500).astype(np.uint16)
    return SpikeTrains(times=times, units=units, duration=1 / 3, channels=700, sample_rate=24_000)


def test_other_programs_read_every_spike(tmp_path: Path) -> None:
    """Pandas gets all channels, and all times to rounding; the line of facts is a comment to it."""
    save_spike_table(tmp_path / "a.csv", trains())
    table = pd.read_csv(tmp_path / "a.csv", comment="#")
    assert list(table.columns) == ["time_s", "channel"]
    np.testing.assert_allclose(table["time_s"], trains().times, rtol=1e-15)
    np.testing.assert_array_equal(table["channel"], trains().units)


@given(
    st.lists(st.tuples(st.floats(0, 100), st.integers(0, 699)), max_size=20),
    st.floats(1e-6, 1e6),
    st.integers(1, 400_000),
)
def test_the_way_there_and_back_is_exact(
    tmp_path_factory: pytest.TempPathFactory, spikes: list[tuple[float, int]], duration: float, rate: int
) -> None:
    """Every bit of every number, and no spikes at all."""
    times = np.array(sorted(time for time, _ in spikes), dtype=np.float64)
    before = SpikeTrains(times, np.array([unit for _, unit in spikes], np.uint16), duration, 700, rate)
    path = tmp_path_factory.mktemp("table") / "a.csv"
    save_spike_table(path, before)
    after = load_spike_table(path)
    assert after.times.tobytes() == before.times.tobytes()
    assert after.units.tobytes() == before.units.tobytes()
    assert (after.duration, after.channels, after.sample_rate) == (duration, 700, rate)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# duration", "duration", "other first lines"),
        ("channels=700", "channels=7", "channels from 0 to 6"),
        ("time_s,channel", "time,channel", "other first lines"),
        ("0.5,3", "0.5", "does not read as a table"),
        ("0.5,3", "0.5,3,1", "does not read as a table"),
        ("0.5,3", "half,3", "does not read as a table"),
        ("0.5,3", "nan,3", "out of order"),
        ("0.5,3", "0.5,99999999999999999999999", "does not read as a table"),
        ("0.25,10", "0.75,10", "out of order"),
    ],
)
def test_damage_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    two = replace(trains(), times=np.array([0.25, 0.5]), units=np.array([10, 3], np.uint16))
    save_spike_table(tmp_path / "a.csv", two)
    text = (tmp_path / "a.csv").read_text()
    assert old in text
    (tmp_path / "b.csv").write_text(text.replace(old, new))
    with pytest.raises(InputError, match=message):
        load_spike_table(tmp_path / "b.csv")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"hello\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match="other first lines"):
        load_spike_table(tmp_path / "a.csv")
    with pytest.raises(InputError, match="no such file"):
        load_spike_table(tmp_path / "none.csv")


def test_other_suffix_and_existing_file_are_refused(tmp_path: Path) -> None:
    """Nothing is written over."""
    with pytest.raises(InputError, match=r"ends in \.csv"):
        save_spike_table(tmp_path / "a.txt", trains())
    save_spike_table(tmp_path / "a.csv", trains())
    with pytest.raises(InputError, match="exists already"):
        save_spike_table(tmp_path / "a.csv", trains())
