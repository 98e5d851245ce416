"""Nerve fibres and bushy cells."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from hearspike.converter import BushyCellParameters, HairCellParameters, bushy_cell_spikes
from hearspike.converter.bushy_cell import random_keys
from hearspike.converter.kernels import draw_fibres
from hearspike.converter.lanes import LANES
from hearspike.errors import InputError

PARAMETERS = BushyCellParameters()


def _counts(probability: float, steps: int, *, fibres: int = 40, cycle: int = 1) -> Any:
    """Fibres that fire [time, lane] at a constant probability."""
    counts = np.zeros((steps, LANES), dtype=np.uint8)
    lanes = np.full((steps, LANES), probability, dtype=np.float32)
    recent = np.zeros((cycle, LANES), dtype=np.int32)
    draw_fibres(lanes, random_keys(7, LANES), fibres, 0, recent, counts)
    return counts


@pytest.mark.parametrize("fibres", [1, 40, 100])
@pytest.mark.parametrize("probability", [1e-4, 0.003, 0.02, 0.3, 0.5, 0.7, 0.97])
def test_fibres_without_refractoriness_are_binomial(fibres: int, probability: float) -> None:
    """Chi-squared over 1.28 million draws, cells below 5 expected pooled; false alarm 1e-4 in each of 21."""
    draws = _counts(probability, 20000, fibres=fibres)
    expected = stats.binom.pmf(np.arange(fibres + 1), fibres, probability) * draws.size
    observed = np.bincount(draws.ravel(), minlength=fibres + 1)
    common = expected >= 5
    pairs = [(observed[common], expected[common]), ([observed[~common].sum()], [expected[~common].sum()])]
    seen, wanted = (np.concatenate(part).astype(float) for part in zip(*pairs, strict=True))
    if wanted[-1] < 5:
        seen[-2], wanted[-2] = seen[-2:].sum(), wanted[-2:].sum()
        seen, wanted = seen[:-1], wanted[:-1]
    statistic = float(((seen - wanted) ** 2 / wanted).sum())
    assert stats.chi2.sf(statistic, len(seen) - 1) > 1e-4


@pytest.mark.parametrize(("probability", "all_fire"), [(0.0, False), (1.0, True), (3.0, True)])
def test_certain_fibres_are_certain(probability: float, all_fire: bool) -> None:
    """Probability 0 never fires, 1 (and what an unstable hair cell gives above it) always does."""
    assert np.all(_counts(probability, 500) == (40 if all_fire else 0))


def test_refractory_fibres_rest_for_their_cycle() -> None:
    """With probability 1 all 40 fire together, once a cycle.

    In general a fibre fires p / (1 + p (cycle − 1)) times a step on average.
    """
    certain = _counts(1.0, 240, cycle=24)
    assert np.all(certain[::24] == 40)
    assert certain.sum() == 40 * 10 * LANES
    mean = _counts(0.05, 20000, cycle=24).mean() / 40
    # 1.28 million draws of mean 0.93 and spread 0.95: the standard error is 0.09 %, the bound five of it.
    assert mean == pytest.approx(0.05 / (1 + 0.05 * 23), rel=5e-3)


def test_draws_are_independent_in_time_and_between_channels() -> None:
    """Correlations of 64 channels' draws at 11 lags: the largest of 45,000 stays below 5.5 standard errors.

    By Bonferroni a false alarm has probability 45,000 × 4e-8 = 0.2 %; the seed is fixed.
    """
    draws = _counts(0.02, 5000).astype(float)
    draws = (draws - draws.mean(axis=0)) / draws.std(axis=0)
    for lag in (0, 1, 2, 3, 5, 8, 13, 21, 24, 34, 50):
        matrix = draws[lag:].T @ draws[: len(draws) - lag] / np.sqrt(len(draws) - lag)
        if lag == 0:
            np.fill_diagonal(matrix, 0)
        assert np.abs(matrix).max() < 5.5


def test_neighbouring_keys_give_no_shifted_copies() -> None:
    """A first key larger by one would be a later start in the same stream, but for the second key."""
    keys = np.stack([np.arange(LANES), np.arange(LANES) * 7 + 1]).astype(np.uint32)
    counts = np.zeros((5000, LANES), dtype=np.uint8)
    recent = np.zeros((1, LANES), dtype=np.int32)
    draw_fibres(np.full(counts.shape, 0.02, dtype=np.float32), keys, 40, 0, recent, counts)
    later, earlier = counts[:-1, 1].astype(float), counts[1:, 0].astype(float)
    # 5000 pairs: the correlation of independent draws has a standard error of 0.014.
    assert abs(np.corrcoef(later, earlier)[0, 1]) < 0.07


def test_a_single_volley_gives_one_spike_at_the_closed_form_time() -> None:
    """All 40 fibres fire in step 10: 40 · 325 / 24000 = 0.54 on the membrane, less in each later step.

    v₁₀ = 0.5417, v₁₁ = 0.5417 (e^(−1/24) + e^(−2/24)) = 1.018 > 1: the spike is in step 11.
    """
    probability = np.zeros((3, 100))
    probability[1, 10] = 1.0
    trains = bushy_cell_spikes(probability, 24000, PARAMETERS, seed=0)
    assert trains.units.tolist() == [1]
    assert trains.times.tolist() == [11 / 24000]


def test_certain_fire_gives_the_shortest_interval() -> None:
    """Fibres with no refractory time that always fire: a spike every 1 ms + 1 step."""
    tireless = BushyCellParameters(fibre_refractory_s=0.0)
    trains = bushy_cell_spikes(np.ones((1, 2400)), 24000, tireless, seed=0)
    assert np.all(np.round(np.diff(trains.times) * 24000) == 25)


def test_spikes_are_those_of_the_plain_loop(port: Any) -> None:
    """Mean counts of 64 channels over 40 seeds each agree with fibre-by-fibre simulation.

    Welch's t-test on the 40 totals of each; false alarm 1e-3, seeds fixed.
    """
    time = np.arange(2400) / 24000
    rate = HairCellParameters().spontaneous_rate() * (
        1 + np.linspace(0, 6, 64)[:, None] * np.sin(2 * np.pi * 30 * time) ** 2
    )
    probability = rate / 24000
    ours = [len(bushy_cell_spikes(probability, 24000, PARAMETERS, seed=seed)) for seed in range(40)]
    theirs = [port.bushy_cells(probability, 24000, np.random.default_rng(seed)).sum() for seed in range(40)]
    assert np.mean(theirs) > 500
    assert stats.ttest_ind(ours, theirs, equal_var=False).pvalue > 1e-3


def test_trains_are_sorted_and_a_channel_does_not_depend_on_the_others() -> None:
    """Channel 5 of 90 spikes as channel 5 of 10; times ascend, channels ascend at equal times."""
    probability = np.full((90, 4800), 0.01)
    many = bushy_cell_spikes(probability, 24000, PARAMETERS, seed=3)
    few = bushy_cell_spikes(probability[:10], 24000, PARAMETERS, seed=3)
    np.testing.assert_array_equal(many.times[many.units == 5], few.times[few.units == 5])
    order = np.lexsort((many.units, many.times))
    np.testing.assert_array_equal(order, np.arange(len(many)))
    assert many.units.dtype == np.uint16
    assert many.times.dtype == np.float64
    assert many.duration == 0.2


@pytest.mark.parametrize(
    "wrong", [{"fibres": 101}, {"fibres": 0}, {"tau_membrane_s": 0.0}, {"refractory_s": -1.0}]
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=rf"BushyCellParameters\.{next(iter(wrong))}: got"):
        BushyCellParameters(**wrong)
