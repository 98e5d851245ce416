"""A task is read from files that agree with each other."""

from pathlib import Path

import numpy as np
import pytest

from hearspike.datasets import load_task, write_spike_file
from hearspike.errors import InputError


def write(path: Path, *, speakers: list[int], classes: tuple[str, ...] = ("a", "b")) -> None:
    write_spike_file(
        path,
        [np.array([0.1])] * len(speakers),
        [np.array([3])] * len(speakers),
        labels=[0] * len(speakers),
        speakers=speakers,
        classes=classes,
        sources=[str(index) for index in range(len(speakers))],
        speaker_info={},
        attributes={},
        time_type="float16",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "train.h5", speakers=[0, 1, 1, 2])
    write(tmp_path / "valid.h5", speakers=[3])
    write(tmp_path / "test.h5", speakers=[4, 0])
    return tmp_path


FILES = {"name": "t", "train": "train.h5", "test": "test.h5"}


def test_three_files_are_three_parts(folder: Path) -> None:
    """Each file is a part, with its checksum."""
    task = load_task(**FILES, root=folder, validation="valid.h5", validation_speakers=[])
    assert [len(task.train), len(task.validation), len(task.test)] == [4, 1, 2]
    assert set(task.sha256) == {"train.h5", "valid.h5", "test.h5"}


def test_validation_speakers_leave_training(folder: Path) -> None:
    """Without a validation file, named speakers are heard in validation only."""
    task = load_task(**FILES, root=folder, validation=None, validation_speakers=[1])
    assert task.train.speakers.tolist() == [0, 2]
    assert task.validation.speakers.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"validation": None, "validation_speakers": []}, "a file or a list of training speakers"),
        ({"validation": "valid.h5", "validation_speakers": [1]}, "a file or a list of training speakers"),
        ({"validation": None, "validation_speakers": [7]}, r"validation_speakers: got \[7\]"),
        ({"validation": None, "validation_speakers": [0, 1, 2]}, "some, not all, of the training speakers"),
        ({"validation": "none.h5", "validation_speakers": []}, r"none\.h5: got no file"),
    ],
)
def test_wrong_validation_is_refused(folder: Path, arguments: dict[str, object], message: str) -> None:
    """There is exactly one source of validation data, and it exists."""
    with pytest.raises(InputError, match=message):
        load_task(**FILES, root=folder, **arguments)  # type: ignore[arg-type]  # wrong on purpose


def test_missing_folder_is_named(tmp_path: Path) -> None:
    """The error says how to make the folder."""
    with pytest.raises(InputError, match=r"dataset\.root.*hearspike generate"):
        load_task(**FILES, root=tmp_path / "no", validation="valid.h5", validation_speakers=[])


def test_files_of_different_tasks_are_refused(folder: Path) -> None:
    """Train and test have the same classes."""
    (folder / "test.h5").unlink()
    write(folder / "test.h5", speakers=[4], classes=("a", "b", "c"))
    with pytest.raises(InputError, match=r"test\.h5: got 3 classes"):
        load_task(**FILES, root=folder, validation="valid.h5", validation_speakers=[])


def test_split_is_named_and_its_checksum_follows_the_parts(folder: Path) -> None:
    """Other speakers for validation, or other files, are another split; the same are the same."""
    splits = [
        load_task(**FILES, root=folder, validation=None, validation_speakers=speakers).split
        for speakers in ([1], [1], [2])
    ]
    assert splits[0] == splits[1]
    assert splits[0]["name"] == "HeldOutSpeakers"
    assert splits[0]["validation"] == [1]
    assert splits[0]["sha256"] != splits[2]["sha256"]
    own = load_task(**FILES, root=folder, validation="valid.h5", validation_speakers=[]).split
    assert own["name"] == "Files"
    (folder / "test.h5").unlink()
    write(folder / "test.h5", speakers=[4, 0, 0])
    other = load_task(**FILES, root=folder, validation="valid.h5", validation_speakers=[]).split
    assert other["sha256"] != own["sha256"]
