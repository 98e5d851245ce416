"""What comes back from spikes lies between the floors and the ceilings."""

from pathlib import Path

import pytest

from hearspike.datasets.listening_benchmark import benchmark
from hearspike.errors import InputError


def test_every_stage_loses_something_and_the_channels_matter(data_folder: Path) -> None:
    """One take of ten digits: velocity ≥ spikes > spikes on wrong channels > what says something else."""
    rows = benchmark(data_folder / "fsdd", presets=("causal",), speakers=("theo",), takes=1)
    stoi = {row.heard: row.stoi for row in rows}
    likeness = {row.heard: row.log_mel_correlation for row in rows}
    for score in (stoi, likeness):
        ladder = [
            score["floor: another digit, same speaker"],
            score["floor: spikes, channels shuffled"],
            score["spikes"],
            score["ceiling: firing probability"],
            score["ceiling: membrane velocity"],
        ]
        assert ladder == sorted(ladder)
        assert score["floor: noise of the same spectrum"] < score["spikes"]
    assert stoi["ceiling: membrane velocity"] > 0.9
    assert all(row.recordings == 10 for row in rows)


def test_a_speaker_that_is_not_there_is_refused(data_folder: Path) -> None:
    with pytest.raises(InputError, match="no recording 0_nobody_0"):
        benchmark(data_folder / "fsdd", speakers=("nobody",), takes=1)
