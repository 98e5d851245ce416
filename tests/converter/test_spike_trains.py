"""The file of spike trains."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearspike.converter import SpikeTrains, load_spikes, save_spikes
from hearspike.errors import InputError


@pytest.fixture
def trains() -> SpikeTrains:
    return SpikeTrains(
        times=np.array([0.0, 0.1, 0.1, 0.25]),
        units=np.array([3, 0, 699, 3], dtype=np.uint16),
        duration=0.3,
        channels=700,
        sample_rate=24000,
    )


def test_spike_trains_survive_the_file(tmp_path: Path, trains: SpikeTrains) -> None:
    save_spikes(tmp_path / "a.npz", trains)
    loaded = load_spikes(tmp_path / "a.npz")
    np.testing.assert_array_equal(loaded.times, trains.times)
    np.testing.assert_array_equal(loaded.units, trains.units)
    assert loaded.units.dtype == np.uint16
    assert (loaded.duration, loaded.channels, loaded.sample_rate) == (0.3, 700, 24000)
    assert len(loaded) == 4
    assert loaded.counts()[3] == 2
    assert loaded.counts().shape == (700,)


def test_nothing_is_written_over(tmp_path: Path, trains: SpikeTrains) -> None:
    (tmp_path / "a.npz").write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        save_spikes(tmp_path / "a.npz", trains)
    assert (tmp_path / "a.npz").read_text() == "precious"
    with pytest.raises(InputError, match=r"ends in \.npz"):
        save_spikes(tmp_path / "a.txt", trains)


CONTENT: dict[str, Any] = {
    "times": np.array([0.1, 0.2]),
    "units": np.array([1, 2]),
    "duration": np.float64(1),
    "channels": np.int64(3),
    "sample_rate": np.int64(10),
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"times": np.array([0.2, 0.1])}, "out of order"),
        ({"times": np.array([0.1])}, "two vectors of one length"),
        ({"units": np.array([1, 3])}, "channels from 0 to 2"),
        ({"units": np.array([-1, 2])}, "channels from 0 to 2"),
        ({"units": np.array([0.5, 1.5])}, "integers for counts"),
        ({"channels": np.array([3, 3])}, "a single number"),
        ({"channels": None}, "no array channels"),
        ({"times": np.array([object(), None])}, "plain arrays"),
    ],
)
def test_a_file_that_breaks_the_contract_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    """Pickled objects included: they are not loaded, let alone run."""
    content = {key: value for key, value in {**CONTENT, **change}.items() if value is not None}
    np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(InputError, match=message):
        load_spikes(tmp_path / "a.npz")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npz"):
        load_spikes(tmp_path / "a.npz")
    with pytest.raises(InputError, match="no such file"):
        load_spikes(tmp_path / "b.npz")
