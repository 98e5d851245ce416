"""A trained network leaves as a NIR file and comes back as a foreign one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearspike.errors import InputError
from hearspike.leaderboard.config import compose, plain
from hearspike.leaderboard.evaluation import evaluate
from hearspike.leaderboard.exchange import export

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, task_folder: Path) -> Path:
    """A recurrent network, briefly trained on real speech."""
    workspace = tmp_path_factory.mktemp("runs")
    words = ["dataset=fsdd", f"dataset.root={task_folder}", "model=rsnn_128"]
    more = ["training.epochs=2", "timing_repeats=1", f"paths.workspace={workspace}"]
    evaluate(plain(compose("evaluate", [*words, *more])), workspace / "run")
    return workspace / "run"


@pytest.mark.parametrize("framework", ["snntorch", None])
def test_exported_network_gives_the_answers_of_the_trained_one(
    run: Path, framework: str | None, hearspike: Run, task_folder: Path, tmp_path: Path
) -> None:
    """In software every answer is the same, on chips the network is placed and runs."""
    words = [] if framework is None else ["--for", framework]
    assert hearspike("export", run, "-o", tmp_path / "network.nir", *words).returncode == 0
    own = ["step=0.01", "spike=impulse", "scheme=exact"]
    convention = [] if framework else [f"model.convention.{word}" for word in own]
    result = hearspike(
        *["evaluate", "-m", "dataset=fsdd", f"dataset.root={task_folder}", "timing_repeats=1"],
        *["model=nir", f"model.file={tmp_path / 'network.nir'}", "model.frames.channels=70"],
        *["model.readout=sum", "backend=software,bss2", *convention],
        HEARSPIKE_WORKSPACE=str(tmp_path),
    )
    assert result.returncode == 0, result.stderr
    answers = [np.load(path)["labels"] for path in sorted(tmp_path.rglob("predictions.npz"))]
    expected = np.load(run / "predictions.npz")["labels"]
    assert [len(item) for item in answers] == [1, 8]
    # Single precision there, double here: one answer of 40 may hang on the last digit.
    assert np.mean(answers[0] == expected) > 0.96


def test_what_cannot_be_exported_is_said(run: Path, tmp_path: Path, task_folder: Path) -> None:
    """Unknown frameworks, and models that do not spike."""
    with pytest.raises(InputError, match="snntorch, norse"):
        export(run, tmp_path / "a.nir", framework="other")
    words = ["dataset=fsdd", f"dataset.root={task_folder}", "model=majority", f"paths.workspace={tmp_path}"]
    evaluate(plain(compose("evaluate", [*words, "timing_repeats=1"])), tmp_path / "majority")
    with pytest.raises(InputError, match="a spiking network"):
        export(tmp_path / "majority", tmp_path / "b.nir")
