"""The main job, on two takes of every synthetic digit."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hearspike.leaderboard.store import load_records

Run = Callable[..., Any]

pytest.importorskip("espeakng_loader", reason="synthetic digits need hearspike[synthetic]")


@pytest.fixture(scope="module")
def workspace(hearspike: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    result = hearspike("demo", "corpus.takes=2", HEARSPIKE_WORKSPACE=str(folder))
    assert result.returncode == 0, result.stderr
    assert "rsnn on bss2: 1/1" in result.stderr
    assert "records:" in result.stdout
    return folder


def test_demo_ends_in_a_table_of_models(workspace: Path, hearspike: Run) -> None:
    """Five rows, from speech that no file held: chance below the models, chips beside software."""
    result = hearspike("leaderboard", "--format", "csv", HEARSPIKE_WORKSPACE=str(workspace))
    rows = {(row["model"], row["backend"]): row for row in csv.DictReader(io.StringIO(result.stdout))}
    assert set(rows) == {
        ("chance", "software"),
        ("majority", "software"),
        ("linear_svm", "software"),
        ("rsnn", "software"),
        ("rsnn", "bss2, 8 chips"),
    }
    scores = {key: float(row["accuracy (%)"].split()[0]) for key, row in rows.items()}
    assert scores["majority", "software"] == 5.0
    # 120 test samples of 20 classes: guessing exceeds 15 % less than once in 10,000.
    assert scores["rsnn", "software"] > 15
    assert scores["linear_svm", "software"] > 15


def test_chips_share_the_training_of_the_software_run(workspace: Path) -> None:
    """Both rows have the same weights, and the record says so."""
    records = [record for record in load_records(workspace).values() if record.model == "rsnn"]
    software, chips = (
        next(record for record in records if record.backend == backend) for backend in ("software", "bss2")
    )
    assert software.notes == []
    assert any("shared" in note for note in chips.notes)
    weights = [path.read_bytes() for path in workspace.rglob("rsnn-*/weights.safetensors")]
    assert len(weights) == 2
    assert weights[0] == weights[1]


def test_second_demo_takes_the_generated_files(workspace: Path, hearspike: Run) -> None:
    """Files of the same settings are used again; those of other settings are refused, not replaced."""
    result = hearspike("demo", "corpus.takes=2", "seed=5", HEARSPIKE_WORKSPACE=str(workspace))
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("hearspike: error: ")
    assert "other settings" in result.stderr
