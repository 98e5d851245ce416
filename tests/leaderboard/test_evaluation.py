"""A run that was stopped while it trained goes on where it was, and every model can be run on every task."""

from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from hearspike.leaderboard import evaluation
from hearspike.leaderboard.config import compose, plain
from hearspike.leaderboard.record import Record, read_record
from hearspike.progress import Progress, no_progress

WORDS = ("dataset=iris", "model=lstm", "model.hidden=8", "training.epochs=4", "timing_repeats=1")


def configuration(workspace: Path, *words: str) -> dict[str, Any]:
    return plain(compose("evaluate", [*WORDS, f"paths.workspace={workspace}", *words]))


def run(config: dict[str, Any], folder: Path, progress: Progress = no_progress) -> Record:
    """Evaluate as a process of its own would, which has no fitted models at hand."""
    evaluation._fitted.clear()
    return evaluation.evaluate(config, folder, progress=progress)


class Watch:
    """Notes the epochs that were trained, and stops after one of them."""

    def __init__(self, stop_after: int = 99) -> None:
        self.epochs: list[int] = []
        self.stop_after = stop_after

    def __call__(self, stage: str, done: int, total: int, note: str) -> None:
        self.epochs.append(done)
        if done == self.stop_after:
            raise KeyboardInterrupt


def test_a_stopped_run_goes_on_to_the_same_record(tmp_path: Path) -> None:
    """Stopped after epoch 2 of 4, the next run trains epochs 3 and 4 and ends with the same weights."""
    with pytest.raises(KeyboardInterrupt):
        run(configuration(tmp_path), tmp_path / "stopped", progress=Watch(stop_after=2))
    assert read_record(tmp_path / "stopped" / "record.json").status == "interrupted"
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
    watch = Watch()
    resumed = run(configuration(tmp_path), tmp_path / "resumed", progress=watch)
    assert watch.epochs == [3, 4]
    assert not list((tmp_path / "checkpoints").iterdir())  # removed once the record is there
    undisturbed = run(configuration(tmp_path / "other"), tmp_path / "undisturbed")
    assert resumed.history == undisturbed.history
    assert {name: len(values) for name, values in resumed.history.items()} == {
        "loss": 4,
        "train_accuracy": 4,
        "validation_accuracy": 4,
    }
    assert resumed.metrics["accuracy"] == undisturbed.metrics["accuracy"]
    weights = [load_file(tmp_path / run / "weights.safetensors") for run in ("resumed", "undisturbed")]
    for name, array in weights[0].items():
        assert array.tobytes() == weights[1][name].tobytes()


def test_other_settings_do_not_go_on_from_there(tmp_path: Path) -> None:
    """A run with another seed or learning rate starts from the beginning."""
    with pytest.raises(KeyboardInterrupt):
        run(configuration(tmp_path), tmp_path / "stopped", progress=Watch(stop_after=2))
    for number, word in enumerate(("seed=1", "training.learning_rate=1e-4")):
        watch = Watch()
        run(configuration(tmp_path, word), tmp_path / str(number), progress=watch)
        assert watch.epochs == [1, 2, 3, 4]


@pytest.mark.parametrize("model", ["polynomial_svm", "cnn", "rsnn_128", "delay_snn", "conv_snn"])
def test_models_take_their_time_scale_from_the_task(model: str, tmp_path: Path) -> None:
    """Made for speech, they learn irises in microseconds of chip time.

    Chance is a third; 30 test samples reach 0.6 by chance less than once in 500 times.
    """
    words = ["dataset=iris", f"model={model}", "training.epochs=10", "training.batch_size=16"]
    words += ["training.learning_rate=1e-2", "timing_repeats=1", f"paths.workspace={tmp_path}"]
    record = run(plain(compose("evaluate", words)), tmp_path / "run")
    value = record.metrics["accuracy"].value
    assert value is not None
    assert value > 0.6
