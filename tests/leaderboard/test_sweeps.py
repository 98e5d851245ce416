"""Sweeps in other processes, through hydra's launchers and sweepers."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from hearspike.leaderboard.store import load_records

Run = Callable[..., Any]
QUICK = ["dataset=iris", "timing_repeats=1"]


def needs(launcher: str) -> pytest.MarkDecorator:
    """Skip without the package of a launcher; ray's wants an environment of its own."""
    there = importlib.util.find_spec("hydra_plugins") and importlib.util.find_spec(
        f"hydra_plugins.hydra_{launcher}_launcher"
    )
    return pytest.mark.skipif(not there, reason=f"hydra-{launcher}-launcher is not installed")


@pytest.mark.parametrize(
    "launcher",
    [
        pytest.param(
            ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"], marks=needs("joblib"), id="joblib"
        ),
        pytest.param(["hydra/launcher=submitit_local"], marks=needs("submitit"), id="submitit"),
        pytest.param(["hydra/launcher=ray"], marks=needs("ray"), id="ray"),
    ],
)
def test_launchers_run_every_job_of_a_sweep(launcher: list[str], hearspike: Run, tmp_path: Path) -> None:
    """One config word moves a sweep to other processes; the records are those of a sweep in this one."""
    words = ["evaluate", "-m", *QUICK, "model=chance,majority"]
    result = hearspike(*words, *launcher, HEARSPIKE_WORKSPACE=str(tmp_path / "there"))
    assert result.returncode == 0, result.stderr
    here = hearspike(*words, HEARSPIKE_WORKSPACE=str(tmp_path / "here"))
    assert here.returncode == 0, here.stderr
    found = [load_records(tmp_path / place / "runs").values() for place in ("here", "there")]
    scores = [{record.model: record.metrics["accuracy"] for record in records} for records in found]
    assert scores[0] == scores[1]
    assert set(scores[0]) == {"chance", "majority"}


@needs("joblib")
def test_failure_in_another_process_is_reported(hearspike: Run, tmp_path: Path) -> None:
    """The other jobs run to their end; the command says what was wrong in one line and exits with 1."""
    result = hearspike(
        *["evaluate", "-m", *QUICK, "model=chance", "backend=bss2,software", "hydra/launcher=joblib"],
        HEARSPIKE_WORKSPACE=str(tmp_path),
    )
    assert result.returncode == 1
    assert "hearspike: error: model: got Chance, expected a spiking network" in result.stderr
    assert "Traceback" not in result.stderr
    records = load_records(tmp_path / "runs").values()
    assert sorted(record.status for record in records) == ["complete", "failed"]


def test_sweeps_at_once_in_one_store_lose_nothing(tmp_path: Path) -> None:
    """Four processes, five runs each, started together: twenty records, all whole."""
    command = [sys.executable, "-m", "hearspike", "evaluate", "-m", *QUICK, "model=chance"]
    environment = {**os.environ, "HEARSPIKE_WORKSPACE": str(tmp_path)}
    sweeps = [
        subprocess.Popen(
            [*command, "seed=" + ",".join(str(5 * number + job) for job in range(5))],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        for number in range(4)
    ]
    assert [sweep.wait(timeout=300) for sweep in sweeps] == [0, 0, 0, 0]
    records = list(load_records(tmp_path / "runs").values())
    assert sorted(record.seed for record in records) == list(range(20))
    assert {record.status for record in records} == {"complete"}


@pytest.mark.skipif(
    importlib.util.find_spec("optuna") is None, reason="hydra-optuna-sweeper is not installed"
)
def test_tuning_finds_the_better_setting_without_the_test_set(hearspike: Run, tmp_path: Path) -> None:
    """Of a penalty that learns nothing and one that learns, the second is kept; no record is written."""
    result = hearspike(
        *["tune", "-m", "dataset=iris", "model=linear_svm", "model.penalties=choice([1e-9],[1.0])"],
        "hydra.sweeper.n_trials=6",
        HEARSPIKE_WORKSPACE=str(tmp_path),
    )
    assert result.returncode == 0, result.stderr
    (found,) = tmp_path.rglob("optimization_results.yaml")
    best = OmegaConf.load(found)
    assert "1.0" in str(best.best_params["model.penalties"])
    assert best.best_value > 0.5
    assert not list(tmp_path.rglob("record.json"))
