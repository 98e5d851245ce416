"""Scores come out as their definition says, and can come out bad."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score

from hearspike.leaderboard.metrics import accuracy, chip_accuracies, fifth_percentile


def test_accuracy_agrees_with_scikit_learn() -> None:
    """On one chip it is the share of right answers, over chips their mean."""
    rng = np.random.default_rng(0)
    labels, predicted = rng.integers(5, size=200), rng.integers(5, size=(3, 200))
    expected = [accuracy_score(labels, chip) for chip in predicted]
    assert chip_accuracies(labels, predicted) == pytest.approx(expected)
    assert accuracy(labels, predicted, seed=0).value == pytest.approx(np.mean(expected))


def test_interval_is_the_binomial_one() -> None:
    """For right-or-wrong scores the bootstrap has the binomial law, whose quantiles are known."""
    labels = np.zeros(400, dtype=int)
    predicted = (np.arange(400) >= 280)[np.newaxis].astype(int)
    interval = accuracy(labels, predicted, seed=0).interval
    assert interval is not None
    # 2,000 resamples place a 2.5 % quantile to within 0.35 % of probability; the law's standard
    # deviation is 0.023, its density there 2.5 per unit, so 0.006 is four standard errors.
    expected = stats.binom.ppf([0.025, 0.975], 400, 0.7) / 400
    np.testing.assert_allclose(interval, expected, atol=0.006)


def test_all_wrong_is_zero() -> None:
    """The metric has no floor."""
    metric = accuracy(np.zeros(10, dtype=int), np.ones((1, 10), dtype=int), seed=0)
    assert metric.value == 0.0
    assert metric.interval == (0.0, 0.0)


def test_fifth_percentile_is_a_chip_that_exists() -> None:
    """With eight chips it is the worst, with a hundred the sixth from below."""
    assert fifth_percentile([0.5, 0.9, 0.7]).value == 0.5
    assert fifth_percentile([index / 100 for index in range(100)]).value == 0.05
