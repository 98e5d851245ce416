"""The picture of a data set shows the counts of its files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearspike.datasets import write_spike_file
from hearspike.datasets.description import FileSummary, summarise_folder
from hearspike.datasets.set_figure import draw_set
from hearspike.errors import InputError


@pytest.fixture
def summaries(tmp_path: Path) -> list[FileSummary]:
    for file, labels in (("train.h5", [0, 0, 1]), ("test.h5", [1, 1])):
        write_spike_file(
            tmp_path / "set" / file,
            [np.linspace(0, 1, 10 * number + 1) for number in range(len(labels))],
            [np.arange(10 * number + 1) for number in range(len(labels))],
            labels=labels,
            speakers=[2, 10, 10][: len(labels)],
            classes=("a", "b"),
            sources=[f"{file}{number}" for number in range(len(labels))],
            speaker_info={},
            attributes={},
            time_type="float16",
        )
    return summarise_folder(tmp_path)["set"]


def test_bars_and_raster_are_the_counts(
    summaries: list[FileSummary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bars by class and speaker sum to the samples of every file; the raster is a sample in the middle."""
    from matplotlib.figure import Figure

    drawn: list[Any] = []
    save = Figure.savefig

    def keep(self: Figure, *words: Any, **options: Any) -> None:
        drawn.append(self)
        save(self, *words, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    draw_set(summaries, tmp_path / "x.png")
    raster, histogram, classes, speakers = drawn[0].axes
    assert len(raster.lines[0].get_xdata()) == 11  # of test.h5, the larger of two
    assert [bar.get_height() for bar in classes.patches] == [0, 2, 2, 1]
    assert [label.get_text() for label in speakers.get_xticklabels()] == ["2", "10"]
    assert [bar.get_height() for bar in speakers.patches] == [1, 1, 1, 2]
    assert sum(len(item.get_xy()) > 0 for item in histogram.patches) == 2


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_same_files_give_the_same_picture(summaries: list[FileSummary], tmp_path: Path, suffix: str) -> None:
    """To the byte; what is there already, and other formats, are refused."""
    for name in ("one", "two"):
        draw_set(summaries, tmp_path / f"{name}.{suffix}")
    assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()
    with pytest.raises(InputError, match="exists already"):
        draw_set(summaries, tmp_path / f"one.{suffix}")
    with pytest.raises(InputError, match="the suffix"):
        draw_set(summaries, tmp_path / "one.pdf")
