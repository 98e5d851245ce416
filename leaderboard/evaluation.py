"""One run: load the task, fit the model, score it once on the test set, write the record."""

import shutil
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import OmegaConf

from hearspike.baselines import FittedModel, Predictions
from hearspike.baselines.backends import Backend
from hearspike.datasets import Task
from hearspike.errors import InputError
from hearspike.files import new_file
from hearspike.leaderboard.config import build
from hearspike.leaderboard.machine import describe_machine, git_commit, package_versions
from hearspike.leaderboard.metrics import accuracy
from hearspike.leaderboard.record import FILE_NAME, Record, config_sha256, read_record, write_record
from hearspike.leaderboard.run_description import describe_chips, describe_task, learning_curve
from hearspike.leaderboard.run_folder import open_run
from hearspike.leaderboard.scoring import (
    accuracies,
    costs,
    durations,
    latency_alone,
    throughput,
)
from hearspike.leaderboard.sealed_test import SealedTest
from hearspike.leaderboard.timing_probe import TimingProbe, metric_name
from hearspike.progress import Progress, no_progress

_fitted: OrderedDict[str, tuple[FittedModel, float]] = OrderedDict()
"""The last models fitted in this process, by task, model and seed: a sweep over backends fits once."""
_FITTED_KEPT = 4


def evaluate(
    config: Mapping[str, Any],
    folder: Path,
    *,
    fitted: FittedModel | None = None,
    progress: Progress = no_progress,
) -> Record:
    """Make one run and write its record, predictions, weights and configuration into a folder.

    Parameters
    ----------
    config
        The configuration of ``hearspike evaluate``, resolved to plain values.
    folder
        The run's folder; must not hold a record.
    fitted
        A model that has been trained already, to score instead of training one.
    progress
        Called as training goes on.

    Returns
    -------
    record
        What was written.

    Raises
    ------
    InputError
        If the seed or the number of repeats is none; then there is no run and no record.
    Exception
        Whatever stopped the run, after a record of the failure was written.
    """
    plain_config = dict(config)
    for name, least in (("seed", 0), ("timing_repeats", 1)):
        if not isinstance(config[name], int) or config[name] < least:
            raise InputError(name, config[name], f"a whole number of at least {least}")
    with open_run(folder, _record(plain_config, status="running")):
        record = _complete(plain_config, folder, fitted, progress)
        write_record(record, folder)
    shutil.rmtree(_checkpoint_folder(plain_config, record.task["sha256"]), ignore_errors=True)
    return read_record(folder / FILE_NAME)


