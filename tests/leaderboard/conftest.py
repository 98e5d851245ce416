"""Runs on the small task of real speech, in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hearspike.leaderboard.config import compose, plain
from hearspike.leaderboard.evaluation import evaluate
from hearspike.leaderboard.record import Record


@pytest.fixture(scope="session")
def make_config(task_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """Return the configuration of a run on the small task, as `hearspike evaluate` would compose it."""
    workspace = tmp_path_factory.mktemp("runs")

    def make(*overrides: str, **choices: str) -> dict[str, Any]:
        words = [f"{group}={choice}" for group, choice in choices.items()]
        common = ["dataset=fsdd", f"dataset.root={task_folder}", "timing_repeats=1"]
        return plain(compose("evaluate", [*common, f"paths.workspace={workspace}", *words, *overrides]))

    return make


@pytest.fixture(scope="session")
def make_record(make_config: Callable[..., dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Make a run on the small task and return its record."""

    def make(*overrides: str, **choices: str) -> Record:
        return evaluate(make_config(*overrides, **choices), tmp_path_factory.mktemp("run") / "run")

    return make


@pytest.fixture(scope="session")
def task_config(make_config: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The configuration of a run that takes no time: the commonest class of the small task."""
    return make_config(model="majority")
