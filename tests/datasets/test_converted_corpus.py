"""Spikes are made once, when they are first needed, and never mistaken for another converter's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hearspike.converter import preset
from hearspike.datasets import HeldOutSpeakers
from hearspike.datasets.converted_corpus import ConvertedCorpus
from hearspike.datasets.fewer_speakers import FewerSpeakers
from hearspike.datasets.fsdd import FSDD
from hearspike.errors import InputError


@pytest.fixture(scope="module")
def source(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ConvertedCorpus:
    """One take of every digit and speaker, by an ear of 16 channels."""
    return ConvertedCorpus(
        name="digits",
        root=tmp_path_factory.mktemp("converted") / "spikes",
        corpus=FSDD(data_folder / "fsdd", 1),
        converter=preset("speech", channels=16),
        converter_seed=0,
        split=HeldOutSpeakers(validation=("lucas",), test=("theo", "yweweler")),
        window=1.0,
        time_scale=2000.0,
    )


def test_made_once_for_every_split(source: ConvertedCorpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second task reads the same files, sorted anew, and converts nothing."""
    first = source.task()
    assert [len(part) for part in (first.train, first.validation, first.test)] == [30, 10, 20]
    monkeypatch.setattr("hearspike.datasets.converted_corpus.generate", None)
    other = replace(source, split=HeldOutSpeakers(validation=("theo",), test=("george", "jackson")))
    second = other.task()
    assert set(second.test.speakers) == {0, 1}
    times = [
        np.sort(np.concatenate([part.events.times for part in (task.train, task.validation, task.test)]))
        for task in (first, second)
    ]
    np.testing.assert_array_equal(times[0], times[1])


@pytest.mark.parametrize(
    "change", [{"converter": preset("causal", channels=16)}, {"converter_seed": 1}], ids=["converter", "seed"]
)
def test_spikes_of_another_converter_are_refused(source: ConvertedCorpus, change: dict[str, object]) -> None:
    """Rather than read as what they are not."""
    source.task()
    with pytest.raises(InputError, match="or no such folder"):
        replace(source, **change).task()  # type: ignore[arg-type]


def test_a_split_may_leave_samples_out(source: ConvertedCorpus) -> None:
    """One voice of three, five of its recordings: the rest of the files is in no part."""
    split = FewerSpeakers(1, 0, 5, 0.4, validation=("lucas",), test=("theo", "yweweler"))
    task = replace(source, split=split).task()
    assert set(task.train.speakers) == {0}
    assert len(task.train) == 5
    assert len(task.validation) == 10
    assert task.split["name"] == "FewerSpeakers"
