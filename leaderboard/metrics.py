"""Scores of a run, each with its unit, its direction and how it was found."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearspike.baselines import Operations

RESAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Metric:
    """One number of a run.

    Parameters
    ----------
    value
        The number; None where the run has none, then ``reason`` says why.
    unit
        Its unit, ``1`` for a fraction.
    better
        ``higher``, ``lower``, or ``neither``.
    kind
        ``measured`` or ``modelled``; the two never share a column.
    interval
        Lower and upper end of a 95 % interval, where there is one.
    model
        For modelled numbers: name, constants and source of the model.
    reason
        Why there is no value.
    """

    value: float | None
    unit: str
    better: str
    kind: str = "measured"
    interval: tuple[float, float] | None = None
    model: dict[str, Any] | None = None
    reason: str | None = None


def accuracy(labels: NDArray[np.integer], predicted: NDArray[np.integer], *, seed: int) -> Metric:
    """Return the share of right answers, averaged over chips, with a percentile bootstrap over samples.

    The chips see the same samples, so samples are resampled and each takes its answers on all chips
    along: the interval speaks of other samples, not of other chips.

    Parameters
    ----------
    labels
        [sample] True classes.
    predicted
        [chip, sample] Answers.
    seed
        Seed of the resampling.
    """
    from scipy.stats import bootstrap

    score = (predicted == labels).mean(axis=0)
    if score.min() == score.max():
        interval = (float(score[0]), float(score[0]))
    else:
        result = bootstrap(
            (score,),
            np.mean,
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
        interval = (float(result.confidence_interval.low), float(result.confidence_interval.high))
    return Metric(float(score.mean()), "1", "higher", interval=interval)


def chip_accuracies(labels: NDArray[np.integer], predicted: NDArray[np.integer]) -> list[float]:
    """Return the accuracy of every chip."""
    return [float(value) for value in (predicted == labels).mean(axis=1)]


def fifth_percentile(values: list[float]) -> Metric:
    """Return the value that 95 % of the chips reach; with fewer than 20 chips, the worst one.

    The largest observed value with at most 5 % of the others below it, not an interpolation.
    """
    ordered = sorted(values)
    return Metric(ordered[math.floor(0.05 * len(ordered))], "1", "higher")


def operation_metrics(
    parameters: Mapping[str, NDArray[Any]], operations: Operations | None
) -> dict[str, Metric]:
    """Return what a sample costs in operations and in memory.

    Parameters
    ----------
    parameters
        Everything that the model learnt.
    operations
        What it counted, None where that has no meaning.
    """
    names = {
        "multiply_accumulates": "multiply_accumulates",
        "accumulates": "accumulates",
        "dense_operations": "dense",
        "neuron_updates": "neuron_updates",
    }
    metrics = {"parameters": Metric(float(sum(array.size for array in parameters.values())), "1", "lower")}
    if operations is None:
        reason = "the model does not count its operations"
        return metrics | {
            name: Metric(None, "1", "lower", reason=reason) for name in ("synaptic_operations", *names)
        }
    metrics |= {
        name: Metric(float(getattr(operations, field)), "1", "lower") for name, field in names.items()
    }
    metrics["synaptic_operations"] = Metric(float(operations.synaptic), "1", "lower")
    weights = sum(array.nbytes for array in parameters.values())
    metrics["footprint"] = Metric(float(weights + operations.state_bytes), "B", "lower")
    return metrics
