"""Equal models are told apart no more often than stated, better ones are found, intervals hold the truth."""

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from hearspike.leaderboard.ranking import (
    Answers,
    Rank,
    accuracy_draws,
    interval,
    pair_p_values,
    ranks,
)

DRAWS = 500


def simulate(
    rng: np.random.Generator,
    *,
    levels: list[float],
    seeds: int = 5,
    samples: int = 200,
    seed_spread: float = 0.3,
    difficulty: float = 1.0,
) -> list[Answers]:
    """Draw answers of models by a logistic model of ability, difficulty and luck of the seed."""
    hard = difficulty * rng.standard_normal(samples)
    rows = []
    for level in levels:
        luck = seed_spread * rng.standard_normal((seeds, 1))
        chance = 1 / (1 + np.exp(-(level + luck + hard)))
        rows.append(Answers((rng.random((seeds, samples)) < chance).astype(np.uint16), 1))
    return rows


def p_values(rows: list[Answers], seed: int = 0) -> NDArray[np.float64]:
    return pair_p_values(rows, accuracy_draws(rows, draws=DRAWS, seed=seed))


@pytest.mark.parametrize("seed_spread", [0.0, 0.1, 0.5])
def test_equal_models_are_separated_no_more_often_than_stated(seed_spread: float) -> None:
    """Five models of one ability, 300 tables: any pair separated in at most 5 % of tables.

    Whatever the share of noise that comes from seeds. With a true rate of 5 %, more than 26 of 300 happen
    once in 300 times (binomial); the numbers are drawn with a fixed seed.
    """
    rng = np.random.default_rng(20)
    wrong = 0
    for table in range(300):
        rows = simulate(rng, levels=[0.4] * 5, seed_spread=seed_spread)
        wrong += bool((p_values(rows, table) <= 0.05).any())
    assert wrong <= 26


def test_better_models_are_found() -> None:
    """A difference of six standard errors is separated in nearly every table, and ranks say so."""
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(40):
        rows = simulate(rng, levels=[1.4, 0.0], samples=400, seed_spread=0.1)
        found += ranks(rows, p_values(rows)) == [Rank(1, 1), Rank(2, 2)]
    assert found >= 38


def test_pairing_counts() -> None:
    """Two models that differ on few samples are separated although their intervals overlap."""
    rng = np.random.default_rng(5)
    base = np.tile((rng.random(400) < 0.6).astype(np.uint16), (5, 1))
    better = base.copy()
    better[:, np.flatnonzero(base[0] == 0)[:16]] = 1
    rows = [Answers(better, 1), Answers(base, 1)]
    draws = accuracy_draws(rows)
    assert interval(draws[:, 0])[0] < interval(draws[:, 1])[1]
    assert pair_p_values(rows, draws)[0, 1] < 0.01


def test_interval_of_one_run_is_the_binomial_one() -> None:
    """One seed: a ± 1.96 √(a(1 − a)/N), the normal approximation, to the error of 4000 draws."""
    right = np.zeros((1, 1000), dtype=np.uint16)
    right[:, :700] = 1
    low, high = interval(accuracy_draws([Answers(right, 1)])[:, 0])
    half = 1.96 * math.sqrt(0.7 * 0.3 / 1000)
    # A percentile of 4000 draws has a standard error of about 4 % of half the width.
    assert (low, high) == pytest.approx((0.7 - half, 0.7 + half), abs=0.15 * half)


def test_interval_over_seeds_is_students() -> None:
    """Many samples, five seeds: a ± 2.776 s/√5, the interval of the t distribution."""
    samples, accuracies = 20_000, np.array([0.60, 0.62, 0.65, 0.61, 0.66])
    right = np.array([np.arange(samples) < share * samples for share in accuracies], dtype=np.uint16)
    half = 2.776 * accuracies.std(ddof=1) / math.sqrt(5)
    low, high = interval(accuracy_draws([Answers(right, 1)], draws=2000)[:, 0])
    # Heavy tails: a percentile of 2000 draws has a standard error of about 5 % of half the width.
    assert (low, high) == pytest.approx((0.628 - half, 0.628 + half), abs=0.2 * half)


def test_chips_count_as_shares_of_a_sample() -> None:
    """Right on half of the chips everywhere is an accuracy of one half without spread over samples."""
    row = Answers(np.full((5, 50), 4, dtype=np.uint16), 8)
    assert row.accuracy == 0.5
    assert np.ptp(accuracy_draws([row])) == 0.0


def test_rows_without_any_noise() -> None:
    """Models that always answer alike are equal for certain, or different for certain."""
    right, wrong = (np.full((5, 30), value, dtype=np.uint16) for value in (1, 0))
    rows = [Answers(right, 1), Answers(right, 1), Answers(wrong, 1)]
    assert ranks(rows, p_values(rows)) == [Rank(1, 2), Rank(1, 2), Rank(3, 3)]


def test_order_of_rows_does_not_matter() -> None:
    """The verdict on a pair is the same wherever its rows stand, up to the luck of the draws."""
    rows = simulate(np.random.default_rng(8), levels=[2.0, 0.5, 0.5, -1.0])
    for order in itertools.islice(itertools.permutations(range(4)), 0, 24, 5):
        verdict = p_values([rows[index] for index in order]) <= 0.05
        np.testing.assert_array_equal(verdict, (p_values(rows) <= 0.05)[np.ix_(order, order)])


def test_one_row_has_rank_one() -> None:
    """A table of one."""
    rows = simulate(np.random.default_rng(0), levels=[0.0])
    assert ranks(rows, p_values(rows)) == [Rank(1, 1)]
