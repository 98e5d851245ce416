"""Room, noise and level: measured properties of the signals against what was asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearspike.datasets import acoustics

SAMPLE_RATE = 48000


def schroeder_reverberation_time(response: acoustics.Signal, sample_rate: float) -> float:
    """T60 from the slope between -5 and -35 dB of the backward-integrated energy (ISO 3382-1, T30)."""
    energy = np.cumsum(response[::-1] ** 2)[::-1]
    decay_db = 10.0 * np.log10(energy / energy[0])
    time = np.arange(len(response)) / sample_rate
    fitted = (decay_db < -5.0) & (decay_db > -35.0)
    slope = np.polyfit(time[fitted], decay_db[fitted], 1)[0]
    return float(-60.0 / slope)


@pytest.mark.parametrize("reverberation_time", [0.1, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_schroeder_integration_finds_the_requested_reverberation_time(
    reverberation_time: float, seed: int
) -> None:
    response = acoustics.room_impulse_response(
        reverberation_time,
        SAMPLE_RATE,
        direct_to_reverberant_db=0.0,
        rng=np.random.default_rng(seed),
    )
    measured = schroeder_reverberation_time(response[1:], SAMPLE_RATE)
    # One realisation of 30 dB of decay holds some 2400 or more samples, so the fitted slope scatters
    # by about 2 %: 8 % is four standard deviations.
    assert measured == pytest.approx(reverberation_time, rel=0.08)


@pytest.mark.parametrize("ratio_db", [-6.0, 0.0, 12.0])
def test_direct_sound_stands_as_far_above_the_reverberation_as_requested(ratio_db: float) -> None:
    response = acoustics.room_impulse_response(
        0.3, SAMPLE_RATE, direct_to_reverberant_db=ratio_db, rng=np.random.default_rng(0)
    )
    response[0] -= 1.0
    assert -10.0 * np.log10(np.sum(response**2)) == pytest.approx(ratio_db, abs=1e-9)


def test_a_click_in_a_room_is_the_impulse_response() -> None:
    response = np.random.default_rng(0).standard_normal(300)
    click = np.zeros(1000)
    click[100] = 1.0
    heard = acoustics.reverberate(click, response)
    expected = np.zeros(1000)
    expected[100:400] = response
    np.testing.assert_allclose(heard, expected, atol=1e-12)


@pytest.mark.parametrize("octaves", [-3, -1, 0, 2])
def test_spectral_tilt_changes_a_tone_by_the_slope_times_its_octaves_from_the_pivot(octaves: int) -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE  # 1 s: a whole number of periods of every tone
    tone = np.sin(2.0 * np.pi * 1000.0 * 2.0**octaves * time)
    tilted = acoustics.spectral_tilt(tone, SAMPLE_RATE, db_per_octave=-2.5, pivot=1000.0)
    gain_db = 10.0 * np.log10(np.mean(tilted**2) / np.mean(tone**2))
    assert gain_db == pytest.approx(-2.5 * octaves, abs=1e-6)


@pytest.mark.parametrize("samples", [1000, 30011, 48000])
@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 20.0])
def test_measured_signal_to_noise_ratio_is_the_requested_one(samples: int, snr_db: float) -> None:
    rng = np.random.default_rng(0)
    speech = np.sin(np.linspace(0.0, 500.0, samples))
    noise = acoustics.shaped_noise(acoustics.pink_spectrum(bins=513), samples, rng=rng)
    added = acoustics.add_noise(speech, noise, snr_db=snr_db) - speech
    measured = 10.0 * np.log10(np.mean(speech**2) / np.mean(added**2))
    assert measured == pytest.approx(snr_db, abs=1e-6)


@pytest.mark.parametrize(("bins", "exponent"), [(513, 0.0), (513, 1.0)])
def test_power_of_white_and_pink_noise_falls_by_the_right_power_of_frequency(
    bins: int, exponent: float
) -> None:
    power = np.ones(bins) if exponent == 0.0 else acoustics.pink_spectrum(bins=bins)
    noise = acoustics.shaped_noise(power, 10 * SAMPLE_RATE, rng=np.random.default_rng(0))
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    frequency = np.fft.rfftfreq(len(noise), 1.0 / SAMPLE_RATE)
    octaves = 250.0 * 2.0 ** np.arange(6.0)
    density = [np.mean(spectrum[(frequency >= low) & (frequency < 2 * low)]) for low in octaves]
    slope = np.polyfit(np.log(octaves), np.log(density), 1)[0]
    # The lowest octave averages 2500 bins, 2 % rms; over five octaves that moves the slope by 0.01.
    assert slope == pytest.approx(-exponent, abs=0.04)


def test_speech_shaped_noise_has_the_spectrum_of_the_speech() -> None:
    rng = np.random.default_rng(0)
    speech = [np.convolve(rng.standard_normal(20000), [1.0, 0.9, 0.5, 0.2]) for _ in range(20)]
    wanted = acoustics.long_term_spectrum(speech, bins=65)
    noise = acoustics.shaped_noise(wanted, 500_000, rng=rng)
    found = acoustics.long_term_spectrum([noise], bins=65)
    wanted, found = wanted / np.sum(wanted), found / np.sum(found)
    # Both are means over thousands of segments (about 2 %); the window smears a few per cent more
    # where the spectrum is steep, away from the first and last bin.
    np.testing.assert_allclose(found[1:-1], wanted[1:-1], rtol=0.15)


def test_long_term_spectrum_of_a_tone_peaks_at_its_frequency() -> None:
    tone = np.sin(2.0 * np.pi * 0.125 * np.arange(5000))  # an eighth of the sample rate
    assert np.argmax(acoustics.long_term_spectrum([tone, tone[:10]], bins=129)) == 32


@given(
    level=st.floats(-60.0, 0.0),
    gain=st.floats(1e-3, 1e3),
    seed=st.integers(0, 100),
)
def test_peak_level_is_the_requested_one_whatever_the_gain_before(
    level: float, gain: float, seed: int
) -> None:
    signal = gain * np.random.default_rng(seed).standard_normal(100)
    peak = np.max(np.abs(acoustics.set_peak(signal, level_dbfs=level)))
    assert 20.0 * np.log10(peak) == pytest.approx(level, abs=1e-9)
