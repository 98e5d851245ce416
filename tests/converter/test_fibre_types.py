"""Nerve fibres of several types."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearspike.converter import Converter, HairCellParameters, MembraneParameters, firing_probability
from hearspike.converter.fibre_types import ALIKE, LIBERMAN_1978, FibreType, fibres_per_type, hair_cell_of
from hearspike.errors import InputError

CELL = HairCellParameters(scheme="splitting")


@pytest.mark.parametrize("kind", LIBERMAN_1978)
def test_a_type_has_its_spontaneous_rate(kind: FibreType) -> None:
    """By the resting state, and by running the cell in silence (0.4 %: a second-order error)."""
    cell = hair_cell_of(kind, CELL)
    wanted = CELL.spontaneous_rate() if kind.spontaneous_per_s is None else kind.spontaneous_per_s
    assert cell.spontaneous_rate() == pytest.approx(wanted, rel=1e-9)
    chance = firing_probability(np.zeros((1, 2400)), 48000, cell)
    np.testing.assert_allclose(-np.log1p(-chance) * 48000, wanted, rtol=4e-3)


def test_threshold_attenuates_the_velocity() -> None:
    """20 dB: ten times the velocity gives the same probability, to rounding."""
    velocity = np.random.default_rng(0).normal(scale=50, size=(2, 1000))
    high = hair_cell_of(FibreType(share=1.0, attenuation_db=20.0), CELL)
    np.testing.assert_allclose(
        firing_probability(10 * velocity, 48000, high), firing_probability(velocity, 48000, CELL), rtol=1e-9
    )


def _rate(cell: HairCellParameters, level: float) -> float:
    """Mean firing rate in the last 50 ms of 200 ms of a 1 kHz tone, 1/s."""
    tone = level * np.sin(2 * np.pi * 1000 * np.arange(9600) / 48000)
    return float(-np.log1p(-firing_probability(tone[None], 48000, cell)[0, -2400:]).mean() * 48000)


def test_low_spontaneous_rate_goes_with_a_high_threshold_and_a_late_saturation() -> None:
    """As in Liberman 1978: the level of half the driven rate rises as the spontaneous rate falls.

    By the 10 and 18 dB that `LIBERMAN_1978` states, to the 2 dB of the levels' grid.
    """
    levels = 10.0 ** (np.arange(-20, 100, 2) / 20)
    halves = []
    for kind in LIBERMAN_1978:
        rates = np.array([_rate(hair_cell_of(kind, CELL), level) for level in levels])
        driven = (rates - rates[0]) / (rates.max() - rates[0])
        halves.append(2 * int(np.argmax(driven > 0.5)))
    assert halves[1] - halves[0] == pytest.approx(10, abs=2)
    assert halves[2] - halves[0] == pytest.approx(18, abs=2)


@given(st.integers(1, 100), st.lists(st.floats(0.01, 1), min_size=1, max_size=5))
def test_shares_give_whole_fibres_that_add_up(fibres: int, weights: list[float]) -> None:
    """And no type is a whole fibre off its share."""
    types = [FibreType(share=weight / sum(weights)) for weight in weights]
    counts = fibres_per_type(fibres, types)
    assert sum(counts) == fibres
    for count, kind in zip(counts, types, strict=True):
        assert abs(count - fibres * kind.share) < 1 + 1e-9


def test_one_type_of_all_fibres_is_the_converter_without_types() -> None:
    """To the byte, even if its spontaneous rate is spelt out in other words."""
    sound = np.random.default_rng(1).normal(size=4800)
    plain = Converter(membrane=MembraneParameters(channels=70))
    assert plain.fibre_types == ALIKE
    typed = replace(plain, fibre_types=(FibreType(share=1.0, attenuation_db=0.0),))
    assert plain(sound, 48000, seed=3).times.tobytes() == typed(sound, 48000, seed=3).times.tobytes()


def test_fibres_in_two_equal_types_fire_as_often_as_in_one() -> None:
    """The sum of two independent binomials is the binomial of all: within 5 standard errors over 12 seeds.

    The spread of the counts, not Poisson's, gives the standard error.
    """
    sound = np.sin(2 * np.pi * 300 * np.arange(9600) / 48000)
    one = Converter(membrane=MembraneParameters(channels=140))
    two = replace(one, fibre_types=(FibreType(share=0.5), FibreType(share=0.5)))
    counts = np.array([[len(ear(sound, 48000, seed=seed)) for seed in range(12)] for ear in (one, two)])
    error = np.sqrt(counts.var(axis=1, ddof=1).sum() / 12)
    assert counts.min() > 100
    assert abs(counts[0].mean() - counts[1].mean()) < 5 * error
    assert not np.array_equal(counts[0], counts[1])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"share": 0.0}, "FibreType.share: got 0.0"),
        ({"share": 1.5}, "FibreType.share: got 1.5"),
        ({"share": 1.0, "spontaneous_per_s": 0.0}, "FibreType.spontaneous_per_s"),
        ({"share": 1.0, "attenuation_db": "loud"}, "FibreType.attenuation_db"),
    ],
)
def test_types_out_of_range_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        FibreType(**wrong)


def test_shares_that_do_not_add_up_and_impossible_rates_are_refused() -> None:
    with pytest.raises(InputError, match=r"Converter\.fibre_types: got shares that add up to 0\.5"):
        Converter(fibre_types=(FibreType(share=0.5),))
    with pytest.raises(InputError, match="a rate that the hair cell can sustain"):
        hair_cell_of(FibreType(share=1.0, spontaneous_per_s=500.0), CELL)
