"""The same network learns from mel bands and from spikes, and the report tells them apart."""

from pathlib import Path
from typing import Any

import pytest

from hearspike.baselines.input_frames import InputFrames
from hearspike.datasets.graded_events import graded_events
from hearspike.leaderboard.config import build, compose, plain
from hearspike.leaderboard.store import load_records


@pytest.mark.parametrize("representation", ["log_mel", "heidelberg", "causal", "speech"])
def test_only_the_representation_differs(representation: str) -> None:
    """Model, training, recordings and split are the same to the last setting."""
    words = ["experiment=representation_gap", f"representation={representation}"]
    config = plain(compose("evaluate", words))
    reference = plain(compose("evaluate", ["experiment=representation_gap"]))
    for key in ("model", "training", "augmentation", "seed"):
        assert config[key] == reference[key]
    for key in ("split", "window", "corpus"):
        assert config["dataset"][key] == reference["dataset"][key]
    source = build(config["dataset"], "dataset")
    assert (representation == "log_mel") != hasattr(source, "converter")


def test_counts_alone_have_one_bin() -> None:
    """The rest is as with times."""
    words = ["experiment=representation_gap", "representation=heidelberg_counts"]
    counted = plain(compose("evaluate", words))
    timed = plain(compose("evaluate", ["experiment=representation_gap"]))
    assert counted["model"]["frames"].pop("bins") == 1
    assert timed["model"]["frames"].pop("bins") > 1
    assert counted["model"] == timed["model"]
    assert counted["dataset"] == timed["dataset"]


def test_frames_of_mel_bands_are_the_bands() -> None:
    """One input for each band, and two frames of 10 ms in a bin of 20 ms."""
    import numpy as np

    power = np.random.default_rng(0).random((10, 5))
    frames = InputFrames(window=0.1, bins=5, channels=5)(graded_events([power], step=0.01))
    np.testing.assert_allclose(frames[0], power.reshape(5, 2, 5).sum(axis=1), rtol=1e-6)


def test_from_sweep_to_report(hearspike: Any, data_folder: Path, tmp_path: Path) -> None:
    """A short sweep over splits leaves records, from which the report makes one row."""
    words = ["experiment=representation_gap", "representation=log_mel", "dataset.corpus.takes=1"]
    splits = "split@dataset.split=fsdd_lucas_nicolas,fsdd_theo_yweweler"
    workspace = str(tmp_path)
    result = hearspike("evaluate", "-m", *words, splits, "training.epochs=2", HEARSPIKE_WORKSPACE=workspace)
    assert result.returncode == 0, result.stderr
    records = list(load_records(tmp_path / "runs").values())
    assert [record.task["samples"]["test"] for record in records] == [20, 20]
    shown = hearspike("report", "representation", "--format", "csv", HEARSPIKE_WORKSPACE=workspace)
    mean = sum(record.metrics["accuracy_unseen_speakers"].value or 0.0 for record in records) / 2
    model, _, representation, runs, accuracy, _ = shown.stdout.splitlines()[1].split(",")
    assert (model, representation, runs) == ("cnn", "log-mel", "2")
    assert accuracy.startswith(f"{100 * mean:.1f}")
