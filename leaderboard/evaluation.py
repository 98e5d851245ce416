"""One run: load the task, fit the model, score it once on the test set, write the record."""

import dataclasses
import hashlib
import shutil
import statistics
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
from hearspike.baselines.backends import Backend, EmulatedChips
from hearspike.datasets import SpikeEvents, Task
from hearspike.emulator import load_calibration
from hearspike.errors import InputError
from hearspike.files import new_file
from hearspike.leaderboard.config import build
from hearspike.leaderboard.machine import describe_machine, git_commit, package_versions
from hearspike.leaderboard.metrics import (
    Metric,
    accuracy,
    chip_accuracies,
    fifth_percentile,
    operation_metrics,
)
from hearspike.leaderboard.record import FILE_NAME, Record, config_sha256, read_record, write_record
from hearspike.leaderboard.run_folder import open_run
from hearspike.leaderboard.sealed_test import SealedTest
from hearspike.leaderboard.timing_probe import TimingProbe, metric_name
from hearspike.progress import Progress, no_progress

WARM_UP_SAMPLES = 16
TIMED_SAMPLES = 256
LATENCY_SAMPLES = 9

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
        speed = _throughput(backend, fitted, test.events, seed, config["timing_repeats"])
        latency = _latency(backend, fitted, test.events, seed)
    with _timed(phases, "probe"):
        probed = _probe(probe, task, test, model, fitted, backend, seed, progress) if probe else {}
    labels = test.open()
    _write_artefacts(folder, config, fitted, predictions, labels)
    notes = ["weights shared with another run of this process that has the same model, task and seed"]
    return _record(
        config,
        status="complete",
        task=_describe_task(task),
        metrics={
            **_accuracies(labels, task, predictions, backend, seed),
            **{metric_name(name): accuracy(labels, answers, seed=seed) for name, answers in probed.items()},
            **_costs(config, fitted, predictions, backend, speed),
            **_durations(predictions, backend, latency),
            "spikes_per_neuron": _spikes_per_neuron(model, predictions),
        },
        layer_spikes={layer: float(spikes.mean()) for layer, spikes in predictions.layer_spikes.items()},
        chips=_describe_chips(config, labels, predictions, backend),
        phases=phases,
        history=_learning_curve(fitted),
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


def _throughput(backend: Backend, fitted: FittedModel, events: SpikeEvents, seed: int, repeats: int) -> float:
    """Return samples per second: the median of several passes after a warm-up.

    On emulated chips every chip's pass over a sample counts as one.
    """
    backend.predict(fitted, events.select(np.arange(min(WARM_UP_SAMPLES, len(events)))), seed=seed)
    timed = events.select(np.arange(min(TIMED_SAMPLES, len(events))))
    rates = []
    for _ in range(repeats):
        start = time.monotonic()
        predictions = backend.predict(fitted, timed, seed=seed)
        rates.append(predictions.labels.size / (time.monotonic() - start))
    return statistics.median(rates)


def _latency(backend: Backend, fitted: FittedModel, events: SpikeEvents, seed: int) -> float:
    """Return the seconds from one sample, alone, to its answer: the median over several samples."""
    taken = []
    for index in range(min(LATENCY_SAMPLES, len(events))):
        sample = events.select(np.array([index]))
        start = time.monotonic()
        backend.predict(fitted, sample, seed=seed)
        taken.append(time.monotonic() - start)
    return statistics.median(taken)


def _durations(predictions: Predictions, backend: Backend, latency: float) -> dict[str, Metric]:
    """Return how long a sample takes: measured in software, modelled on a chip, which is only emulated."""
    if isinstance(backend, EmulatedChips):
        return {
            "latency": Metric(None, "s", "lower", reason="emulated; the time on the chip is modelled"),
            "time_on_chip": Metric(predictions.time_on_chip, "s", "lower", kind="modelled"),
        }
    return {"latency": Metric(latency, "s", "lower")}


def _spikes_per_neuron(model: object, predictions: Predictions) -> Metric:
    """Return spikes per sample over the number of hidden neurons, which spiking models have as ``hidden``."""
    hidden = [spikes.mean() for layer, spikes in predictions.layer_spikes.items() if layer != "input"]
    neurons = int(np.sum(getattr(model, "hidden", 0)))
    if not hidden:
        return Metric(None, "1", "lower", reason="the model does not spike")
    if not neurons:
        return Metric(None, "1", "lower", reason="the model does not say how many neurons it has")
    return Metric(float(sum(hidden)) / neurons, "1", "lower")


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


def _accuracies(
    labels: NDArray[np.int64], task: Task, predictions: Predictions, backend: Backend, seed: int
) -> dict[str, Metric]:
    """Score the answers on all samples, on speakers heard before the test, and on others."""
    metrics = {"accuracy": accuracy(labels, predictions.labels, seed=seed)}
    for name, samples in task.test_speakers().items():
        if samples.any():
            metrics[f"accuracy_{name}_speakers"] = accuracy(
                labels[samples], predictions.labels[:, samples], seed=seed
            )
    if isinstance(backend, EmulatedChips):
        metrics["accuracy_fifth_percentile_chip"] = fifth_percentile(
            chip_accuracies(labels, predictions.labels)
        )
    return metrics


def _costs(
    config: dict[str, Any], fitted: FittedModel, predictions: Predictions, backend: Backend, speed: float
) -> dict[str, Metric]:
    """Put together what it took to find the answers."""
    metrics = {}
    hidden = [spikes.mean() for layer, spikes in predictions.layer_spikes.items() if layer != "input"]
    metrics["spikes_per_sample"] = (
        Metric(float(sum(hidden)), "1", "lower")
        if hidden
        else Metric(None, "1", "lower", reason="the model does not spike")
    )
    metrics["samples_per_second"] = Metric(speed, "1/s", "higher")
    metrics["energy_per_sample"] = _energy(config, predictions, backend)
    metrics |= _on_chip(config, predictions, backend)
    return metrics | operation_metrics(fitted.parameters, predictions.operations)


def _energy(config: dict[str, Any], predictions: Predictions, backend: Backend) -> Metric:
    joules = backend.energy_per_sample(predictions)
    reason = None if joules is not None else "the model does not count its operations"
    model = {"name": backend.energy.name, **_constants(config["backend"]["energy"])}
    return Metric(joules, "J", "lower", kind="modelled", model=model, reason=reason)


def _on_chip(config: dict[str, Any], predictions: Predictions, backend: Backend) -> dict[str, Metric]:
    """Return what only chips have: energy by activity, and when decisions were made."""
    if not isinstance(backend, EmulatedChips) or predictions.activity is None:
        return {}
    metrics = {}
    if backend.activity_energy is not None:
        constants = _constants(config["backend"]["activity_energy"])
        activity = dataclasses.asdict(predictions.activity)
        metrics["energy_per_sample_by_activity"] = Metric(
            backend.activity_energy.energy_of(predictions.activity),
            "J",
            "lower",
            kind="modelled",
            model={"name": backend.activity_energy.name, **constants, "activity": activity},
        )
    if predictions.decision_times is not None:
        metrics["decision_time_on_chip"] = Metric(
            float(np.median(predictions.decision_times)),
            "s",
            "lower",
            kind="modelled",
            model={"name": "median of the reads from which on decisions do not change, of chip time"},
        )
    return metrics


def _constants(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in ("_target_", "name")}


def _learning_curve(fitted: FittedModel) -> dict[str, list[float | None]]:
    """Return loss and accuracies after each epoch of a model that learnt in epochs."""
    scores = getattr(fitted, "history", ())
    names = ("loss", "train_accuracy", "validation_accuracy") if scores else ()
    return {name: [getattr(score, name) for score in scores] for name in names}


def _describe_task(task: Task) -> dict[str, Any]:
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


def _describe_chips(
    config: dict[str, Any], labels: NDArray[np.int64], predictions: Predictions, backend: Backend
) -> dict[str, Any] | None:
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
