"""Files and folders appear whole or not at all."""

import pickle
from pathlib import Path

import pytest

from hearspike.errors import InputError
from hearspike.files import new_file, new_folder


def test_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    """Nothing stands under the name until the block has ended."""
    path = tmp_path / "deep" / "a.txt"
    with new_file(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("writer", [new_file, new_folder])
def test_nothing_is_left_after_a_failure(writer: object, tmp_path: Path) -> None:
    """An error inside the block leaves neither the name nor the temporary."""
    with pytest.raises(RuntimeError), writer(tmp_path / "a"):  # type: ignore[operator]
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", [new_file, new_folder])
def test_what_exists_is_refused(writer: object, tmp_path: Path) -> None:
    """Whatever stands under the name stays as it is."""
    path = tmp_path / "a"
    path.write_text("precious")
    with pytest.raises(InputError, match="exists already"), writer(path):  # type: ignore[operator]
        pass
    assert path.read_text() == "precious"


def test_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    """The folder is renamed with all that was put into it."""
    with new_folder(tmp_path / "set") as temporary:
        (temporary / "a").touch()
        assert not (tmp_path / "set").exists()
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["a"]


def test_errors_cross_process_borders() -> None:
    """An error raised in a worker process says the same in the parent."""
    error = InputError("a.wav", "2 bytes", "audio")
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == "a.wav: got 2 bytes, expected audio"
