"""A task is read from files that agree with each other, by their own split or any other."""

from pathlib import Path

import numpy as np
import pytest

from hearspike.datasets import HeldOutSpeakers, SpikeFiles, Split, write_spike_file
from hearspike.datasets.more_splits import MatchingKeys, Published
from hearspike.errors import InputError


def write(
    path: Path,
    *,
    speakers: list[int],
    classes: tuple[str, ...] = ("a", "b"),
    names: list[str] | None = None,
    first: int = 0,
) -> None:
    """Write samples with a spike each, whose channel is the sample's number, counted from ``first``."""
    numbers = range(first, first + len(speakers))
    write_spike_file(
        path,
        [np.array([0.1])] * len(speakers),
        [np.array([number]) for number in numbers],
        labels=[number % 2 for number in numbers],
        speakers=speakers,
        classes=classes,
        sources=[str(number) for number in numbers],
        speaker_info={} if names is None else {"name": names},
        attributes={},
        time_type="float16",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "train.h5", speakers=[0, 1, 1, 2])
    write(tmp_path / "valid.h5", speakers=[3], first=4)
    write(tmp_path / "test.h5", speakers=[4, 0], first=5)
    return tmp_path


def source(folder: Path, *, validation: str | None = "valid.h5", split: Split | None = None) -> SpikeFiles:
    return SpikeFiles(
        "t", folder, "train.h5", validation, "test.h5", split=split, window=1.0, time_scale=2000.0
    )


def test_three_files_are_three_parts(folder: Path) -> None:
    """Each file is a part, with its checksum."""
    task = source(folder).task()
    assert [len(task.train), len(task.validation), len(task.test)] == [4, 1, 2]
    assert set(task.sha256) == {"train.h5", "valid.h5", "test.h5"}
    assert (task.window, task.time_scale) == (1.0, 2000.0)


def test_validation_speakers_leave_training(folder: Path) -> None:
    """Without a validation file, named speakers are heard in validation only; the test file stays."""
    task = source(folder, validation=None, split=Published(validation=("1",))).task()
    assert task.train.speakers.tolist() == [0, 2]
    assert task.validation.speakers.tolist() == [1, 1]
    assert task.test.speakers.tolist() == [4, 0]
    assert set(task.sha256) == {"train.h5", "test.h5"}


@pytest.mark.parametrize(
    ("validation", "split", "message"),
    [
        (None, None, r"dataset\.validation: got None, expected a file, or a split"),
        ("valid.h5", Published(validation=("1",)), "no speakers, since the corpus has a validation part"),
        (None, Published(validation=("7",)), r"split\.validation: got 7, expected some of 0, 1, 2"),
        (None, Published(validation=("0", "1", "2")), "no recording for train"),
        ("none.h5", None, r"none\.h5: got no file"),
    ],
)
def test_wrong_validation_is_refused(
    folder: Path, validation: str | None, split: Split | None, message: str
) -> None:
    """There is exactly one source of validation data, and it exists."""
    with pytest.raises(InputError, match=message):
        source(folder, validation=validation, split=split).task()


def test_missing_folder_is_named(tmp_path: Path) -> None:
    """The error says how to make the folder."""
    with pytest.raises(InputError, match=r"dataset\.root.*hearspike generate"):
        source(tmp_path / "no").task()


def test_files_of_different_tasks_are_refused(folder: Path) -> None:
    """All files have the same classes, and number their speakers in the same way."""
    (folder / "test.h5").unlink()
    write(folder / "test.h5", speakers=[4], classes=("a", "b", "c"))
    with pytest.raises(InputError, match=r"test\.h5: got 3 classes"):
        source(folder).task()
    (folder / "test.h5").unlink()
    write(folder / "test.h5", speakers=[1], names=["jo", "al"])
    with pytest.raises(InputError, match=r"test\.h5: got other names"):
        source(folder).task()


def test_split_is_named_and_its_checksum_follows_the_parts(folder: Path) -> None:
    """Other speakers for validation, or other files, are another split; the same are the same."""
    splits = [
        source(folder, validation=None, split=Published(validation=(speaker,))).task().split
        for speaker in ("1", "1", "2")
    ]
    assert splits[0] == splits[1]
    assert splits[0]["name"] == "Published"
    assert splits[0]["validation"] == ["1"]
    assert splits[0]["sha256"] != splits[2]["sha256"]
    own = source(folder).task().split
    assert own["name"] == "Files"
    (folder / "test.h5").unlink()
    write(folder / "test.h5", speakers=[4, 0, 0])
    assert source(folder).task().split["sha256"] != own["sha256"]


def test_samples_of_all_files_can_be_split_anew(tmp_path: Path) -> None:
    """Parts are those of the split, by speakers' names; every sample keeps its spikes, label and speaker."""
    names = ["jo", "al", "bo", "cy"]
    speakers = {"train.h5": [0, 1, 1], "valid.h5": [2, 0], "test.h5": [3, 2]}
    first = 0
    for file, present in speakers.items():
        write(tmp_path / file, speakers=present, names=names, first=first)
        first += len(present)
    task = source(tmp_path, split=HeldOutSpeakers(validation=("jo",), test=("al",))).task()
    assert task.train.speakers.tolist() == [2, 3, 2]
    assert task.validation.speakers.tolist() == [0, 0]
    assert task.test.speakers.tolist() == [1, 1]
    # The channel of the only spike, and the label, are made from the number of the sample.
    assert task.train.events.units.tolist() == [3, 5, 6]
    assert task.validation.events.units.tolist() == [0, 4]
    assert task.test.labels.tolist() == [1, 0]
    assert task.split["name"] == "HeldOutSpeakers"
    by_name = source(tmp_path, split=MatchingKeys(validation="^3$", test="^[01]$")).task()
    assert [len(part) for part in (by_name.train, by_name.validation, by_name.test)] == [4, 1, 2]
    assert by_name.split["sha256"] != task.split["sha256"]


def test_samples_of_one_source_cannot_be_split(folder: Path) -> None:
    """Samples that share a key would lie in the same part or be lost: an error."""
    (folder / "valid.h5").unlink()
    write(folder / "valid.h5", speakers=[3], first=5)
    with pytest.raises(InputError, match="two samples of one source"):
        source(folder, split=HeldOutSpeakers(validation=("1",), test=("4",))).task()
