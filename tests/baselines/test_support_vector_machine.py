"""The machines see counts and nothing else, and are those of scikit-learn."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from hearspike.baselines.support_vector_machine import SupportVectorMachine
from hearspike.datasets import SpikeDataset, count_spikes
from hearspike.errors import InputError

Data = tuple[SpikeDataset, SpikeDataset]
LINEAR = SupportVectorMachine(kernel="linear", penalties=(1e-3, 1e-2), iterations=5000)
POLYNOMIAL = SupportVectorMachine(
    kernel="polynomial", penalties=(1.0,), gammas=(0.5,), degree=2, iterations=5000
)
RBF = SupportVectorMachine(kernel="rbf", penalties=(1.0,), gammas=(0.5,), iterations=5000)


def score(model: SupportVectorMachine, data: Data) -> float:
    train, test = data
    return float(np.mean(model.fit(train, train, seed=0).predict(test.events).labels[0] == test.labels))


@pytest.mark.parametrize("model", [LINEAR, POLYNOMIAL, RBF])
def test_it_solves_what_counts_tell_and_fails_at_what_only_times_tell(
    timed: Data, counted: Data, model: SupportVectorMachine
) -> None:
    """Timing is invisible to it: 128 coin tosses stay within 4 standard deviations, 18 %, of one half."""
    assert score(model, counted) > 0.99
    assert abs(score(model, timed) - 0.5) < 0.18


@pytest.mark.parametrize(
    ("model", "reference"),
    [
        (LINEAR, LinearSVC(C=1e-3, max_iter=5000, random_state=0)),
        (POLYNOMIAL, SVC(C=1.0, kernel="poly", degree=2, gamma=0.5 / 20, coef0=1.0)),
        (RBF, SVC(C=1.0, kernel="rbf", gamma=0.5 / 20)),
    ],
)
def test_it_predicts_as_scikit_learn_does(counted: Data, model: SupportVectorMachine, reference: SVC) -> None:
    """Standardisation and decision are those of a scikit-learn pipeline, on three classes."""
    train, test = counted
    thirds = np.arange(len(train)) % 3
    train = SpikeDataset(train.events, thirds, train.speakers, ("a", "b", "c"))
    model = dataclasses.replace(model, penalties=model.penalties[:1])
    machine = model.fit(train, train, seed=0)
    pipeline = make_pipeline(StandardScaler(), reference)
    pipeline.fit(count_spikes(train.events), thirds)
    np.testing.assert_array_equal(
        machine.predict(test.events).labels[0], pipeline.predict(count_spikes(test.events))
    )


def test_saved_arrays_are_enough_to_decide(counted: Data) -> None:
    """For two classes the sign of the kernel expansion, from the saved arrays alone, is the label."""
    train, test = counted
    fitted = RBF.fit(train, train, seed=0)
    learnt = fitted.parameters
    points = (count_spikes(test.events) - learnt["mean"]) / learnt["scale"]
    distances = ((points[:, np.newaxis] - learnt["support_vectors"]) ** 2).sum(axis=2)
    decisions = np.exp(-learnt["gamma"] * distances) @ learnt["dual_coefficients"][0] + learnt["intercepts"]
    labels = learnt["labels"][(decisions > 0).astype(int)]
    np.testing.assert_array_equal(labels, fitted.predict(test.events).labels[0])


@pytest.mark.parametrize("penalty", [1e-9, 1e-1])
def test_penalty_is_chosen_on_validation(timed: Data, penalty: float) -> None:
    """If validation is labelled by the machine of one penalty, that penalty is chosen."""
    train, test = timed
    wanted = dataclasses.replace(LINEAR, penalties=(penalty,)).fit(train, test, seed=0)
    labels = wanted.predict(test.events).labels[0]
    validation = SpikeDataset(test.events, labels, test.speakers, test.classes)
    chosen = dataclasses.replace(LINEAR, penalties=(1e-9, 1e-1)).fit(train, validation, seed=0)
    np.testing.assert_array_equal(chosen.parameters["weights"], wanted.parameters["weights"])


@pytest.mark.parametrize("gamma", [0.02, 1.0])
def test_gamma_is_chosen_on_validation(timed: Data, gamma: float) -> None:
    """If validation is labelled by the machine of one gamma, that gamma is chosen."""
    train, test = timed
    wanted = dataclasses.replace(RBF, gammas=(gamma,)).fit(train, test, seed=0)
    labels = wanted.predict(test.events).labels[0]
    validation = SpikeDataset(test.events, labels, test.speakers, test.classes)
    chosen = dataclasses.replace(RBF, gammas=(0.02, 1.0)).fit(train, validation, seed=0)
    assert chosen.parameters["gamma"] == pytest.approx(gamma / 20)


@pytest.mark.parametrize(
    ("key", "value"), [("penalties", (0.0,)), ("gammas", ()), ("degree", 0), ("gammas", (1.0, 2.0))]
)
def test_wrong_settings_are_refused(key: str, value: Any) -> None:
    """Each names its key; a linear kernel has no gamma to choose."""
    with pytest.raises(InputError, match=rf"model\.{key}"):
        dataclasses.replace(LINEAR, **{key: value})
