"""The whole path on real speech: generate, sweep, table."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from hearspike.datasets import read_spike_file
from hearspike.leaderboard.columns import COLUMNS
from hearspike.leaderboard.record import read_record
from hearspike.leaderboard.store import load_records
from hearspike.leaderboard.timing_probe import TimingProbe, metric_name

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def runs(hearspike: Run, task_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of every model in software, two seeds, and of the spiking network on two chips."""
    workspace = tmp_path_factory.mktemp("runs")
    common = ["dataset=fsdd", f"dataset.root={task_folder}", "training.epochs=2", "timing_repeats=1"]
    software = hearspike(
        "evaluate",
        "-m",
        *common,
        "model=chance,majority,linear_svm,rsnn",
        "seed=0,1",
        HEARSPIKE_WORKSPACE=str(workspace),
    )
    assert software.returncode == 0, software.stderr
    chips = hearspike(
        "evaluate",
        *common,
        "model=rsnn",
        "backend=bss2",
        "backend.chips=2",
        HEARSPIKE_WORKSPACE=str(workspace),
    )
    assert chips.returncode == 0, chips.stderr
    return workspace / "runs"


def test_sweep_leaves_a_record_for_every_run(runs: Path) -> None:
    """Four models times two seeds in software, one run on chips, all complete."""
    records = list(load_records(runs).values())
    assert len(records) == 9
    assert all(record.status == "complete" for record in records)
    assert sorted({record.seed for record in records}) == [0, 1]


def test_every_number_of_a_record_has_a_column(runs: Path) -> None:
    """In software and on chips; treatments of the timing probe with an amount are for its report."""
    shown = {column.metric for column in COLUMNS}
    assert {name for record in load_records(runs).values() for name in record.metrics} <= shown
    probe = TimingProbe("timing", 1.0, (), (), ("uniform_times", "shuffled_intervals"))
    treatments = [*probe.treatments(), *(f"{name}_retrained" for name in probe.retrain)]
    assert {metric_name(name) for name in treatments} <= shown


def test_record_says_what_a_row_needs(runs: Path, task_folder: Path) -> None:
    """Accuracy with interval, spikes, speed, modelled energy, checksums, versions, seeds: all there."""
    (record,) = [item for item in load_records(runs).values() if item.backend == "bss2"]
    accuracy = record.metrics["accuracy"]
    assert accuracy.value is not None
    assert accuracy.interval is not None
    assert accuracy.interval[0] <= accuracy.value <= accuracy.interval[1]
    assert record.chips is not None
    assert np.mean(record.chips["accuracies"]) == pytest.approx(accuracy.value)
    energy = record.metrics["energy_per_sample"]
    assert energy.kind == "modelled"
    # 1 s of speech takes 0.5 ms on the chip; times 0.2 W.
    assert energy.value == pytest.approx(100e-6, rel=0.01)
    assert energy.model is not None
    assert "0.2 W" in energy.model["name"]
    assert record.layer_spikes["hidden"] == record.metrics["spikes_per_sample"].value
    assert set(record.task["sha256"]) == {"train.h5", "valid.h5", "test.h5"}
    assert record.task["samples"] == {"train": 60, "validation": 20, "test": 40}
    assert record.test_reads == 1
    assert record.versions["numpy"]
    assert record.config["model"]["hidden"] == 186


def test_accuracy_can_be_recomputed_from_the_predictions(runs: Path, task_folder: Path) -> None:
    """The stored predictions and the labels of the test file give the record's number."""
    labels = read_spike_file(task_folder / "test.h5").labels
    for path in runs.rglob("record.json"):
        predicted = np.load(path.with_name("predictions.npz"), allow_pickle=False)["labels"]
        expected = np.mean(predicted == labels)
        assert read_record(path).metrics["accuracy"].value == pytest.approx(expected)


def test_weights_and_configuration_lie_beside_the_record(runs: Path) -> None:
    """Everything that was learnt is in safetensors."""
    (record,) = [
        path for path in runs.rglob("record.json") if json.loads(path.read_text())["backend"] == "bss2"
    ]
    assert load_file(record.with_name("weights.safetensors"))["recurrent_weights"].shape == (186, 186)
    assert "tau_mem_us: 10.0" in record.with_name("config.yaml").read_text()


def test_rerun_gives_the_same_result(runs: Path, hearspike: Run, task_folder: Path, tmp_path: Path) -> None:
    """The same words in a fresh process: the same predictions and weights, to the byte."""
    words = ["dataset=fsdd", f"dataset.root={task_folder}", "training.epochs=2", "timing_repeats=1"]
    result = hearspike(
        "evaluate", *words, "model=rsnn", "backend=bss2", "backend.chips=2", HEARSPIKE_WORKSPACE=str(tmp_path)
    )
    assert result.returncode == 0, result.stderr
    (first,) = [
        path for path in runs.rglob("record.json") if json.loads(path.read_text())["backend"] == "bss2"
    ]
    (again,) = tmp_path.rglob("record.json")
    weights = [path.with_name("weights.safetensors").read_bytes() for path in (first, again)]
    assert weights[0] == weights[1]
    predictions = [np.load(path.with_name("predictions.npz"))["labels"] for path in (first, again)]
    np.testing.assert_array_equal(*predictions)


def test_table_has_a_row_for_each_model_and_backend(runs: Path, hearspike: Run) -> None:
    """Text, Markdown and CSV show the same five rows; two seeds share one."""
    result = hearspike("leaderboard", "--runs", runs, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert sorted((row["model"], row["backend"], row["runs"]) for row in rows) == [
        ("chance", "software", "2"),
        ("linear_svm", "software", "2"),
        ("majority", "software", "2"),
        ("rsnn", "bss2, 2 chips", "1"),
        ("rsnn", "software", "2"),
    ]
    majority = next(row for row in rows if row["model"] == "majority")
    assert (majority["accuracy (%)"], majority["accuracy, standard deviation"]) == ("10", "0")
    for form in ("text", "markdown"):
        shown = hearspike("leaderboard", "--runs", runs, "--format", form).stdout
        assert all(f"{float(row['accuracy (%)']):.1f}" in shown for row in rows)


def test_failed_run_is_a_record(hearspike: Run, task_folder: Path, tmp_path: Path) -> None:
    """A sweep with one impossible run keeps the others and records why it failed."""
    result = hearspike(
        "evaluate",
        "-m",
        "dataset=fsdd",
        f"dataset.root={task_folder}",
        "timing_repeats=1",
        "model=linear_svm,majority",
        "backend=bss2,software",
        HEARSPIKE_WORKSPACE=str(tmp_path),
    )
    assert result.returncode == 1
    records = list(load_records(tmp_path).values())
    assert sorted(record.status for record in records) == ["complete", "complete", "failed", "failed"]
    assert all("spiking" in (record.reason or "spiking") for record in records)
