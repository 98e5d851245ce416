"""Chips are drawn one by one from their own seeds, with the spreads asked for."""

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hearspike.emulator import ChipProfile, FixedPattern, Noise, Variation, draw_chips
from hearspike.emulator.fixed_pattern import FACTORS, OFFSETS
from hearspike.errors import InputError

QUANTITIES = [field.name for field in fields(Variation)]


def drawn(spreads: dict[str, float], *, chips: int = 20, seed: int = 3) -> FixedPattern:
    profile = ChipProfile(name="a test", variation=Variation(**spreads), noise=Noise())
    return draw_chips(profile, chips=chips, seed=seed)


def values(chips: FixedPattern, quantity: str) -> NDArray[np.float64]:
    return np.asarray(getattr(chips, quantity))


def test_a_chip_is_the_same_in_a_population_of_any_size() -> None:
    everywhere = dict.fromkeys(QUANTITIES, 0.1)
    few, many = drawn(everywhere, chips=2), drawn(everywhere, chips=12)
    last = draw_chips(many.profile, chips=2, seed=3, first_chip=10)
    np.testing.assert_array_equal(last.index, [10, 11])
    for quantity in QUANTITIES:
        np.testing.assert_array_equal(values(few, quantity), values(many, quantity)[:2])
        np.testing.assert_array_equal(values(last, quantity), values(many, quantity)[10:])


@pytest.mark.parametrize("other", QUANTITIES)
def test_switching_one_quantity_on_shifts_no_other(other: str) -> None:
    everywhere = dict.fromkeys(QUANTITIES, 0.1)
    with_all, without = drawn(everywhere, chips=2), drawn({**everywhere, other: 0.0}, chips=2)
    for quantity in QUANTITIES:
        same = np.array_equal(values(with_all, quantity), values(without, quantity))
        assert same == (quantity != other)


def test_zero_spread_is_exactly_no_deviation() -> None:
    chips = drawn({})
    for quantity in (*FACTORS, "synapse"):
        assert (values(chips, quantity) == 1).all()
    for quantity in OFFSETS:
        assert (values(chips, quantity) == 0).all()


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_mean_and_spread_are_as_asked(quantity: str) -> None:
    """20 chips × 512 circuits: n = 10,240 independent values (2.6 million synapses, of which all are used).

    The mean's standard error is s/√n, that of the deviation at most s·sqrt((kurtosis − 1)/4n) with a kurtosis
    of 4.7 for a log-normal of 30 %. Limits of 4 standard errors: a false alarm in 1 of 16,000 draws, and the
    seed is fixed.
    """
    spread = 0.3
    found = values(drawn({quantity: spread}), quantity)
    centre = 0.0 if quantity in OFFSETS else 1.0
    assert abs(found.mean() - centre) < 4 * spread / np.sqrt(found.size)
    assert abs(found.std() - spread) < 4 * spread * np.sqrt(3.7 / (4 * found.size))
    if centre == 1.0:
        assert found.min() > 0


def test_quantities_and_chips_are_drawn_independently() -> None:
    """Largest of 91 correlations of 10,240 pairs: beyond 4.5/√n once in 1,500 draws."""
    chips = drawn(dict.fromkeys(QUANTITIES, 0.1))
    per_circuit = [name for name in (*FACTORS, *OFFSETS) if "ramp" not in name]
    rows = [values(chips, name).reshape(20, -1)[:, :512].ravel() for name in per_circuit]
    rows += [
        values(chips, name)[:, 1].ravel() for name in ("tau_syn", "gain")
    ]  # inhibitory beside excitatory
    rows.append(np.roll(values(chips, "leak"), 1, axis=0).ravel())  # each chip beside the next
    rows.append(values(chips, "synapse")[:, 0, 0, :256].repeat(2, axis=1).ravel())
    correlation = np.corrcoef(rows) - np.eye(len(rows))
    assert np.abs(correlation).max() < 4.5 / np.sqrt(10_240 / 2)


def test_other_seeds_are_other_chips() -> None:
    assert not np.array_equal(drawn({"leak": 0.1}, seed=0).leak, drawn({"leak": 0.1}, seed=1).leak)


@pytest.mark.parametrize(
    ("wrong", "message"), [({"chips": 0}, "chips: got 0"), ({"seed": -1}, "seed: got -1")]
)
def test_no_chips_and_negative_seeds_are_refused(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        drawn({}, **wrong)


def test_a_population_is_not_changed_by_drawing_another() -> None:
    chips = drawn({"leak": 0.1})
    before = chips.leak.copy()
    draw_chips(replace(chips.profile, variation=Variation(leak=0.5)), chips=20, seed=3)
    np.testing.assert_array_equal(chips.leak, before)
