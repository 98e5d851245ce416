"""How much of spoken digits comes back from their spikes, between floors and ceilings.

``python -m hearspike.datasets.listening_benchmark FOLDER`` with the recordings of the Free Spoken Digit
Dataset prints the table of docs/converter.md.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hearspike.converter import (
    Converter,
    SpikeTrains,
    Waveform,
    basilar_membrane_velocity,
    bushy_cell_spikes,
    condition,
    firing_probability,
    preset,
    read_audio,
    reconstruct,
    resample,
)
from hearspike.converter.reconstruction import membrane_inverse
from hearspike.converter.resemblance import intelligibility, log_mel_correlation
from hearspike.datasets.fsdd import FSDD
from hearspike.errors import InputError

SPEAKERS = ("theo", "yweweler")
"""The test speakers: what can be chosen in the reconstruction was chosen on others."""
TAKES = 2
PRESETS = ("heidelberg", "causal", "speech")

Samples = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Resemblance:
    """One row of the table.

    Attributes
    ----------
    preset
        The ear.
    heard
        What is compared with the original.
    stoi
        Short-time objective intelligibility, mean over takes of ten digits.
    log_mel_correlation, standard_error
        Mean over recordings, and its standard error.
    recordings
        Number of recordings.
    """

    preset: str
    heard: str
    stoi: float
    log_mel_correlation: float
    standard_error: float
    recordings: int


def benchmark(
    folder: Path, *, presets: Sequence[str] = PRESETS, speakers: Sequence[str] = SPEAKERS, takes: int = TAKES
) -> list[Resemblance]:
    """Compare reconstructions, ceilings and floors with the original recordings.

    Parameters
    ----------
    folder
        Recordings of the Free Spoken Digit Dataset.
    presets
        Ears to try.
    speakers
        Whose recordings.
    takes
        Takes of each digit and speaker.

    Raises
    ------
    InputError
        If there is no such corpus or speaker.
    """
    words = _words(folder, speakers, takes)
    rows = [_row("any", name, words, heard) for name, heard in _floors(words).items()]
    for name in presets:
        found = [_ways_back(word, preset(name), seed=i) for i, word in enumerate(_flat(words))]
        for heard in found[0]:
            rows.append(_row(name, heard, words, [ways[heard] for ways in found]))
    return rows


def _words(folder: Path, speakers: Sequence[str], takes: int) -> list[list[Waveform]]:
    """Ten digits [speaker and take][digit]."""
    recordings = {one.key: one.path for one in FSDD(folder, takes).recordings(folder)}
    keys = [[f"{digit}_{who}_{take}" for digit in range(10)] for who in speakers for take in range(takes)]
    for key in (key for group in keys for key in group):
        if key not in recordings:
            raise InputError(folder, f"no recording {key}", "all takes of all digits of the speakers")
    return [[read_audio(recordings[key]) for key in group] for group in keys]


def _flat(words: Sequence[Sequence[Any]]) -> list[Any]:
    return [word for group in words for word in group]


def _floors(words: Sequence[Sequence[Waveform]]) -> dict[str, list[Samples]]:
    """Sounds that share something with the original but not what was said."""
    generator = np.random.default_rng(0)
    others: list[Samples] = []
    noises: list[Samples] = []
    for group in words:
        for digit, word in enumerate(group):
            length = len(word.samples)
            others.append(np.resize(group[(digit + 5) % 10].samples, length))
            magnitude = np.abs(np.fft.rfft(word.samples))
            phase = np.exp(2j * np.pi * generator.random(len(magnitude)))
            noises.append(np.fft.irfft(magnitude * phase, length))
    return {"floor: another digit, same speaker": others, "floor: noise of the same spectrum": noises}


def _ways_back(word: Waveform, ear: Converter, *, seed: int) -> dict[str, Samples]:
    """Sounds from the spikes, from what comes before them, and from spikes on the wrong channels."""
    assert ear.sample_rate is not None
    sound = condition(
        resample(word.samples, word.sample_rate, ear.sample_rate), ear.sample_rate, ear.conditioning
    )
    velocity = basilar_membrane_velocity(sound, ear.sample_rate, ear.membrane)
    step_rate = ear.membrane.output_rate(ear.sample_rate)
    probability = firing_probability(velocity, step_rate, ear.hair_cell)
    trains = replace(
        bushy_cell_spikes(probability, step_rate, ear.bushy_cell, seed=seed),
        duration=len(word.samples) / word.sample_rate,
    )
    shuffled = np.random.default_rng(seed).permutation(trains.channels).astype(np.uint16)

    def from_activity(activity: npt.NDArray[np.floating]) -> Samples:
        at_rate = np.stack([resample(row, step_rate, word.sample_rate) for row in activity])
        return np.resize(membrane_inverse(at_rate, word.sample_rate, ear), len(word.samples))

    def from_spikes(spikes: SpikeTrains) -> Samples:
        return reconstruct(spikes, ear, sample_rate=word.sample_rate).samples

    return {
        "floor: spikes, channels shuffled": from_spikes(replace(trains, units=shuffled[trains.units])),
        "spikes": from_spikes(trains),
        "ceiling: firing probability": from_activity(probability - probability[:, :1]),
        "ceiling: membrane velocity": from_activity(velocity),
    }


def _row(
    name: str, heard: str, words: Sequence[Sequence[Waveform]], sounds: Sequence[Samples]
) -> Resemblance:
    rate = words[0][0].sample_rate
    each = [
        log_mel_correlation(word.samples, sound, rate)
        for word, sound in zip(_flat(words), sounds, strict=True)
    ]
    groups: Iterator[Samples] = iter(sounds)
    stois = [
        intelligibility([word.samples for word in group], [next(groups) for _ in group], rate)
        for group in words
    ]
    error = float(np.std(each, ddof=1) / np.sqrt(len(each)))
    return Resemblance(name, heard, float(np.mean(stois)), float(np.mean(each)), error, len(each))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for row in benchmark(Path(sys.argv[1])):
        print(
            f"{row.preset:12}{row.heard:36}STOI {row.stoi:.2f}   log-mel correlation "
            f"{row.log_mel_correlation:.3f} ± {row.standard_error:.3f}   {row.recordings} recordings"
        )
