"""Tuning: how good a setting is on validation, with the test set left in the drawer."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hearspike.leaderboard.config import build
from hearspike.progress import Progress, no_progress


def validation_accuracy(config: Mapping[str, Any], *, progress: Progress = no_progress) -> float:
    """Train one setting and return its accuracy on the validation part; nothing is written.

    The test part is not so much as looked at, so a search over any number of settings leaves it unspent. On
    emulated chips it is the mean over chips.

    Parameters
    ----------
    config
        The configuration of ``hearspike tune``, resolved to plain values: that of ``hearspike evaluate``.
    progress
        Called as training goes on.

    Raises
    ------
    InputError
        If the configuration asks for what there is not.
    """
    task = build(config["dataset"], "dataset").task()
    model, backend = build(config["model"], "model"), build(config["backend"], "backend")
    backend.check(model, task.train.events.channels, len(task.train.classes))
    fitted = model.fit(task.train, task.validation, seed=config["seed"], progress=progress)
    predictions = backend.predict(fitted, task.validation.events, seed=config["seed"])
    return float(np.mean(predictions.labels == task.validation.labels))
