"""Velocity of the basilar membrane."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hearspike.converter import (
    MembraneParameters,
    basilar_membrane_velocity,
    condition,
    firing_probability,
    preset,
    read_audio,
)
from hearspike.converter import basilar_membrane as module
from hearspike.converter.basilar_membrane import coarseness_of

Load = Callable[[str], Any]
CAUSAL = MembraneParameters(synthesis="causal")


@pytest.mark.parametrize("name", ["spoken_digit", "fsdd_7_jackson_3"])
def test_reference_setting_computes_what_the_reference_computes(reference: Load, name: str) -> None:
    """Velocity and firing probability to the single precision of the stored arrays (1e-6 of the maximum)."""
    stored, converter = reference(name), preset("reference")
    waveform = read_audio(stored.audio)
    sound = condition(waveform.samples, waveform.sample_rate, converter.conditioning)
    velocity = basilar_membrane_velocity(
        sound, waveform.sample_rate, converter.membrane, channels=stored.channels
    )
    rate = converter.membrane.output_rate(waveform.sample_rate)
    probability = firing_probability(velocity, rate, converter.hair_cell)
    assert np.abs(velocity - stored.velocity).max() < 1e-6 * np.abs(stored.velocity).max()
    assert np.abs(probability - stored.firing_probability).max() < 1e-6 * stored.firing_probability.max()


def test_fast_lengths_stay_close_to_the_reference(reference: Load) -> None:
    """``heidelberg`` pads to a fast length: within 1e-3 of the maximum in velocity and firing probability."""
    stored, converter = reference("spoken_digit"), preset("heidelberg")
    waveform = read_audio(stored.audio)
    sound = condition(waveform.samples, 48000, converter.conditioning)
    velocity = basilar_membrane_velocity(sound, 48000, converter.membrane, channels=stored.channels)
    probability = firing_probability(velocity, 24000, converter.hair_cell)
    assert np.abs(velocity - stored.velocity).max() < 1e-3 * np.abs(stored.velocity).max()
    assert np.abs(probability - stored.firing_probability).max() < 1e-3 * stored.firing_probability.max()


@pytest.mark.parametrize("synthesis", ["reference", "reference-exact", "causal"])
@pytest.mark.parametrize("length", [2, 3, 101, 4800, 4801])
def test_velocity_has_one_step_per_step_of_the_output_rate(synthesis: str, length: int) -> None:
    """At the audio rate, or N // 2 + 1 steps at half of it, for even and odd lengths; all of it finite."""
    membrane = MembraneParameters(channels=40, synthesis=synthesis)
    sound = np.random.default_rng(0).normal(size=length)
    velocity = basilar_membrane_velocity(sound, 48000, membrane)
    assert velocity.shape == (40, length if synthesis == "causal" else length // 2 + 1)
    assert np.all(np.isfinite(velocity))


def test_channels_come_in_the_order_asked_for() -> None:
    sound = np.random.default_rng(0).normal(size=480)
    everything = basilar_membrane_velocity(sound, 48000, MembraneParameters(channels=70))
    some = basilar_membrane_velocity(sound, 48000, MembraneParameters(channels=70), channels=[69, 3, 40])
    # A block's band is its widest channel's: what lies beyond a channel's own is 1e-6 of its peak.
    np.testing.assert_allclose(some, everything[[69, 3, 40]], atol=1e-5 * np.abs(everything).max())


def _click(membrane: MembraneParameters, channels: list[int]) -> Any:
    """Velocity [channel, time] after a click at 0.1 s, and times from the click [time], s."""
    sound = np.zeros(9600)
    sound[4800] = 1.0
    velocity = basilar_membrane_velocity(sound, 48000, membrane, channels=channels)
    return velocity, np.arange(velocity.shape[1]) / membrane.output_rate(48000) - 0.1


def test_causal_wave_runs_forward_and_reaches_low_channels_later() -> None:
    """Over 99.9 % of the energy follows the click.

    Its centre moves from below 1 ms at 4 kHz to over 10 ms at 175 Hz.
    """
    velocity, time = _click(CAUSAL, [220, 350, 510, 651])
    energy = velocity.astype(float) ** 2
    assert np.all(energy[:, time < -1e-9].sum(axis=1) < 1e-3 * energy.sum(axis=1))
    centres = (energy * time).sum(axis=1) / energy.sum(axis=1)
    assert np.all(np.diff(centres) > 0)
    assert centres[0] < 1e-3
    assert centres[-1] > 1e-2


def test_reference_wave_runs_backward() -> None:
    """The published converter's fault, kept by its preset: over 97 % of the energy comes before the click."""
    velocity, time = _click(MembraneParameters(), [220, 350, 510, 651])
    energy = velocity.astype(float) ** 2
    assert np.all(energy[:, time < 0].sum(axis=1) > 0.97 * energy.sum(axis=1))


@pytest.mark.parametrize("frequency", [200.0, 1000.0, 4000.0])
def test_a_tone_moves_its_own_place_most(frequency: float) -> None:
    """The largest velocity lies where the resonance is just above the tone, by less than 25 %."""
    sound = np.sin(2 * np.pi * frequency * np.arange(9600) / 48000)
    membrane = MembraneParameters(channels=128, synthesis="causal")
    level = basilar_membrane_velocity(sound, 48000, membrane)[:, 4800:].std(axis=1)
    best = membrane.resonance_hz()[level.argmax()]
    assert 1 < best / frequency < 1.25


def test_causal_response_does_not_depend_on_what_comes_later_or_wraps_around() -> None:
    """Cutting a sound off changes nothing before the cut, and its end does not reach its start.

    What is left, 1e-3 of the maximum, is the pre-echo of a response that is limited to half the sample rate.
    """
    sound = np.random.default_rng(0).normal(size=9600)
    sound[:2400] = 0
    channels = [120, 350, 690]
    whole = basilar_membrane_velocity(sound, 48000, CAUSAL, channels=channels)
    cut = basilar_membrane_velocity(sound[:7200], 48000, CAUSAL, channels=channels)
    assert np.abs(whole[:, :7000] - cut[:, :7000]).max() < 1e-3 * np.abs(whole).max()
    assert np.abs(whole[:, :2000]).max() < 1e-3 * np.abs(whole).max()


@pytest.mark.parametrize(("synthesis", "stride"), [("causal", 1), ("reference", 2)])
def test_a_long_recording_in_pieces_equals_it_whole(
    monkeypatch: pytest.MonkeyPatch, synthesis: str, stride: int
) -> None:
    """Within 1e-3 of each channel's maximum: what rings longer than the margins; 1e-2 at the base.

    There the band ends at half the sample rate with an edge, whose echo dies away slowly.
    """
    sound = np.random.default_rng(0).normal(size=96000)
    membrane = MembraneParameters(synthesis=synthesis)
    channels = [5, 100, 350, 690]

    def velocity() -> Any:
        pieces = module._cut(sound, 48000, stride, membrane)
        blocks = module.MembraneBlocks(sound, 48000, membrane)
        return len(pieces), np.concatenate(
            [blocks.velocity(piece, channels)[:, :4].copy() for piece in pieces]
        )

    one, whole = velocity()
    monkeypatch.setattr(module, "LONGEST_SEGMENT", 2**15 // stride)
    many, joined = velocity()
    assert (one, many) == (1, 5)
    error = np.abs(whole - joined).max(axis=0) / np.abs(whole).max(axis=0)
    assert np.all(error < [1e-2, 1e-3, 1e-3, 1e-3])


@pytest.mark.parametrize("synthesis", ["causal", "reference"])
def test_steps_interpolated_between_coarse_ones_equal_those_transformed(
    monkeypatch: pytest.MonkeyPatch, synthesis: str
) -> None:
    """Within 1e-4 of each channel's maximum, the 80 dB of the interpolation filter; noise, all channels.

    Half of the channels and more have so narrow a band that they are transformed at a coarser step.
    """
    sound = np.random.default_rng(0).normal(size=9600)
    membrane = MembraneParameters(channels=128, synthesis=synthesis)
    asked = []

    def never_coarse(bins: int, points: int) -> int:
        asked.append(coarseness_of(bins, points))
        return 1

    quick = basilar_membrane_velocity(sound, 48000, membrane)
    monkeypatch.setattr(module, "coarseness_of", never_coarse)
    whole = basilar_membrane_velocity(sound, 48000, membrane)
    assert asked[0] == 1
    assert asked[1] > 1
    assert np.all(np.abs(quick - whole).max(axis=1) < 1e-4 * np.abs(whole).max(axis=1))


def test_a_band_takes_at_most_a_third_of_the_coarser_rate() -> None:
    assert [coarseness_of(bins, 48000) for bins in (24001, 8001, 8000, 4000, 1000, 1)] == [1, 1, 2, 4, 16, 16]
