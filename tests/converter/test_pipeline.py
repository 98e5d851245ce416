"""The whole converter."""

import subprocess
import sys
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

from hearspike.converter import (
    PRESETS,
    Converter,
    MembraneParameters,
    basilar_membrane_velocity,
    bushy_cell_spikes,
    condition,
    firing_probability,
    preset,
    resample,
)
from hearspike.converter.fibre_types import ALIKE
from hearspike.errors import InputError


def _noise(seconds: float, rate: int = 48000) -> Any:
    return np.random.default_rng(0).normal(size=round(seconds * rate))


@pytest.mark.parametrize("name", PRESETS)
def test_same_seed_same_spikes_on_any_number_of_threads(name: str) -> None:
    """To the byte; another seed gives other spikes."""
    converter, sound = preset(name, channels=100), _noise(0.1)
    one = converter(sound, 48000, seed=5)
    three = converter(sound, 48000, seed=np.random.SeedSequence(5), threads=3)
    other = converter(sound, 48000, seed=6)
    assert len(one) > 0
    assert one.times.tobytes() == three.times.tobytes()
    assert one.units.tobytes() == three.units.tobytes()
    assert one.times.tobytes() != other.times.tobytes()
    assert one.channels == 100
    assert one.duration == 0.1


@pytest.mark.parametrize("name", PRESETS)
def test_the_pipeline_is_its_stages_one_after_the_other(name: str) -> None:
    """Spike by spike, over several blocks of channels."""
    converter, sound = preset(name, channels=150), _noise(0.1)
    own_rate = converter.sample_rate or 48000
    velocity = basilar_membrane_velocity(
        condition(resample(sound, 48000, own_rate), own_rate, converter.conditioning),
        own_rate,
        converter.membrane,
    )
    rate = converter.membrane.output_rate(own_rate)
    probability = firing_probability(velocity, rate, converter.hair_cell)
    staged = bushy_cell_spikes(probability, rate, converter.bushy_cell, seed=9)
    whole = converter(sound, 48000, seed=9)
    assert len(whole) > 0
    np.testing.assert_array_equal(whole.times, staged.times)
    np.testing.assert_array_equal(whole.units, staged.units)


@pytest.mark.parametrize("name", ["heidelberg", "causal", "reference"])
def test_what_only_speech_has_is_off_elsewhere(name: str) -> None:
    """So that their spikes stay comparable with those of the published converter."""
    converter = preset(name)
    assert converter.fibre_types == ALIKE
    assert converter.conditioning.ear == "none"
    assert converter.conditioning.emphasis_corner_hz is None
    assert converter.conditioning.level_over == "recording"


@pytest.mark.parametrize("name", ["heidelberg", "speech"])
def test_a_batch_gives_what_single_calls_give(name: str) -> None:
    """To the byte, on any number of threads, for recordings of different lengths and rates."""
    converter = preset(name, channels=80)
    recordings = [_noise(0.05), _noise(0.03, 16000), np.zeros(500), _noise(0.04)]
    rates, seeds = [48000, 16000, 8000, 48000], np.random.SeedSequence(4).spawn(4)
    single = [
        converter(sound, rate, seed=seed) for sound, rate, seed in zip(recordings, rates, seeds, strict=True)
    ]
    for threads in (1, 3):
        batch = converter.batch(recordings, rates, seeds=seeds, threads=threads)
        assert [trains.times.tobytes() for trains in batch] == [trains.times.tobytes() for trains in single]
        assert [trains.units.tobytes() for trains in batch] == [trains.units.tobytes() for trains in single]
    assert len(single[0]) > 0
    same_rate = converter.batch(recordings[::3], 48000, seeds=seeds[::3])
    assert same_rate[1].times.tobytes() == single[3].times.tobytes()


def test_an_empty_batch_is_empty() -> None:
    assert preset("heidelberg").batch([], 48000, seeds=[]) == []


