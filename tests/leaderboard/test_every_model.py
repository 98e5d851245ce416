"""Every model that stands in conf/model runs on every kind of task."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hearspike.conf
from hearspike.datasets import Task
from hearspike.leaderboard.config import build, compose, plain

NEEDS_MORE = {"nir", "chip_images_augmented"}
"""A file of weights; images."""

MODELS = sorted(
    {path.stem for path in (Path(hearspike.conf.__file__).parent / "model").glob("*.yaml")} - NEEDS_MORE
)

LEARNING = [
    pytest.param(name, marks=[pytest.mark.slow] if name == "rsnn_1024" else [])
    for name in MODELS
    if name not in {"chance", "majority"}
]


def model_and_task(name: str, *words: str) -> tuple[Any, Task]:
    """Return what a user gets with this model on irises: 64 channels of microseconds."""
    config = plain(compose("evaluate", ["dataset=iris", f"model={name}", *words]))
    return build(config["model"], "model"), build(config["dataset"], "dataset").task()


@pytest.mark.parametrize("name", MODELS)
def test_it_fits_and_predicts(name: str) -> None:
    """One label for every sample, one of the three."""
    model, task = model_and_task(name, "training.epochs=1")
    labels = model.fit(task.train, task.validation, seed=0).predict(task.test.events).labels
    assert labels.shape == (1, 30)
    assert set(labels.flat) <= {0, 1, 2}


@pytest.mark.parametrize("name", LEARNING)
def test_it_learns(name: str) -> None:
    """Of the 90 flowers that it trained on, two thirds or more are told.

    A model that has learnt nothing says one kind, a third of them.
    """
    words = ["training.epochs=10", "training.batch_size=16", "training.learning_rate=1e-2"]
    model, task = model_and_task(name, *words)
    labels = model.fit(task.train, task.validation, seed=0).predict(task.train.events).labels
    assert np.mean(labels == task.train.labels) > 2 / 3
