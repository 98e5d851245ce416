"""Spikes of the converter against the fibre-by-fibre port of the reference, on real speech."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from hearspike.converter import basilar_membrane_velocity, bushy_cell_spikes, condition, preset, read_audio

SEEDS = 16
CHANNELS = [*range(300, 700, 16)]
"""Every sixteenth channel of those that carry 95 % of the spikes."""


@pytest.fixture(scope="module")
def counts(reference: Callable[[str], Any], port: Any) -> tuple[Any, Any]:
    """Spike counts [seed, channel] of our kernels and of the port, for the reference's own velocity."""
    waveform = read_audio(reference("spoken_digit").audio)
    heidelberg = preset("heidelberg")
    sound = condition(waveform.samples, 48000, heidelberg.conditioning)
    velocity = basilar_membrane_velocity(sound, 48000, heidelberg.membrane, channels=CHANNELS)
    probability = port.hair_cell(velocity, 24000)
    ours = [
        bushy_cell_spikes(probability, 24000, heidelberg.bushy_cell, seed=seed).counts()
        for seed in range(SEEDS)
    ]
    # All seeds of the port run side by side, as so many more channels.
    spikes = port.bushy_cells(np.tile(probability, (SEEDS, 1)), 24000, np.random.default_rng(1))
    return np.array(ours), spikes.sum(axis=1).reshape(SEEDS, len(CHANNELS))


def test_totals_come_from_one_distribution(counts: tuple[Any, Any]) -> None:
    """Welch's t-test on the totals of the seeds, whose mean is known to about 1 %; false alarm 1 %."""
    ours, theirs = (part.sum(axis=1) for part in counts)
    assert stats.ttest_ind(ours, theirs, equal_var=False).pvalue > 0.01


def test_counts_of_no_channel_can_be_told_apart(counts: tuple[Any, Any]) -> None:
    """Welch's t-test on each channel's counts over the seeds, Bonferroni: false alarm 1 % in all."""
    ours, theirs = counts
    varies = (ours.std(axis=0) > 0) | (theirs.std(axis=0) > 0)
    assert np.count_nonzero(varies) > 20
    values = stats.ttest_ind(ours[:, varies], theirs[:, varies], equal_var=False).pvalue
    assert values.min() > 0.01 / np.count_nonzero(varies)
    assert stats.kstest(values, "uniform").pvalue > 1e-3


def test_counts_vary_from_seed_to_seed_as_much_as_the_reference_does(counts: tuple[Any, Any]) -> None:
    """Variance of the total: an F-test with 15 and 15 degrees of freedom, false alarm 1 %."""
    ours, theirs = (part.sum(axis=1).var(ddof=1) for part in counts)
    low, high = stats.f.ppf([0.005, 0.995], SEEDS - 1, SEEDS - 1)
    assert low < ours / theirs < high


def test_whole_converter_agrees_with_the_published_count(reference: Callable[[str], Any]) -> None:
    """The published converter gave 7,208 spikes in one run, a port of it 7,153 ± 24 over six: within 1 %."""
    waveform = read_audio(reference("spoken_digit").audio)
    heidelberg = preset("heidelberg")
    totals = [len(heidelberg(waveform.samples, waveform.sample_rate, seed=seed)) for seed in range(10)]
    assert np.mean(totals) == pytest.approx(7153, rel=0.01)
