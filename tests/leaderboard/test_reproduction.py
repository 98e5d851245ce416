"""Runs that come out again, rows that are handed in, and rows that are not what they say."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from hearspike.errors import InputError
from hearspike.leaderboard.config import compose, plain
from hearspike.leaderboard.evaluation import evaluate
from hearspike.leaderboard.record import config_sha256, file_checksums
from hearspike.leaderboard.reproduction import reproduce
from hearspike.leaderboard.submission import submit, verify

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, task_folder: Path) -> Path:
    """A run of the spiking network, briefly trained on real speech, on two emulated chips."""
    workspace = tmp_path_factory.mktemp("runs")
    words = ["dataset=fsdd", f"dataset.root={task_folder}", "model=rsnn", "backend=bss2", "backend.chips=2"]
    more = ["training.epochs=2", "timing_repeats=1", f"paths.workspace={workspace}"]
    evaluate(plain(compose("evaluate", [*words, *more])), workspace / "run")
    return workspace / "run"


def tampered(run: Path, folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of a run whose record was changed, with checksums that fit again, as a cheat would make them."""
    shutil.copytree(run, folder)
    content = json.loads((folder / "record.json").read_text())
    change(content)
    content["config_sha256"] = config_sha256(content["config"])
    content["files"] = file_checksums(folder)
    (folder / "record.json").write_text(json.dumps(content))
    return folder


def test_run_comes_out_bit_for_bit(run: Path) -> None:
    """On one machine weights, predictions and every metric agree; nothing but speed is left out."""
    agreements = reproduce(run)
    assert all(item.agrees for item in agreements), agreements
    compared = {item.what for item in agreements}
    assert {"weights.safetensors", "predictions.npz", "accuracy", "spikes_per_sample"} <= compared
    assert not any("per_second" in name for name in compared)


def test_claim_that_is_not_true_is_found(run: Path, tmp_path: Path) -> None:
    """An accuracy raised by hand does not come out again, here or within another machine's tolerance."""

    def raise_accuracy(content: dict[str, Any]) -> None:
        metric = content["metrics"]["accuracy"]
        metric["value"] = 0.99
        metric["interval"] = [0.98, 1.0]

    def pretend(content: dict[str, Any]) -> None:
        raise_accuracy(content)
        content["machine"]["processor"] = "another"

    for number, change in enumerate((raise_accuracy, pretend)):
        bundle = submit(tampered(run, tmp_path / str(number), change), tmp_path / f"to-{number}")
        wrong = {item.what for item in verify(bundle) if not item.agrees}
        assert "accuracy" in wrong


def test_other_weights_are_found(run: Path, tmp_path: Path) -> None:
    """Weights that are not those of the predictions give other predictions."""
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    weights = load_file(folder / "weights.safetensors")
    save_file(
        {name: np.ascontiguousarray(array[::-1]) for name, array in weights.items()},
        folder / "weights.safetensors",
    )
    bundle = submit(tampered(folder, tmp_path / "again", lambda content: None), tmp_path / "to")
    wrong = {item.what for item in verify(bundle) if not item.agrees}
    assert "predictions.npz" in wrong


def test_bundle_is_the_same_to_the_byte_and_verifies(run: Path, tmp_path: Path) -> None:
    """Two bundles of one run are equal; verification takes the weights and trains nothing."""
    one, two = (submit(run, tmp_path / name) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    trained: list[str] = []
    agreements = verify(one, progress=lambda phase, *_: trained.append(phase))
    assert all(item.agrees for item in agreements)
    assert "fit" not in trained


def test_other_data_are_refused(run: Path, tmp_path: Path, task_folder: Path) -> None:
    """A row on one data set is not checked on another."""
    other = tmp_path / "data"
    shutil.copytree(task_folder, other)
    shutil.copy(other / "valid.h5", other / "train.h5")
    with pytest.raises(InputError, match=r"those of the record"):
        reproduce(run, root=other)


@pytest.mark.parametrize(
    "target", ["os.system", "hearspike.files.new_folder", "hearspike.datasets.load_task", "x"]
)
def test_bundle_cannot_name_other_code(run: Path, tmp_path: Path, target: str) -> None:
    """Only classes of hearspike's own models, data sets and chips are built from a bundle."""

    def change(content: dict[str, Any]) -> None:
        content["config"]["model"]["training"] = {"_target_": target}

    bundle = submit(tampered(run, tmp_path / "run", change), tmp_path / "to")
    with pytest.raises(InputError, match=r"config\.model\.training\._target_"):
        verify(bundle)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "model.pkl", "code.py"])
def test_bundle_cannot_bring_other_files(run: Path, tmp_path: Path, name: str) -> None:
    """An archive with a path that leads out of it, or with any unknown file, is refused unread."""
    bundle = submit(run, tmp_path / "to")
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(InputError, match="members"):
        verify(bundle)


def test_pickled_predictions_are_not_loaded(run: Path, tmp_path: Path) -> None:
    """An object array, which numpy would unpickle, ends in an error."""
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    np.savez(folder / "predictions.npz", labels=np.array([{"a": 1}], dtype=object))
    bundle = submit(tampered(folder, tmp_path / "again", lambda content: None), tmp_path / "to")
    with pytest.raises((InputError, ValueError), match="allow_pickle=False"):
        verify(bundle)


def test_damaged_archives_are_refused(run: Path, tmp_path: Path) -> None:
    """Truncated, or not an archive at all."""
    bundle = submit(run, tmp_path / "to")
    (tmp_path / "half.zip").write_bytes(bundle.read_bytes()[:1000])
    (tmp_path / "text.zip").write_text("no archive")
    for name in ("half.zip", "text.zip", "missing.zip"):
        with pytest.raises(InputError, match="cannot be unpacked"):
            verify(tmp_path / name)


def test_commands(hearspike: Run, run: Path, tmp_path: Path) -> None:
    """submit prints the bundle, verify and reproduce exit with 0, and with 1 where the claim is wrong."""
    result = hearspike("submit", run, "--to", tmp_path / "to")
    assert result.returncode == 0, result.stderr
    assert hearspike("verify", result.stdout.strip()).returncode == 0
    result = hearspike("reproduce", run)
    assert result.returncode == 0, result.stderr
    assert "accuracy" in result.stdout

    def change(content: dict[str, Any]) -> None:
        content["metrics"]["accuracy"]["value"] = 0.999

    assert hearspike("reproduce", tampered(run, tmp_path / "wrong", change)).returncode == 1
