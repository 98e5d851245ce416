"""Chance and majority are as good as they must be, and no better."""

import numpy as np

from hearspike.baselines.reference_models import Chance, Majority
from hearspike.datasets import SpikeDataset

Data = tuple[SpikeDataset, SpikeDataset]


def test_chance_guesses_every_class_alike(timed: Data) -> None:
    """Each class is guessed by a fair coin, the same for the same seed."""
    train, test = timed
    fitted = Chance().fit(train, train, seed=4)
    labels = fitted.predict(test.events).labels
    assert labels.shape == (1, 128)
    # 128 fair coin tosses: 4 standard deviations are 22.6.
    assert abs(labels.sum() - 64) < 23
    np.testing.assert_array_equal(labels, Chance().fit(train, train, seed=4).predict(test.events).labels)
    assert (labels != Chance().fit(train, train, seed=5).predict(test.events).labels).any()


def test_majority_answers_the_commonest_class(timed: Data) -> None:
    """Its accuracy on the training set is the share of the largest class."""
    train, _ = timed
    labels = Majority().fit(train, train, seed=0).predict(train.events).labels[0]
    assert np.mean(labels == train.labels) == np.bincount(train.labels).max() / len(train)
