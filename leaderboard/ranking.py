"""Which of several models differ by more than noise: paired bootstrap, seeds, and all pairs at once.

Rows of a table are compared on the answers to the same test samples. Two things could have come out
otherwise: which samples are in the test set, the same for every row, and the seeds, each row's own. With

    a_r      accuracy of row r: mean over its seeds s and the samples i of the share m_r,s,i of right answers
    w_b,i    how often sample i is drawn in draw b of the bootstrap, the same for every row
    v_r      variance of the accuracies of the seeds of r over the number n_r of seeds
    t_b,r    a draw from Student's t with n_r − 1 degrees of freedom, each row its own

a draw of the accuracy of a row is

    A_b,r = Σ_i w_b,i mean_s m_r,s,i / N + √v_r t_b,r

The 95 % interval of a row is the range of its draws between the percentiles. With σ_rq the standard deviation
of A_b,r − A_b,q over draws, a pair r, q is separated if::

    |a_r − a_q| / σ_rq  >  95th percentile over draws of  max over pairs |A_b,r − A_b,q − (a_r − a_q)| / σ_rq

So the chance that any two equal models of a table are separated is at most 5 %, and the ranks that the
separated pairs leave possible hold for all rows at once with 95 %.

Sources: bootstrap of the largest studentised deviation, Romano and Wolf, Econometrica 73 (2005) 1237; ranks
from pairs that are separated, Mogstad, Romano, Shaikh and Wilhelm, Review of Economic Studies 91 (2024) 476.
Emulated chips are taken as given: the draws speak of other samples and other seeds, not of other chips.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 4000
ERROR_RATE = 0.05
_CHUNK_ELEMENTS = 4_000_000


@dataclass(frozen=True)
class Answers:
    """The right answers of one row.

    Parameters
    ----------
    right
        [seed, sample] On how many chips a sample was answered right.
    chips
        Number of chips, 1 in software.
    """

    right: NDArray[np.integer]
    chips: int

    @property
    def accuracy(self) -> float:
        """Mean over seeds, samples and chips."""
        return float(self.right.sum()) / (self.right.size * self.chips)


def accuracy_draws(rows: Sequence[Answers], *, draws: int = DRAWS, seed: int = 0) -> NDArray[np.float64]:
    """Return [draw, row] accuracies as other samples and seeds might have given them.

    A row with one seed has only the spread over samples.

    Parameters
    ----------
    rows
        Right answers to the same samples.
    draws
        How many.
    seed
        Seed of the draws.
    """
    rng = np.random.default_rng(seed)
    samples = rows[0].right.shape[1]
    # Whole numbers, so that sums are exact in any order; divided at the end.
    totals = np.array([row.right.sum(axis=0) for row in rows], dtype=np.float64)
    divisors = np.array([row.right.size * row.chips for row in rows], dtype=np.float64)
    resampled = np.concatenate([totals @ weights.T for weights in _weights(rng, draws, samples)], axis=1)
    result: NDArray[np.float64] = resampled.T / divisors
    for index, row in enumerate(rows):
        seeds = row.right.shape[0]
        if seeds > 1:
            accuracies = row.right.sum(axis=1) / (samples * row.chips)
            error = math.sqrt(accuracies.var(ddof=1) / seeds)
            result[:, index] += error * rng.standard_t(seeds - 1, size=draws)
    return result


def _weights(rng: np.random.Generator, draws: int, samples: int) -> Sequence[NDArray[np.float64]]:
    """Return how often each sample is drawn, in pieces of [draw, sample]."""
    pieces, step = [], max(1, _CHUNK_ELEMENTS // samples)
    for start in range(0, draws, step):
        count = min(step, draws - start)
        drawn = rng.integers(0, samples, size=(count, samples)) + samples * np.arange(count)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=count * samples)
        pieces.append(counts.reshape(count, samples).astype(np.float64))
    return pieces


def interval(draws: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of [draw] accuracies, within 0 and 1."""
    low, high = np.quantile(draws, [ERROR_RATE / 2, 1 - ERROR_RATE / 2])
    return max(0.0, float(low)), min(1.0, float(high))


def pair_p_values(rows: Sequence[Answers], draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return [row, row] the chance of so large a difference between equals, somewhere in the table.

    Pairs with less than `ERROR_RATE` are separated.
    """
    accuracies = np.array([row.accuracy for row in rows])
    count = len(rows)
    largest = np.zeros(len(draws))
    observed = np.zeros((count, count))
    for first in range(count):
        difference = accuracies[first] - accuracies[first + 1 :]
        noise = draws[:, [first]] - draws[:, first + 1 :]
        deviation = noise.std(axis=0)
        certain = deviation == 0.0
        scale = np.where(certain, 1.0, deviation)
        # Rows that always answer alike have no noise: equal, or different for certain.
        statistic = np.where(certain, np.where(difference == 0.0, 0.0, np.inf), np.abs(difference) / scale)
        observed[first, first + 1 :] = observed[first + 1 :, first] = statistic
        noise = np.abs(noise - difference) / scale
        noise[:, certain] = 0.0
        if noise.shape[1]:
            largest = np.maximum(largest, noise.max(axis=1))
    ordered = np.sort(largest)
    at_least = len(ordered) - np.searchsorted(ordered, observed, side="left")
    return np.asarray((1 + at_least) / (1 + len(ordered)), dtype=np.float64)


@dataclass(frozen=True)
class Rank:
    """The ranks that a row may have.

    Parameters
    ----------
    best, worst
        One more than the number of rows that are better than noise, and the number of rows less those
        that are worse than noise.
    """

    best: int
    worst: int

    def __str__(self) -> str:
        return str(self.best) if self.best == self.worst else f"{self.best}–{self.worst}"


def ranks(rows: Sequence[Answers], p_values: NDArray[np.float64]) -> list[Rank]:
    """Return for each row the ranks that the separated pairs leave possible."""
    accuracies = np.array([row.accuracy for row in rows])
    separated = p_values <= ERROR_RATE
    better = (separated & (accuracies[None, :] > accuracies[:, None])).sum(axis=1)
    worse = (separated & (accuracies[None, :] < accuracies[:, None])).sum(axis=1)
    return [Rank(1 + int(up), len(rows) - int(down)) for up, down in zip(better, worse, strict=True)]
