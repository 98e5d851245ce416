"""The way back from spikes to sound."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hearspike.converter import (
    SpikeTrains,
    basilar_membrane_velocity,
    condition,
    preset,
    read_audio,
    reconstruct,
    resample,
)
from hearspike.converter import reconstruction as module
from hearspike.converter.reconstruction import membrane_inverse
from hearspike.errors import InputError

RATE = 16_000
NO_SPIKES = SpikeTrains(np.zeros(0), np.zeros(0, np.uint16), 0.5, 700, 24_000)


def _noise(seconds: float, lowest: float, highest: float) -> Any:
    """Noise between two frequencies, with silence at both ends."""
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=round(seconds * RATE)))
    frequency = np.fft.rfftfreq(round(seconds * RATE), 1 / RATE)
    spectrum[(frequency < lowest) | (frequency > highest)] = 0
    return np.fft.irfft(spectrum) * np.hanning(round(seconds * RATE))


def _correlation(one: Any, other: Any) -> float:
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


@pytest.mark.parametrize(("name", "highest", "least"), [("heidelberg", 600, 0.97), ("causal", 3000, 0.9999)])
def test_velocity_is_inverted_exactly_without_regularisation(
    monkeypatch: pytest.MonkeyPatch, name: str, highest: float, least: float
) -> None:
    """In the band that the membrane covers, over several pieces of a second and a half of noise.

    The velocity of the reference synthesis drifts by one step of 1/8000 s over the recording: up to ±1/4 of
    a radian at 600 Hz against the best single delay, whose mean square of 0.02 is the loss allowed.
    """
    monkeypatch.setattr(module, "REGULARISATION", 1e-7)
    module._inverse.cache_clear()
    converter, sound = preset(name, channels=140), _noise(1.5, 200, highest)
    velocity = basilar_membrane_velocity(sound, RATE, converter.membrane)
    if name == "heidelberg":
        velocity = np.stack([resample(row, RATE // 2, RATE) for row in velocity])[:, : len(sound)]
    back = membrane_inverse(velocity, RATE, converter)
    module._inverse.cache_clear()
    assert len(back) == velocity.shape[1]
    assert _correlation(back, sound[: len(back)]) > least


def test_conditioning_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outer ear and pre-emphasis raise 3 kHz over 300 Hz by 20 dB and more; the inverse lowers it again."""
    monkeypatch.setattr(module, "REGULARISATION", 1e-7)
    module._inverse.cache_clear()
    speech = preset("speech", channels=140)
    time = np.arange(RATE) / RATE
    sound = (np.sin(2 * np.pi * 300 * time) + np.sin(2 * np.pi * 3000 * time)) * np.hanning(RATE)
    heard = resample(
        condition(resample(sound, RATE, 24_000), 24_000, replace(speech.conditioning, window="none")),
        24_000,
        RATE,
    )
    levels = []
    for one in (
        heard,
        membrane_inverse(basilar_membrane_velocity(heard, RATE, speech.membrane), RATE, speech),
    ):
        spectrum = np.abs(np.fft.rfft(one[:RATE]))
        levels.append(20 * np.log10(spectrum[3000] / spectrum[300]))
    module._inverse.cache_clear()
    assert levels[0] > 20
    assert levels[1] == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("name", ["heidelberg", "causal", "speech"])
def test_a_click_comes_back_where_it_was(name: str) -> None:
    """Within 3 ms, the time that synapse and bushy cell take, on every channel and so in the sum."""
    samples = np.zeros(RATE // 2)
    samples[RATE // 4] = 1
    converter = preset(name)
    back = reconstruct(converter(samples, RATE, seed=0), converter, sample_rate=RATE)
    assert np.abs(back.samples).argmax() == pytest.approx(RATE // 4, abs=0.003 * RATE)


@pytest.mark.parametrize("frequency", [200, 500, 1000])
def test_a_tone_comes_back_with_its_pitch(frequency: int) -> None:
    """The strongest component of the sound is the tone; nothing else would make the spikes of its phase."""
    converter = preset("causal")
    tone = np.sin(2 * np.pi * frequency * np.arange(RATE // 2) / RATE)
    back = reconstruct(converter(tone, RATE, seed=0), converter, sample_rate=RATE)
    spectrum = np.abs(np.fft.rfft(back.samples * np.hanning(len(back.samples))))
    assert 2 * spectrum.argmax() == pytest.approx(frequency, abs=4)


def test_spikes_of_a_word_tell_its_waveform(data_folder: Any) -> None:
    """The waveform below 1 kHz correlates by 0.6 and more; with the same spikes a little later, it does not.

    What a phase-locked code keeps: the sign and place of every swing of the low harmonics.
    """
    word = read_audio(data_folder / "heidelberg_digits" / "spoken_digit.flac")
    converter = preset("causal")
    trains = converter(word.samples, word.sample_rate, seed=0, threads=2)
    back = reconstruct(trains, converter, sample_rate=8000).samples.astype(float)
    original = resample(word.samples, word.sample_rate, 8000)[: len(back)].astype(float)
    low = []
    for sound in (original, back[: len(original)]):
        spectrum = np.fft.rfft(sound)
        spectrum[np.fft.rfftfreq(len(sound), 1 / 8000) > 1000] = 0
        low.append(np.fft.irfft(spectrum, len(sound)))
    correlations = [_correlation(low[0], np.roll(low[1], -shift)) for shift in range(-80, 80)]
    assert max(correlations) > 0.6
    assert abs(int(np.argmax(correlations)) - 80) <= 0.002 * 8000


def test_where_a_piece_begins_does_not_matter() -> None:
    """A spike at the border of two pieces sounds like one in the middle of a piece, to single precision."""
    converter = preset("causal", channels=70)
    sounds = []
    for moment in (0.3, 0.6):
        trains = SpikeTrains(np.array([moment]), np.array([40], np.uint16), 1.0, 70, 24_000)
        sounds.append(reconstruct(trains, converter, sample_rate=RATE).samples)
    shift = round(0.3 * RATE)
    np.testing.assert_allclose(sounds[1][shift : 2 * shift], sounds[0][:shift], atol=1e-4)


@pytest.mark.parametrize("change", [lambda t: t, lambda t: replace(t, duration=1.7)])
def test_no_spikes_give_silence(change: Callable[[SpikeTrains], SpikeTrains]) -> None:
    trains = change(NO_SPIKES)
    back = reconstruct(trains, preset("heidelberg"), sample_rate=8000)
    assert back.duration == pytest.approx(trains.duration)
    assert not back.samples.any()


def test_loudness_is_fixed_and_nothing_is_clipped() -> None:
    converter = preset("causal", channels=100)
    long = reconstruct(converter(_noise(0.5, 200, 3000), RATE, seed=0), converter)
    assert np.sqrt(np.mean(long.samples**2)) == pytest.approx(module.LOUDNESS_RMS, rel=1e-4)
    one = SpikeTrains(np.array([0.5]), np.array([10], np.uint16), 1.0, 100, 24_000)
    assert np.abs(reconstruct(one, converter).samples).max() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("channels", "rate", "message"),
    [(70, RATE, "channels of the spikes: got 700, expected 70"), (700, 10, "sample_rate: got 10")],
)
def test_what_does_not_fit_is_refused(channels: int, rate: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        reconstruct(NO_SPIKES, preset("causal", channels=channels), sample_rate=rate)
