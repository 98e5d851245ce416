"""The Free Spoken Digit Dataset is found by its file names."""

from collections import Counter
from pathlib import Path

import pytest

from hearspike.datasets.fsdd import FSDD
from hearspike.errors import InputError


def test_whole_set_is_found(data_folder: Path, tmp_path: Path) -> None:
    """The published set has 6 speakers, 10 digits and 50 takes of each."""
    recordings = FSDD(root=data_folder / "fsdd", takes=None).recordings(tmp_path)
    assert len(recordings) == 3000
    assert set(Counter((item.speaker, item.label) for item in recordings).values()) == {50}
    assert len({item.key for item in recordings}) == 3000


def test_unpacked_repository_is_accepted(tmp_path: Path) -> None:
    """The folder ``recordings`` of the repository is looked into, and takes can be limited."""
    (tmp_path / "recordings").mkdir()
    for take in range(4):
        (tmp_path / "recordings" / f"7_jackson_{take}.wav").touch()
    (tmp_path / "README.md").touch()
    found = FSDD(root=tmp_path, takes=2).recordings(tmp_path)
    assert [(item.key, item.label, item.speaker) for item in found] == [
        ("7_jackson_0", 7, "jackson"),
        ("7_jackson_1", 7, "jackson"),
    ]


def test_wrong_folder_is_named(tmp_path: Path) -> None:
    """A folder without recordings, or with a file of another name, is an error that names it."""
    with pytest.raises(InputError, match=r"corpus\.root"):
        FSDD(root=tmp_path / "nowhere", takes=None).recordings(tmp_path)
    (tmp_path / "seven.wav").touch()
    with pytest.raises(InputError, match=r"seven\.wav"):
        FSDD(root=tmp_path, takes=None).recordings(tmp_path)