def _record(config: dict[str, Any], **fields: Any) -> Record:  # noqa: ANN401  # fields of Record
    return Record(
        **{
            "reason": None,
            "task": {"name": config["dataset"]["name"]},
            "model": _model_name(config),
            "backend": config["backend"]["name"],
            "seed": config["seed"],
            "config": config,
            "machine": describe_machine(),
            "versions": package_versions(),
            "git": git_commit(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            **fields,
        }
    )


def _complete(config: dict[str, Any], folder: Path, given: FittedModel | None, progress: Progress) -> Record:
    phases: dict[str, float] = {}
    seed = config["seed"]
    with _timed(phases, "load"):
        task = build(config["dataset"], "dataset").task()
    _check_deployment(config)
    model, backend = build(config["model"], "model"), build(config["backend"], "backend")
    backend.check(model, task.train.events.channels, len(task.train.classes))
    probe = build(config["probe"], "probe") if config.get("probe") else None
    test = SealedTest(task.test)
    fitted, phases["fit"], shared = (given, 0.0, False) if given else _fit(config, task, model, progress)
    with _timed(phases, "predict"):
        predictions = backend.predict(fitted, test.events, seed=seed)
    with _timed(phases, "time"):
        speed = throughput(backend, fitted, test.events, seed, config["timing_repeats"])
        latency = latency_alone(backend, fitted, test.events, seed)
    with _timed(phases, "probe"):
        probed = _probe(probe, task, test, model, fitted, backend, seed, progress) if probe else {}
    labels = test.open()
    _write_artefacts(folder, config, fitted, predictions, labels)
    notes = ["weights shared with another run of this process that has the same model, task and seed"]
    return _record(
        config,
        status="complete",
        task=describe_task(task),
        metrics={
            **accuracies(labels, task, predictions, backend, seed),
            **{metric_name(name): accuracy(labels, answers, seed=seed) for name, answers in probed.items()},
            **costs(config, model, fitted, predictions, backend, speed),
            **durations(predictions, backend, latency),
        },
        layer_spikes={layer: float(spikes.mean()) for layer, spikes in predictions.layer_spikes.items()},
        chips=describe_chips(config, labels, predictions, backend),
        phases=phases,
        history=learning_curve(fitted),
        notes=notes if shared else [],
        test_reads=test.reads,
    )


def _model_name(config: dict[str, Any]) -> str:
    """Return the name of the model, with how it met the chip unless that is the usual way."""
    model, deployment = config["model"]["name"], config["deployment"]["name"]
    return str(model if deployment == "weight_transfer" else f"{model}, {deployment}")


def _check_deployment(config: dict[str, Any]) -> None:
    """Refuse a deployment that the model would not hear of."""
    deployment, model = config["deployment"]["name"], config["model"]
    if deployment != "weight_transfer" and "deployment" not in model:
        raise InputError("deployment", deployment, f"weight_transfer, the only one of model={model['name']}")


@contextmanager
def _timed(phases: dict[str, float], name: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    phases[name] = time.monotonic() - start


def _fit(
    config: dict[str, Any],
    task: Task,
    model: Any,  # noqa: ANN401  # whatever the configuration named
    progress: Progress,
) -> tuple[FittedModel, float, bool]:
    """Fit the model, or take the one that this process has just fitted from the same ingredients."""
    folder = _checkpoint_folder(config, task.sha256)
    key = folder.name
    if key in _fitted:
        return *_fitted[key], True
    start = time.monotonic()
    fitted = model.fit(task.train, task.validation, seed=config["seed"], progress=progress, checkpoint=folder)
    _fitted[key] = (fitted, time.monotonic() - start)
    while len(_fitted) > _FITTED_KEPT:
        _fitted.popitem(last=False)
    return *_fitted[key], False


def _checkpoint_folder(config: dict[str, Any], task_sha256: dict[str, str]) -> Path:
    """Return the folder in which a fit of these ingredients can be stopped and goes on."""
    ingredients = {"model": config["model"], "seed": config["seed"], "task": {"sha256": task_sha256}}
    ingredients["dataset"] = config["dataset"]
    return Path(config["paths"]["checkpoints"]) / config_sha256(ingredients)


def _probe(
    probe: TimingProbe,
    task: Task,
    test: SealedTest,
    model: Any,  # noqa: ANN401  # whatever the configuration named
    fitted: FittedModel,
    backend: Backend,
    seed: int,
    progress: Progress,
) -> dict[str, NDArray[np.int64]]:
    """Return the answers to treated spikes of the model as it is, and of the model trained on such."""
    answers = probe.answers(backend, fitted, test.events, seed=seed)
    return answers | probe.retrained_answers(
        backend, model, task.train, task.validation, test.events, seed=seed, progress=progress
    )


def _write_artefacts(
    folder: Path,
    config: dict[str, Any],
    fitted: FittedModel,
    predictions: Predictions,
    targets: NDArray[np.integer],
) -> None:
    """Write configuration, answers beside the right ones (for paired comparisons), and weights."""
    from safetensors.numpy import save_file

    with new_file(folder / "config.yaml") as path:
        OmegaConf.save(OmegaConf.create(config), path)
    with new_file(folder / "predictions.npz") as path, path.open("wb") as file:
        np.savez_compressed(
            file, labels=predictions.labels.astype(np.int16), targets=targets.astype(np.int16)
        )
    if fitted.parameters:
        with new_file(folder / "weights.safetensors") as path:
            tensors = {name: np.ascontiguousarray(array) for name, array in fitted.parameters.items()}
            save_file(tensors, str(path))
