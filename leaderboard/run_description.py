"""What a record says of its task, its chips and its training, in plain values."""

import dataclasses
import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearspike.baselines import FittedModel, Predictions
from hearspike.baselines.backends import Backend, EmulatedChips
from hearspike.datasets import Task
from hearspike.emulator import load_calibration
from hearspike.leaderboard.metrics import chip_accuracies


def describe_task(task: Task) -> dict[str, Any]:
    """Return name, checksums, split, sizes and speakers of a task."""
    parts = {"train": task.train, "validation": task.validation, "test": task.test}
    return {
        "name": task.name,
        "sha256": task.sha256,
        "split": task.split,
        "window_s": task.window,
        "time_scale": task.time_scale,
        "classes": list(task.train.classes),
        "samples": {name: len(part) for name, part in parts.items()},
        "speakers": {name: np.unique(part.speakers).tolist() for name, part in parts.items()},
        "input_spikes_per_sample": {
            name: float(np.diff(part.events.offsets).mean()) for name, part in parts.items()
        },
    }


def describe_chips(
    config: dict[str, Any], labels: NDArray[np.int64], predictions: Predictions, backend: Backend
) -> dict[str, Any] | None:
    """Return which chips judged the model and what each found, None in software."""
    if not isinstance(backend, EmulatedChips):
        return None
    return {
        "chips": backend.chips,
        "chip_seed": backend.chip_seed,
        "seen_in_training": _seen_in_training(config, backend),
        "profile": dataclasses.asdict(backend.profile),
        "calibration": _describe_calibration(backend),
        "accuracies": chip_accuracies(labels, predictions.labels),
        "time_on_chip_s": predictions.time_on_chip,
    }


def _describe_calibration(backend: EmulatedChips) -> dict[str, Any] | None:
    """Return which calibration the chips have: targets, profile before, and checksum of the file."""
    if backend.calibration is None:
        return None
    calibrated = load_calibration(backend.calibration)
    return {
        "sha256": hashlib.sha256(backend.calibration.read_bytes()).hexdigest(),
        "targets": dataclasses.asdict(calibrated.targets),
        "profile": dataclasses.asdict(calibrated.profile),
        "noise_seed": calibrated.noise_seed,
    }


def _seen_in_training(config: dict[str, Any], backend: EmulatedChips) -> int:
    """Return how many of the chips that judge the model were in the loop when it was trained."""
    deployment = config["deployment"]
    of_backend = (backend.chip_seed, config["backend"].get("calibration"))
    same = (deployment.get("chip_seed"), deployment.get("calibration")) == of_backend
    return min(deployment.get("chips", backend.chips), backend.chips) if same else 0


def learning_curve(fitted: FittedModel) -> dict[str, list[float | None]]:
    """Return loss and accuracies after each epoch of a model that learnt in epochs."""
    scores = getattr(fitted, "history", ())
    names = ("loss", "train_accuracy", "validation_accuracy") if scores else ()
    return {name: [getattr(score, name) for score in scores] for name in names}