@pytest.mark.parametrize(
    ("recordings", "rates", "seeds", "message"),
    [
        ([np.zeros(9)], [48000, 48000], [0], "sample_rates: got 2 of them, expected one for each of 1"),
        ([np.zeros(9)], 48000, [], "seeds: got 0 of them, expected one for each of 1"),
        ([np.zeros(9), np.zeros(1)], 48000, [0, 1], "recording 1: samples: got an array of shape"),
        ([np.zeros(9), np.zeros(9)], [48000, 0], [0, 1], "recording 1: sample_rate: got 0"),
    ],
)
def test_a_bad_batch_is_refused(recordings: Any, rates: Any, seeds: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        preset("heidelberg", channels=2).batch(recordings, rates, seeds=seeds)


def test_speech_moves_spikes_to_the_consonants() -> None:
    """Two tones of one amplitude, 300 Hz and 3 kHz: speech gives the higher one the larger share."""
    time = np.arange(9600) / 48000
    sound = np.sin(2 * np.pi * 300 * time) + np.sin(2 * np.pi * 3000 * time)
    shares = []
    for name in ("causal", "speech"):
        converter = preset(name, channels=140)
        trains = converter(sound, 48000, seed=0)
        high = converter.membrane.resonance_hz()[trains.units] > 1000
        shares.append(np.mean(high))
    assert shares[1] > 1.5 * shares[0]


def test_no_option_of_speech_answers_before_a_click() -> None:
    """No more spikes in the 50 ms before the click than in silence; after it, many more."""
    converter = preset("speech", channels=200)
    click = np.zeros(9600)
    click[4800:4810] = 1.0
    with_click, silent = converter(click, 48000, seed=0), converter(np.zeros(9600), 48000, seed=0)
    before = [np.count_nonzero(trains.times < 0.0995) for trains in (with_click, silent)]
    after = [
        np.count_nonzero((trains.times > 0.0995) & (trains.times < 0.12)) for trains in (with_click, silent)
    ]
    assert before[0] == pytest.approx(before[1], abs=3)
    assert after[0] > 20 * (1 + after[1])


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("length", [2, 3, 17])
def test_the_shortest_sounds_are_converted(name: str, length: int) -> None:
    trains = preset(name, channels=3)(np.ones(length), 16000, seed=0)
    assert trains.duration == length / 16000


@pytest.mark.parametrize("name", ["heidelberg", "causal"])
def test_silence_gives_spontaneous_activity(name: str) -> None:
    """Evenly over the channels, and as many in both halves: 5 standard errors of a Poisson count at most.

    A rate of 65/s in 40 fibres leaves the bushy cells near threshold: they spike, rarely.
    """
    trains = preset(name, channels=200)(np.zeros(48000), 48000, seed=1)
    assert len(trains) > 30
    late = np.count_nonzero(trains.times > 0.5)
    assert abs(late - len(trains) / 2) < 5 * np.sqrt(len(trains)) / 2


def test_sound_is_resampled_so_that_its_rate_does_not_matter() -> None:
    """An 800 Hz tone gives the same count within 3 % at 8, 16 and 48 kHz; the reference over thrice."""
    counts = []
    for rate in (8000, 16000, 48000):
        tone = np.sin(2 * np.pi * 800 * np.arange(rate // 2) / rate)
        counts.append(len(preset("heidelberg", channels=175)(tone, rate, seed=0)))
    assert max(counts) < 1.03 * min(counts)
    assert len(preset("reference", channels=175)(tone[::6], 8000, seed=0)) > 3 * counts[0]


def test_a_long_recording_in_pieces_keeps_every_spike_in_order() -> None:
    """25 s take three pieces; the rate of spikes is the same in each, and the last comes near the end."""
    trains = preset("heidelberg", channels=4)(_noise(25), 48000, seed=0)
    assert np.all(np.diff(trains.times) >= 0)
    assert 24 < trains.times[-1] < 25


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros((2, 100)), 48000, r"samples: got an array of shape \(2, 100\)"),
        (np.zeros(1), 48000, "at least 2"),
        (np.array([0, np.nan, 1]), 48000, "finite samples"),
        (np.array(["a", "b"]), 48000, "real numbers"),
        (np.zeros(100), 0, "sample_rate: got 0"),
        (np.zeros(100), 44100.5, "a whole number of Hz"),
    ],
)
def test_bad_sound_is_refused(samples: Any, rate: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        preset("heidelberg", channels=2)(samples, rate, seed=0)


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"seed": 0, "threads": 0}])
def test_bad_options_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"(seed|threads): got (-1|0), expected a whole number of at least"):
        preset("heidelberg", channels=2)(np.zeros(100), 8000, **wrong)


def test_a_wrong_preset_is_refused_with_the_right_ones() -> None:
    with pytest.raises(InputError, match="preset: got cochlea, expected one of heidelberg, causal"):
        preset("cochlea")


def test_parameters_cannot_change_under_a_converter() -> None:
    converter = Converter()
    with pytest.raises(FrozenInstanceError):
        converter.sample_rate = 8000  # type: ignore[misc]  # must fail
    with pytest.raises(FrozenInstanceError):
        converter.membrane.channels = 3  # type: ignore[misc]  # must fail
    assert converter == preset("heidelberg")
    assert hash(converter) == hash(Converter(membrane=MembraneParameters()))


def test_importing_the_converter_loads_neither_numba_nor_scipy_nor_torch() -> None:
    """So that ``hearspike --help`` stays fast."""
    code = "import sys, hearspike.converter; print({'numba', 'torch', 'librosa', 'scipy'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
