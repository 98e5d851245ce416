"""Runs on the small task of real speech, and stores of runs that look real, made in no time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearspike.leaderboard.config import compose, plain
from hearspike.leaderboard.evaluation import evaluate
from hearspike.leaderboard.metrics import Metric, chip_accuracies, fifth_percentile
from hearspike.leaderboard.metrics import accuracy as score
from hearspike.leaderboard.record import Record, write_record

WriteRun = Callable[..., Path]

DATA = "0123456789abcdef" * 4
SAMPLES, CLASSES = 100, 10


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


@pytest.fixture(scope="session")
def write_run() -> WriteRun:
    """Write the record of a run with predictions that are right with a given chance."""
    return write_one_run


def write_one_run(
    folder: Path,
    *,
    model: str = "svm",
    backend: str = "software",
    seed: int = 0,
    accuracy: float = 0.5,
    chips: int | None = None,
    predictions: bool = True,
    metrics: dict[str, Metric] | None = None,
    task: str = "digits",
    data: str = DATA,
    split: str = "0" * 64,
    settings: dict[str, Any] | None = None,
    **fields: Any,
) -> Path:
    """Write one run into a folder and return the path of its record.

    The same seed gives the same luck with every model, so that runs of one accuracy are alike but for it.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng([seed, round(1000 * accuracy), len(model)])
    targets = np.arange(SAMPLES) % CLASSES
    right = rng.random((chips or 1, SAMPLES)) < accuracy
    labels = np.where(right, targets, (targets + 1) % CLASSES)
    if predictions:
        with (folder / "predictions.npz").open("wb") as file:
            np.savez_compressed(file, labels=labels.astype(np.int16), targets=targets.astype(np.int16))
    (folder / "config.yaml").write_text("seed: 0\n")
    confusion = np.zeros((CLASSES, CLASSES), dtype=int)
    np.add.at(confusion, (np.tile(targets, len(labels)), labels.ravel()), 1)
    found = {
        "accuracy": score(targets, labels, seed=0),
        "spikes_per_sample": Metric(500.0 * accuracy, "1", "lower"),
        "samples_per_second": Metric(1000.0, "1/s", "higher"),
        "energy_per_sample": Metric(
            accuracy * 1e-6, "J", "lower", kind="modelled", model={"name": "operations, 45 nm"}
        ),
        **(metrics or {}),
    }
    entry: dict[str, Any] | None = None
    if chips:
        found["accuracy_fifth_percentile_chip"] = fifth_percentile(chip_accuracies(targets, labels))
        entry = {"chips": chips, "accuracies": chip_accuracies(targets, labels)}
    content: dict[str, Any] = {
        "status": "complete",
        "reason": None,
        "task": {
            "name": task,
            "sha256": {"test.h5": data} if data else {},
            "split": {"name": "HeldOutSpeakers", "sha256": split},
            "classes": [f"class {number}" for number in range(CLASSES)],
        },
        "model": model,
        "backend": backend,
        "seed": seed,
        "config": {
            "model": {"name": model, **(settings or {})},
            "backend": {"name": backend},
            "seed": seed,
            "dataset": {"name": task, "test": "test.h5"},
        },
        "metrics": found,
        "confusion": confusion.tolist(),
        "history": {"training loss": [1.0, 0.5, 0.4], "validation accuracy": [0.2, 0.4, 0.5]},
        "chips": entry,
        "machine": {"processor": "Test processor", "cores": 2, "system": "Linux"},
        "created": f"2026-01-01T00:00:{seed:02d}+00:00",
        **fields,
    }
    return write_record(Record(**content), folder)
