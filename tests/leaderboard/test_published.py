"""Published results are well formed, and a wrong file is refused by name."""

from pathlib import Path

import pytest

import hearspike.conf
from hearspike.errors import InputError
from hearspike.leaderboard.published import published_results, read_published


def test_every_entry_is_of_a_task_that_there_is_and_has_a_source() -> None:
    """A result without a source, or on no task of ours, helps nobody."""
    tasks = {path.stem for path in (Path(str(hearspike.conf.__file__)).parent / "dataset").glob("*.yaml")}
    results = read_published()
    for result in results:
        assert result.task in tasks
        assert len(result.source) > 3
        assert 0 < result.accuracy_percent < 100
    assert len(read_published()) == len(
        {(item.task, item.method, item.platform) for item in read_published()}
    )


def test_results_are_sorted_and_of_the_task() -> None:
    """The best first. The chip's results on SHD are those of Cramer et al., PNAS 2022, table of SHD."""
    results = published_results("shd")
    values = [item.accuracy_percent for item in results]
    assert values == sorted(values, reverse=True)
    chip = {
        (item.accuracy_percent, item.deviation_percent) for item in results if item.platform != "software"
    }
    assert chip == {(76.2, 1.3), (80.6, 1.0), (64.3, 2.3)}
    assert published_results("nothing") == ()


@pytest.mark.parametrize("line", ["accuracy_percent: high", "colour: red"])
def test_wrong_entry_is_refused(tmp_path: Path, line: str) -> None:
    """Unknown keys and wrong types name the file and the place."""
    file = tmp_path / "published.yaml"
    file.write_text(f"- task: shd\n  method: m\n  platform: software\n  source: s\n  {line}\n")
    with pytest.raises(InputError, match=r"published\.yaml: 0"):
        read_published(file)
