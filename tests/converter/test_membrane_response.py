"""The transfer function of the basilar membrane and its table."""

from typing import Any

import numpy as np
import pytest

from hearspike.converter import MembraneParameters, transfer_function
from hearspike.converter.membrane_response import knot_position, transfer_table
from hearspike.errors import InputError

MEMBRANE = MembraneParameters()


def test_resonance_falls_from_22_5_khz_at_the_base_to_110_hz_at_the_apex() -> None:
    """Closed form sqrt(S/m)/2π by hand: sqrt((1e9 − 3500)/0.05)/2π and sqrt((1e9 e^−10.5 − 3500)/0.05)/2π."""
    resonance = MEMBRANE.resonance_hz()
    assert resonance[0] == pytest.approx(22507.87, abs=0.1)
    assert resonance[-1] == pytest.approx(110.4, abs=0.2)
    assert np.all(np.diff(resonance) < 0)
    assert MEMBRANE.place_of_resonance_cm(resonance[350]) == pytest.approx(MEMBRANE.places_cm()[350])


@pytest.mark.parametrize("channel", [100, 350, 690])
def test_response_peaks_just_below_resonance_and_falls_steeply_above(channel: int) -> None:
    """The peak lies 5 … 15 % below the resonance, and at twice the resonance less than 1e-4 of it is left."""
    resonance = MEMBRANE.resonance_hz()[channel]
    frequency = resonance * np.linspace(0.3, 2, 2000)
    magnitude = np.abs(transfer_function(frequency, MEMBRANE.places_cm()[channel], MEMBRANE))
    assert 0.85 < frequency[magnitude.argmax()] / resonance < 0.95
    assert magnitude[-1] < 1e-4 * magnitude.max()


def test_pressure_solves_the_wave_equation() -> None:
    """p″ + g² p = 0 along the membrane, ρ ω² = g² h ξ: checked by finite differences of p ∝ V ξ.

    The closed form solves it up to terms of relative order (α / 4g)², below 1 % for 8 radians per centimetre.
    """
    omega, step = np.array([2 * np.pi * 500.0]), 1e-3
    places = MEMBRANE.place_of_resonance_cm(1000.0) + step * np.array([-1, 0, 1])

    def impedance(place: float) -> Any:
        resistance = MEMBRANE.damping * np.sqrt(MEMBRANE.stiffness_g_per_cm2_s2 * MEMBRANE.mass_g_per_cm2)
        resistance *= np.exp(-MEMBRANE.stiffness_decay_per_cm * place / 2)
        return MEMBRANE.stiffness(place) - MEMBRANE.mass_g_per_cm2 * omega**2 - 1j * omega * resistance

    before, here, after = (
        transfer_function(omega / (2 * np.pi), place, MEMBRANE) * impedance(place) for place in places
    )
    curvature = (after - 2 * here + before) / step**2
    wave_number_squared = omega**2 / (MEMBRANE.canal_height_cm * impedance(places[1]))
    assert np.abs(curvature / here + wave_number_squared) < 0.02 * np.abs(wave_number_squared)


def test_table_interpolates_to_the_transfer_function() -> None:
    """Within 5e-5 of each channel's peak: a twentieth of the 1e-3 that the whole converter is allowed."""
    membrane = MembraneParameters(channels=6)
    table = transfer_table(membrane, 24000.0)
    frequency = np.random.default_rng(0).uniform(1, 23999, 3000)
    frequency[:1500] = np.geomspace(1, 2000, 1500)
    position = knot_position(frequency)
    first = np.maximum(np.floor(position).astype(int) - 1, 0)
    for channel, place in enumerate(membrane.places_cm()):
        exact = transfer_function(frequency, place, membrane)
        values = table.values[:, 0, channel] + 1j * table.values[:, 1, channel].astype(complex)
        cubic = np.zeros(len(frequency), dtype=complex)
        for j in range(4):
            others = [i for i in range(4) if i != j]
            weight = np.prod([(position - first - i) / (j - i) for i in others], axis=0)
            cubic += weight * values[first + j]
        assert np.abs(cubic - exact).max() < 5e-5 * np.abs(exact).max()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"channels": 0}, "a whole number of at least 1 and at most 65535"),
        ({"channels": 7.0}, "a whole number"),
        ({"damping": 0.0}, "a finite number above 0"),
        ({"mass_g_per_cm2": float("inf")}, "a finite number above 0"),
        ({"first_place_cm": 2.0, "last_place_cm": 1.0}, "at least 2"),
        ({"last_place_cm": 4.3}, r"less than 4\.188 cm, where the stiffness vanishes"),
        ({"synthesis": "fast"}, "one of reference, reference-exact, causal"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MembraneParameters(**wrong)  # type: ignore[arg-type]  # wrong on purpose
