"""The linear machine sees counts and nothing else."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from hearspike.baselines.linear_svm import LinearSVM
from hearspike.datasets import SpikeDataset, count_spikes
from hearspike.errors import InputError

Data = tuple[SpikeDataset, SpikeDataset]
MACHINE = LinearSVM(penalties=(1e-3, 1e-2), iterations=5000)


def score(data: Data) -> float:
    train, test = data
    return float(np.mean(MACHINE.fit(train, train, seed=0).predict(test.events).labels[0] == test.labels))


def test_it_solves_what_counts_tell_and_fails_at_what_only_times_tell(timed: Data, counted: Data) -> None:
    """Timing is invisible to it: 128 coin tosses stay within 4 standard deviations, 18 %, of one half."""
    assert score(counted) > 0.99
    assert abs(score(timed) - 0.5) < 0.18


def test_it_predicts_as_scikit_learn_does(counted: Data) -> None:
    """Standardisation and decision are those of a scikit-learn pipeline, on three classes."""
    train, test = counted
    thirds = np.arange(len(train)) % 3
    train = SpikeDataset(train.events, thirds, train.speakers, ("a", "b", "c"))
    machine = LinearSVM(penalties=(1e-2,), iterations=5000).fit(train, train, seed=0)
    pipeline = make_pipeline(StandardScaler(), LinearSVC(C=1e-2, max_iter=5000, random_state=0))
    pipeline.fit(count_spikes(train.events), thirds)
    np.testing.assert_array_equal(
        machine.predict(test.events).labels[0], pipeline.predict(count_spikes(test.events))
    )


@pytest.mark.parametrize("penalty", [1e-9, 1e-1])
def test_penalty_is_chosen_on_validation(timed: Data, penalty: float) -> None:
    """If validation is labelled by the machine of one penalty, that penalty is chosen."""
    train, test = timed
    wanted = LinearSVM(penalties=(penalty,), iterations=5000).fit(train, test, seed=0)
    labels = wanted.predict(test.events).labels[0]
    validation = SpikeDataset(test.events, labels, test.speakers, test.classes)
    chosen = LinearSVM(penalties=(1e-9, 1e-1), iterations=5000).fit(train, validation, seed=0)
    np.testing.assert_array_equal(chosen.weights, wanted.weights)


def test_wrong_penalty_is_refused() -> None:
    """A penalty is positive."""
    with pytest.raises(InputError, match=r"model\.penalties"):
        LinearSVM(penalties=(0.0,), iterations=10)
