"""The numbers of a run: what its answers are worth, and what it took to find them."""

import dataclasses
import statistics
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearspike.baselines import FittedModel, Predictions
from hearspike.baselines.backends import Backend, EmulatedChips
from hearspike.datasets import SpikeEvents, Task
from hearspike.leaderboard.metrics import (
    Metric,
    accuracy,
    chip_accuracies,
    fifth_percentile,
    operation_metrics,
)

WARM_UP_SAMPLES = 16
TIMED_SAMPLES = 256
LATENCY_SAMPLES = 9


def throughput(backend: Backend, fitted: FittedModel, events: SpikeEvents, seed: int, repeats: int) -> float:
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


def latency_alone(backend: Backend, fitted: FittedModel, events: SpikeEvents, seed: int) -> float:
    """Return the seconds from one sample, alone, to its answer: the median over several samples."""
    taken = []
    for index in range(min(LATENCY_SAMPLES, len(events))):
        sample = events.select(np.array([index]))
        start = time.monotonic()
        backend.predict(fitted, sample, seed=seed)
        taken.append(time.monotonic() - start)
    return statistics.median(taken)


def accuracies(
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


def costs(
    config: dict[str, Any],
    model: object,
    fitted: FittedModel,
    predictions: Predictions,
    backend: Backend,
    speed: float,
) -> dict[str, Metric]:
    """Put together what it took to find the answers."""
    metrics = _spikes(model, predictions)
    metrics["samples_per_second"] = Metric(speed, "1/s", "higher")
    metrics["energy_per_sample"] = _energy(config, predictions, backend)
    metrics |= _on_chip(config, predictions, backend)
    return metrics | operation_metrics(fitted.parameters, predictions.operations)


def _spikes(model: object, predictions: Predictions) -> dict[str, Metric]:
    """Return hidden spikes per sample, and over the neurons, which spiking models have as ``hidden``."""
    layers = [spikes.mean() for layer, spikes in predictions.layer_spikes.items() if layer != "input"]
    if not layers:
        none = Metric(None, "1", "lower", reason="the model does not spike")
        return {"spikes_per_sample": none, "spikes_per_neuron": none}
    total, neurons = float(sum(layers)), int(np.sum(getattr(model, "hidden", 0)))
    return {
        "spikes_per_sample": Metric(total, "1", "lower"),
        "spikes_per_neuron": Metric(total / neurons, "1", "lower")
        if neurons
        else Metric(None, "1", "lower", reason="the model does not say how many neurons it has"),
    }


def durations(predictions: Predictions, backend: Backend, latency: float) -> dict[str, Metric]:
    """Return how long a sample takes: measured in software, modelled on a chip, which is only emulated."""
    if isinstance(backend, EmulatedChips):
        return {
            "latency": Metric(None, "s", "lower", reason="emulated; the time on the chip is modelled"),
            "time_on_chip": Metric(predictions.time_on_chip, "s", "lower", kind="modelled"),
        }
    return {"latency": Metric(latency, "s", "lower")}


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
