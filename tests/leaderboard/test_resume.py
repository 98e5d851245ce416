"""A sweep that was stopped makes only what is missing."""

from pathlib import Path
from typing import Any

import pytest

from hearspike.leaderboard import resume
from hearspike.leaderboard.evaluation import evaluate
from hearspike.leaderboard.resume import find_run
from hearspike.leaderboard.store import load_records


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "_known", {})


def test_only_the_same_run_is_found(task_config: dict[str, Any], tmp_path: Path) -> None:
    """Another seed or another model is another run; the folder of the workspace does not matter."""
    assert find_run(task_config, tmp_path / "nothing yet") is None
    made = evaluate(task_config, tmp_path / "runs" / "first")
    found = find_run({**task_config, "paths": {"runs": "elsewhere"}, "resume": True}, tmp_path / "runs")
    assert found == made
    assert find_run({**task_config, "seed": 7}, tmp_path / "runs") is None


def test_failed_runs_are_made_again(task_config: dict[str, Any], tmp_path: Path) -> None:
    """A record that is not complete does not count."""
    wrong = {**task_config, "dataset": {**task_config["dataset"], "train": "nowhere.h5"}}
    with pytest.raises(Exception, match="nowhere"):
        evaluate(wrong, tmp_path / "failed")
    assert find_run(wrong, tmp_path) is None


def test_other_data_are_another_run(task_config: dict[str, Any], tmp_path: Path) -> None:
    """The same words on files that have changed since."""
    evaluate(task_config, tmp_path / "runs" / "first")
    changed = tmp_path / "changed"
    changed.mkdir()
    for path in Path(task_config["dataset"]["root"]).glob("*.h5"):
        content = path.read_bytes()
        (changed / path.name).write_bytes(content + b"\0" if path.name == "test.h5" else content)
    elsewhere = {**task_config, "dataset": {**task_config["dataset"], "root": str(changed)}}
    assert find_run(elsewhere, tmp_path / "runs") is None


def test_sweep_continues_with_what_is_missing(hearspike: Any, task_folder: Path, tmp_path: Path) -> None:
    """Seed 0 is there: a sweep over seeds 0 and 1 makes one run; again, it makes none."""
    words = [
        "dataset=fsdd",
        f"dataset.root={task_folder}",
        "timing_repeats=1",
        "model=majority",
        "resume=true",
    ]
    for seeds, expected in (("0", 1), ("0,1", 2), ("0,1", 2)):
        result = hearspike("evaluate", "-m", *words, f"seed={seeds}", HEARSPIKE_WORKSPACE=str(tmp_path))
        assert result.returncode == 0, result.stderr
        assert len(load_records(tmp_path / "runs")) == expected
    assert result.stdout.count("(made before)") == 2
