"""The counter-based noise is nearly normal, independent, and the same in both implementations."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hearspike.emulator import kernel
from hearspike.emulator.noise import BYTES_DEVIATION, PURPOSES, trial_keys
from hearspike.emulator.reference import almost_normal

STEPS, ELEMENTS = 1000, 512
N = STEPS * ELEMENTS


@pytest.fixture(scope="module")
def keys() -> NDArray[np.uint32]:
    return trial_keys(0, 0, np.arange(2), np.arange(3))


@pytest.fixture(scope="module")
def numbers(keys: NDArray[np.uint32]) -> NDArray[np.float64]:
    rows = [almost_normal(keys[0, 0, 0], step, ELEMENTS) for step in range(STEPS)]
    return np.array(rows, np.float64) / BYTES_DEVIATION


def test_mean_variance_and_kurtosis_are_those_of_four_bytes(numbers: NDArray[np.float64]) -> None:
    """Limits of 4 standard errors of n = 512,000 independent values: a false alarm in 5,000 draws of three.

    Var[z²] = 2 + excess = 1.7; the excess kurtosis of a sum of four uniform bytes is −1.20/4 = −0.30, and its
    standard error at most that of normal values, sqrt(24/n).
    """
    assert abs(numbers.mean()) < 4 / np.sqrt(N)
    assert abs(numbers.var() - 1) < 4 * np.sqrt(1.7 / N)
    assert abs((numbers**4).mean() / numbers.var() ** 2 - 3 + 0.30) < 4 * np.sqrt(24 / N)
    assert np.abs(numbers).max() <= 510 / BYTES_DEVIATION


def test_numbers_are_not_correlated_over_steps_elements_or_trials(
    numbers: NDArray[np.float64], keys: NDArray[np.uint32]
) -> None:
    """Correlations of n pairs have a standard error of 1/√n; the largest of 50 exceeds 4.5 once in 3,000."""
    limit = 4.5 / np.sqrt(N - 20 * ELEMENTS)
    for lag in range(1, 20):
        assert abs((numbers[lag:] * numbers[:-lag]).mean()) < limit
        assert abs((numbers[:, lag:] * numbers[:, :-lag]).mean()) < limit
    for key in (keys[1, 0, 0], keys[0, 1, 0], keys[0, 0, 1], keys[0, 0, 2]):
        other = np.array([almost_normal(key, step, ELEMENTS) for step in range(STEPS)]) / BYTES_DEVIATION
        assert abs((numbers * other).mean()) < limit


def test_squares_are_not_correlated_over_steps(numbers: NDArray[np.float64]) -> None:
    """Var[z²] = 1.7, so that the standard error of a mean product of squares is at most 1.7/√n."""
    squares = numbers**2 - 1
    for lag in (1, 2, 3):
        assert abs((squares[lag:] * squares[:-lag]).mean()) < 4.5 * 1.7 / np.sqrt(N - lag * ELEMENTS)


def test_kernel_and_oracle_make_the_same_numbers(keys: NDArray[np.uint32]) -> None:
    for step in (0, 1, 2, 999, 10**6):
        word = kernel.step_word(keys[1, 2, 0], step)
        from_kernel = [kernel.almost_normal(word, j) for j in range(100)]
        np.testing.assert_array_equal(from_kernel, almost_normal(keys[1, 2, 0], step, 100))


def test_no_two_trials_or_purposes_share_a_key() -> None:
    keys = trial_keys(7, 1, np.arange(100), np.arange(1000)).reshape(-1, 2)
    assert len(np.unique(keys, axis=0)) == 100 * 1000 * len(PURPOSES)


@pytest.mark.parametrize("other", [(8, 1), (7, 2)])
def test_either_seed_changes_all_keys(other: tuple[int, int]) -> None:
    one, two = (trial_keys(*seeds, np.arange(3), np.arange(3)) for seeds in ((7, 1), other))
    assert (one != two).any(axis=-1).all()
