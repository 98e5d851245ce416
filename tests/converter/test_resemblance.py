"""Measures of resemblance: 1 for the same, low for what has nothing in common, never for the waveform."""

import numpy as np
import pytest

from hearspike.converter.benchmark import synthetic_voice
from hearspike.converter.resemblance import intelligibility, log_mel, log_mel_correlation

RATE = 8000
VOICE = synthetic_voice(1.0, RATE).samples
OTHER = np.random.default_rng(0).normal(size=RATE)


def test_a_sound_resembles_itself_at_any_level_and_sign() -> None:
    assert log_mel_correlation(VOICE, -0.01 * VOICE, RATE) == pytest.approx(1, abs=1e-3)
    assert intelligibility([VOICE], [-0.01 * VOICE], RATE) == pytest.approx(1, abs=1e-3)


def test_steady_noise_resembles_nothing() -> None:
    """Its levels do not move with those of the voice: 40 bands × 200 frames leave less than 0.2 to chance."""
    assert abs(log_mel_correlation(VOICE, OTHER, RATE)) < 0.2
    assert intelligibility([VOICE], [OTHER], RATE) < 0.5


def test_noise_added_makes_it_worse_step_by_step() -> None:
    scores = []
    for level in (0.0, 0.03, 0.3, 3.0):
        noisy = VOICE + level * OTHER
        scores.append((log_mel_correlation(VOICE, noisy, RATE), intelligibility([VOICE], [noisy], RATE)))
    assert scores == sorted(scores, reverse=True)
    assert [score[1] for score in scores] == sorted((score[1] for score in scores), reverse=True)


def test_silence_scores_zero() -> None:
    assert log_mel_correlation(VOICE, np.zeros(RATE), RATE) == 0


def test_levels_are_decibels_below_the_greatest() -> None:
    """A tone stands in its own band, 0 dB; a tone of a tenth of its amplitude 20 dB below."""
    time = np.arange(RATE) / RATE
    tones = np.sin(2 * np.pi * 500 * time) + 0.1 * np.sin(2 * np.pi * 2000 * time)
    levels = log_mel(tones, RATE)[:, 50:150].mean(axis=1)
    high = levels[levels.argmax() + 8 :].max()
    assert levels.max() == pytest.approx(0, abs=0.5)
    # Mel filters are triangles: a tone between two of them loses up to 3 dB in either.
    assert high == pytest.approx(-20, abs=3.5)
