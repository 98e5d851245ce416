"""Support vector machines on spike counts: what can be told without any timing.

Cramer et al. (IEEE TNNLS 33:2744, 2022) use them to show how much of SHD and SSC needs spike times: none on
counts exceeded 60 % on SHD, whatever its kernel.
"""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hearspike.baselines.interface import Operations, Predictions
from hearspike.datasets import SpikeDataset, SpikeEvents, count_spikes
from hearspike.errors import InputError
from hearspike.progress import Progress, no_progress

Kernel = Literal["linear", "polynomial", "rbf"]
PREDICTION_BATCH = 1024
"""Samples whose kernels are computed at once: bounds the memory."""


@dataclass(frozen=True)
class SupportVectorMachine:
    r"""Support vector machine on counts per channel, each standardised over the training set.

    With :math:`n` channels, the kernel of two samples is :math:`x \cdot y` (linear; one machine for each
    class against the rest), :math:`(\gamma\, x \cdot y / n + 1)^{d}` (polynomial) or
    :math:`e^{-\gamma |x - y|^2 / n}` (rbf; both one machine for each pair of classes, which vote).

    Parameters
    ----------
    kernel
        ``linear``, ``polynomial`` or ``rbf``.
    penalties
        Values of the penalty C to try.
    gammas
        Values of :math:`\gamma` to try; the linear kernel has none. The pair with the best validation
        accuracy is kept, the smallest of several.
    degree
        Degree :math:`d` of the polynomial.
    iterations
        Bound on the iterations of the solver.
    """

    kernel: Kernel
    penalties: tuple[float, ...]
    iterations: int
    gammas: tuple[float, ...] = (1.0,)
    degree: int = 3

    def __post_init__(self) -> None:
        if self.kernel not in get_args(Kernel):
            raise InputError("model.kernel", self.kernel, f"one of {', '.join(get_args(Kernel))}")
        for name in ("penalties", "gammas"):
            values = getattr(self, name)
            if not values or min(values) <= 0:
                raise InputError(f"model.{name}", list(values), "one or more positive values")
        for name in ("iterations", "degree"):
            if getattr(self, name) < 1:
                raise InputError(f"model.{name}", getattr(self, name), "at least 1")
        if self.kernel == "linear" and len(self.gammas) > 1:
            raise InputError("model.gammas", list(self.gammas), "one value, as the linear kernel has none")

    def fit(
        self,
        train: SpikeDataset,
        validation: SpikeDataset,
        *,
        seed: int,
        progress: Progress = no_progress,
        checkpoint: Path | None = None,
    ) -> "FittedSupportVectorMachine":
        """Train one machine for each penalty and gamma and keep the best on validation speakers."""
        counts = count_spikes(train.events).astype(np.float64)
        mean, deviation = counts.mean(axis=0), counts.std(axis=0)
        scale = np.where(deviation > 0, deviation, 1.0)
        grid = list(product(sorted(self.penalties), sorted(self.gammas)))
        candidates = []
        for done, (penalty, gamma) in enumerate(grid, start=1):
            machine = self._machine(penalty, gamma / counts.shape[1], seed)
            machine.fit((counts - mean) / scale, train.labels)
            fitted = FittedSupportVectorMachine(machine, mean, scale)
            correct = float(np.mean(fitted.predict(validation.events).labels[0] == validation.labels))
            candidates.append((correct, fitted))
            progress("fit", done, len(grid), f"C={penalty:g}, gamma={gamma:g}: validation {correct:.1%}")
        return max(candidates, key=lambda candidate: candidate[0])[1]

    def _machine(self, penalty: float, gamma: float, seed: int) -> Any:  # noqa: ANN401  # scikit-learn is untyped
        from sklearn.svm import SVC, LinearSVC

        if self.kernel == "linear":
            return LinearSVC(C=penalty, max_iter=self.iterations, random_state=seed)
        kernel = "poly" if self.kernel == "polynomial" else "rbf"
        return SVC(
            C=penalty, kernel=kernel, gamma=gamma, degree=self.degree, coef0=1.0, max_iter=self.iterations
        )


@dataclass(frozen=True)
class FittedSupportVectorMachine:
    """A machine of scikit-learn and the standardisation before it.

    Parameters
    ----------
    machine
        ``LinearSVC`` or ``SVC``.
    mean, scale
        [channel] Standardisation of the counts.
    """

    machine: Any
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @property
    def parameters(self) -> dict[str, NDArray[Any]]:
        """Everything that was learnt: weights, or support vectors and their coefficients."""
        machine = self.machine
        learnt = {"intercepts": machine.intercept_, "labels": machine.classes_}
        if hasattr(machine, "support_vectors_"):
            learnt["support_vectors"] = machine.support_vectors_
            learnt["support_vectors_per_class"] = machine.n_support_
            learnt["dual_coefficients"] = machine.dual_coef_
            learnt["gamma"] = np.array(machine.gamma)
        else:
            learnt["weights"] = machine.coef_
        return {**learnt, "mean": self.mean, "scale": self.scale}

    def predict(self, events: SpikeEvents) -> Predictions:
        """Label each sample by the largest decision function, or by the votes of pairs of classes."""
        counts = count_spikes(events)
        starts = range(0, len(counts), PREDICTION_BATCH)
        parts = [(counts[start : start + PREDICTION_BATCH] - self.mean) / self.scale for start in starts]
        labels = [self.machine.predict(part) for part in parts]
        return Predictions(
            np.concatenate([np.empty(0, np.int64), *labels])[np.newaxis],
            layer_spikes={"input": counts.sum(axis=1)[np.newaxis]},
            operations=Operations(multiply_accumulates=self._products(), accumulates=0.0),
        )

    def _products(self) -> float:
        """Count one product for each entry of the weights, or of support vectors and coefficients."""
        learnt = self.parameters
        names = ("weights", "support_vectors", "dual_coefficients")
        return float(sum(learnt[name].size for name in names if name in learnt))
