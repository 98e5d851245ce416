"""A linear support vector machine on spike counts: what can be told without any timing.

Cramer et al. (IEEE TNNLS 33:2744, 2022) use it to show how much of SHD and SSC needs spike times: no
support vector machine on counts exceeded 60 % on SHD.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearspike.baselines.interface import Operations, Predictions
from hearspike.datasets import SpikeDataset, SpikeEvents, count_spikes
from hearspike.errors import InputError
from hearspike.progress import Progress, no_progress


@dataclass(frozen=True)
class LinearSVM:
    """Linear support vector machine, one against the rest, on standardised counts per channel.

    Parameters
    ----------
    penalties
        Values of the penalty C to try; the one with the best validation accuracy is kept, the
        smallest of several.
    iterations
        Bound on the iterations of the solver.
    """

    penalties: tuple[float, ...]
    iterations: int

    def __post_init__(self) -> None:
        if not self.penalties or min(self.penalties) <= 0:
            raise InputError("model.penalties", list(self.penalties), "one or more positive values of C")
        if self.iterations < 1:
            raise InputError("model.iterations", self.iterations, "at least 1")

    def fit(
        self, train: SpikeDataset, validation: SpikeDataset, *, seed: int, progress: Progress = no_progress
    ) -> "FittedLinearSVM":
        """Train one machine per penalty and keep the best on validation speakers."""
        from sklearn.svm import LinearSVC

        counts = count_spikes(train.events).astype(np.float64)
        mean, deviation = counts.mean(axis=0), counts.std(axis=0)
        scale = np.where(deviation > 0, deviation, 1.0)
        candidates = []
        for done, penalty in enumerate(sorted(self.penalties), start=1):
            machine = LinearSVC(C=penalty, max_iter=self.iterations, random_state=seed)
            machine.fit((counts - mean) / scale, train.labels)
            fitted = FittedLinearSVM(machine.coef_, machine.intercept_, machine.classes_, mean, scale)
            correct = np.mean(fitted.predict(validation.events).labels[0] == validation.labels)
            candidates.append((float(correct), fitted))
            progress("fit", done, len(self.penalties), f"C={penalty:g}: validation {correct:.1%}")
        return max(candidates, key=lambda candidate: candidate[0])[1]


@dataclass(frozen=True)
class FittedLinearSVM:
    """Weights of the machine and of the standardisation before it.

    Parameters
    ----------
    weights, intercepts
        [class, channel] and [class] of the decision functions.
    labels
        [class] Label that each decision function stands for.
    mean, scale
        [channel] Standardisation of the counts.
    """

    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    labels: NDArray[np.int64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @property
    def parameters(self) -> dict[str, NDArray[Any]]:
        """Everything that was learnt."""
        return {
            "weights": self.weights,
            "intercepts": self.intercepts,
            "labels": self.labels,
            "mean": self.mean,
            "scale": self.scale,
        }

    def predict(self, events: SpikeEvents) -> Predictions:
        """Label each sample by the largest decision function, or by the sign of the only one."""
        counts = count_spikes(events)
        decisions = ((counts - self.mean) / self.scale) @ self.weights.T + self.intercepts
        if len(self.labels) == 2:
            decisions = np.hstack([-decisions, decisions])
        return Predictions(
            self.labels[decisions.argmax(axis=1)][np.newaxis],
            layer_spikes={"input": counts.sum(axis=1)[np.newaxis]},
            operations=Operations(multiply_accumulates=float(self.weights.size), accumulates=0.0),
        )
