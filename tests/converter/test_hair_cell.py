"""The inner hair cell."""

from typing import Any

import numpy as np
import pytest

from hearspike.converter import HairCellParameters, firing_probability
from hearspike.errors import InputError

EULER, SPLITTING = HairCellParameters(), HairCellParameters(scheme="splitting")


def test_resting_state_balances_every_rate() -> None:
    """The three time derivatives vanish, and a fibre fires 65 times a second."""
    q, c, w = EULER.resting_state()
    k = EULER.resting_release_per_s()
    leaving = EULER.loss_per_s + EULER.return_per_s
    assert EULER.replenishment_per_s * (1 - q) - k * q + EULER.reprocessing_per_s * w == pytest.approx(
        0, abs=1e-12
    )
    assert k * q - leaving * c == pytest.approx(0, abs=1e-12)
    assert EULER.return_per_s * c - EULER.reprocessing_per_s * w == pytest.approx(0, abs=1e-12)
    assert EULER.spontaneous_rate() == pytest.approx(65, abs=0.5)


@pytest.mark.parametrize("parameters", [EULER, SPLITTING])
def test_silence_gives_the_spontaneous_rate(parameters: HairCellParameters) -> None:
    """From the first step on; the splitting within 0.4 %, an error of second order in 9080/s · 1/48 kHz."""
    probability = firing_probability(np.zeros((2, 4800)), 48000, parameters)
    rate = -np.log1p(-probability) if parameters is SPLITTING else probability
    np.testing.assert_allclose(
        rate * 48000, EULER.spontaneous_rate(), rtol=1e-4 if parameters is EULER else 4e-3
    )


def test_euler_kernel_equals_the_plain_loop(port: Any) -> None:
    """In double precision to rounding; in single precision to 1e-6, the rounding of 2400 steps."""
    velocity = np.random.default_rng(0).normal(scale=40, size=(35, 2400))
    slow = port.hair_cell(velocity, 24000)
    np.testing.assert_allclose(firing_probability(velocity, 24000, EULER), slow, rtol=1e-12)
    single = firing_probability(velocity.astype(np.float32), 24000, EULER)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, slow, atol=1e-6)


def _rate_after(parameters: HairCellParameters, steps_per_s: int) -> float:
    """Firing rate 20 ms into a smooth swelling tone burst of 200 Hz, 1/s."""
    time = np.arange(round(0.02 * steps_per_s) + 1) / steps_per_s
    velocity = 60 * np.sin(np.pi * time / 0.02) ** 2 * np.sin(2 * np.pi * 200 * time) + 20
    probability = firing_probability(velocity[None], steps_per_s, parameters)
    last = float(probability[0, -1])
    return steps_per_s * (-np.log1p(-last) if parameters.scheme == "splitting" else last)


@pytest.mark.parametrize(("parameters", "order"), [(EULER, 1), (SPLITTING, 2)])
def test_order_of_convergence(parameters: HairCellParameters, order: int) -> None:
    """Halving the step divides the error by 2 (Euler) or 4 (splitting); 15 % off for the next order."""
    exact = _rate_after(SPLITTING, 2**10 * 1000)
    errors = [abs(_rate_after(parameters, 1000 * 2**power) - exact) for power in (5, 6)]
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.15)


@pytest.mark.parametrize("rate", [1000, 4000, 8000, 16000])
def test_splitting_stays_positive_and_bounded_at_any_rate(rate: int) -> None:
    """Where Euler rings (below 9.08 kHz) or explodes (below 4.54 kHz); loud noise included."""
    velocity = np.random.default_rng(1).normal(scale=300, size=(32, 2000))
    probability = firing_probability(velocity, rate, SPLITTING)
    assert np.all((probability >= 0) & (probability < 1))
    assert not np.all(firing_probability(velocity, 4000, EULER) <= 1)


def _mean_rate(level: float) -> float:
    """Mean firing rate in the last 50 ms of 200 ms of a 1 kHz tone of this velocity, 1/s."""
    time = np.arange(9600) / 48000
    probability = firing_probability(level * np.sin(2 * np.pi * 1000 * time)[None], 48000, SPLITTING)
    return float(-np.log1p(-probability[0, -2400:]).mean() * 48000)


def test_rate_grows_with_level_and_saturates() -> None:
    """A sigmoid with a dynamic range of 20–40 dB (as in Meddis 1988; Sachs and Abbas 1974)."""
    levels = 10.0 ** (np.arange(-10, 90, 5) / 20)
    rates = np.array([_mean_rate(level) for level in levels])
    assert np.all(np.diff(rates) > -0.5)
    lowest, highest = rates[0], rates[-1]
    within = (rates > lowest + 0.1 * (highest - lowest)) & (rates < lowest + 0.9 * (highest - lowest))
    assert 20 <= 5 * np.count_nonzero(within) <= 40
    assert 1.5 * lowest < highest < 6 * lowest


def _rate_in_noise(level: float, noise: float) -> float:
    """Mean firing rate in the last 100 ms of 300 ms of a 1 kHz tone in steady noise, 1/s; 20 cells."""
    time = np.arange(14400) / 48000
    masker = noise * np.random.default_rng(3).normal(size=(20, len(time)))
    probability = firing_probability(level * np.sin(2 * np.pi * 1000 * time) + masker, 48000, SPLITTING)
    return float(-np.log1p(-probability[:, -4800:]).mean() * 48000)


def test_noise_raises_the_threshold_and_compresses_the_range_of_rates() -> None:
    """As in the fibres of Costalupes, Young and Gibson (J. Neurophysiol. 51, 1984).

    The noise itself raises the rate of weak tones, adapts the synapse, so that strong tones reach no more
    than in quiet, and moves the rising part of the rate–level curve to higher levels.
    """
    levels_db = np.arange(-20, 80, 4)
    curves = np.array(
        [[_rate_in_noise(10 ** (db / 20), noise) for db in levels_db] for noise in (0.0, 10.0, 40.0)]
    )
    floors, ceilings = curves[:, 0], curves[:, -1]
    assert floors.tolist() == sorted(floors)
    assert np.all(np.diff(ceilings - floors) < 0)
    assert np.all(ceilings < 1.02 * ceilings[0])
    rise = curves - floors[:, None]
    quarter = 0.25 * (ceilings[0] - floors[0])  # the same rise in rate above the floor, for every noise
    thresholds = [int(levels_db[np.argmax(row > quarter)]) for row in rise[:2]]
    assert thresholds[1] >= thresholds[0] + 4


def test_response_to_a_tone_adapts_after_its_onset() -> None:
    """High at the onset, decaying over tens of milliseconds, below rest after the offset, then recovering."""
    time = np.arange(19200) / 48000
    tone = 100 * np.sin(2 * np.pi * 1000 * time) * ((time > 0.1) & (time < 0.2))
    rate = -np.log1p(-firing_probability(tone[None], 48000, SPLITTING)[0]) * 48000
    per_5_ms = rate.reshape(80, 240).mean(axis=1)
    rest, onset, steady = per_5_ms[18], per_5_ms[20], per_5_ms[38]
    assert onset > 2 * steady > 2 * rest
    assert per_5_ms[21:39].tolist() == sorted(per_5_ms[21:39], reverse=True)
    assert per_5_ms[41] < 0.7 * rest < per_5_ms[79]


@pytest.mark.parametrize("wrong", [{"loss_per_s": -1.0}, {"scheme": "rk4"}, {"offset": "a"}])
def test_parameters_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=rf"HairCellParameters\.{next(iter(wrong))}: got"):
        HairCellParameters(**wrong)
