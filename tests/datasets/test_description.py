"""A spike file is described by numbers that its spikes give."""

from pathlib import Path

import numpy as np
import pytest

from hearspike.datasets import write_spike_file
from hearspike.datasets.description import describe, summarise_folder
from hearspike.errors import InputError


def test_numbers_are_those_of_the_spikes(tmp_path: Path) -> None:
    """Counts, channels in use, latest spike and licence; every file of every finished folder is listed."""
    for name in ("one", "two", "three.work-0123"):
        write_spike_file(
            tmp_path / name / "train.h5",
            [np.array([0.25, 0.5]), np.array([]), np.array([1.5])],
            [np.array([3, 699]), np.array([], dtype=int), np.array([3])],
            labels=[0, 1, 0],
            speakers=[4, 4, 5],
            classes=("a", "b", "c"),
            sources=("x", "y", "z"),
            speaker_info={},
            attributes={"licence": "CC0-1.0"} if name == "one" else {},
            time_type="float16",
        )
    sets = summarise_folder(tmp_path)
    found = describe(sets["one"][0])
    assert (found.name, found.file, found.samples, found.classes, found.speakers) == (
        "one",
        "train.h5",
        3,
        3,
        2,
    )
    assert (found.spikes_per_sample, found.channels_used, found.longest_s) == (1.0, 2, 1.5)
    assert sorted(sets) == ["one", "two"]
    assert found.licence == "CC0-1.0"
    assert describe(sets["two"][0]).licence is None
    assert sets["one"][0].spikes.tolist() == [2, 0, 1]
    with pytest.raises(InputError, match="a folder of data sets"):
        summarise_folder(tmp_path / "none")
