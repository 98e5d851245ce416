"""Outer and middle ear, and pre-emphasis."""

import numpy as np
import pytest

from hearspike.converter.outer_ear import (
    LOWEST_HZ,
    RESPONSE_S,
    ear_gain_db,
    ear_response,
    pre_emphasised,
    through_ear,
)


def test_ear_resonates_near_3_khz_and_falls_on_both_sides() -> None:
    """The canal's resonance lies between 2 and 5 kHz; at 100 Hz and at 16 kHz little gets through.

    At 1 kHz the formula is −2.184 + 6.5 exp(−0.6 · 2.3²) − 0.001, computed by hand: −1.9131 dB.
    """
    frequency = np.linspace(20, 20000, 2000)
    gain = ear_gain_db(frequency)
    peak = int(np.argmax(gain))
    assert 2000 < frequency[peak] < 5000
    assert np.all(np.diff(gain[: peak + 1]) > 0)
    assert ear_gain_db(np.array(1000.0)) == pytest.approx(-1.9131, abs=1e-4)
    assert ear_gain_db(np.array(100.0)) < gain[peak] - 15
    assert ear_gain_db(np.array(16000.0)) < gain[peak] - 20
    assert ear_gain_db(np.array(0.0)) == ear_gain_db(np.array(LOWEST_HZ))


@pytest.mark.parametrize("rate", [16000, 24000, 48000])
def test_impulse_response_has_the_gain_at_any_rate(rate: int) -> None:
    """Within 0.05 dB from 50 Hz to 90 % of half the rate: what cutting the response off costs."""
    response = ear_response(rate)
    frequency = np.fft.rfftfreq(2 * len(response), 1 / rate)
    got = 20 * np.log10(np.abs(np.fft.rfft(response, 2 * len(response))))
    band = (frequency > 50) & (frequency < 0.45 * rate)
    np.testing.assert_allclose(got[band], ear_gain_db(frequency[band]), atol=0.05)


def test_impulse_response_has_minimum_phase() -> None:
    """Of all responses with a gain that of minimum phase has most of its energy early: here 90 % in 1 ms."""
    energy = ear_response(48000) ** 2
    assert energy[:48].sum() > 0.9 * energy.sum()
    # What follows RESPONSE_S is cut off: the tail that is kept is already below 1e-4 of the peak.
    assert np.abs(ear_response(48000)[-48:]).max() < 1e-4 * np.abs(ear_response(48000)).max()
    assert len(energy) == round(RESPONSE_S * 48000)


def test_ear_does_not_answer_before_the_sound() -> None:
    """Nothing before a click, to the rounding of the transforms; the length is kept, short or long."""
    click = np.zeros(4000)
    click[1000] = 1
    heard = through_ear(click, 48000)
    assert np.abs(heard[:1000]).max() < 1e-12
    assert len(heard) == 4000
    assert len(through_ear(np.ones(2), 48000)) == 2


@pytest.mark.parametrize("rate", [16000, 48000])
@pytest.mark.parametrize("frequency", [20.0, 77.6, 500.0, 1500.0])
def test_pre_emphasis_does_not_depend_on_the_rate(rate: int, frequency: float) -> None:
    """Gain ``sqrt(1 + (f / f_c)²)`` within 2 % at any rate: the step is at most π f / f_s = 0.29 of a radian.

    A discrete difference falls short of a derivative by sin(x)/x = 1 − x²/6, 1.5 % there.
    """
    time = np.arange(rate) / rate
    tone = np.sin(2 * np.pi * frequency * time)
    heard = pre_emphasised(tone, rate, 77.6)[rate // 2 :]
    gain = np.sqrt(np.mean(heard**2) / np.mean(tone[rate // 2 :] ** 2))
    assert gain == pytest.approx(np.sqrt(1 + (frequency / 77.6) ** 2), rel=0.02)


def test_pre_emphasis_is_the_usual_filter_at_16_khz() -> None:
    """``x[n] − 0.97 x[n−1]`` but for its scale; 77.6 Hz gives 0.97 to four digits."""
    sound = np.random.default_rng(0).normal(size=100)
    usual = sound - 0.97 * np.concatenate(([0.0], sound[:-1]))
    np.testing.assert_allclose(pre_emphasised(sound, 16000, 77.6) * 0.03, usual, rtol=2e-3, atol=2e-3)
