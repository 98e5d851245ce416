"""Synthetic digits: spoken English and German digits made by espeak-ng, no download."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearspike.datasets import acoustics, synthesiser
from hearspike.datasets.corpus import Recording
from hearspike.errors import InputError

ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
GERMAN = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
GENDERS = ("female", "male")
NOISES = ("white", "pink", "speech")
SPECTRUM_BINS = 513
"""Frequencies at which the noises' spectra are given: every 47 Hz at 48 kHz."""


@dataclass(frozen=True)
class Speaker:
    """One voice and how it speaks.

    Parameters
    ----------
    gender
        ``female`` or ``male``.
    variant
        espeak-ng's voice variant.
    accent
        espeak-ng's language for the English words.
    pitch, intonation
        espeak-ng's codes for pitch and pitch range, 0 to 99; 50 is the variant's own.
    rate_wpm
        Speaking rate [words per minute].
    formant_scale
        Factor on all formants, and on the pitch with them: the inverse of the vocal tract's length
        relative to the variant's own.
    """

    gender: str
    variant: str
    accent: str
    pitch: float
    intonation: float
    rate_wpm: float
    formant_scale: float

    def __post_init__(self) -> None:
        if self.gender not in GENDERS:
            raise InputError("gender", self.gender, f"one of {', '.join(GENDERS)}")
        if self.formant_scale <= 0.0:
            raise InputError("formant_scale", self.formant_scale, "a factor above 0")


@dataclass(frozen=True)
class TakeVariation:
    """How far a speaker strays from take to take: half widths of uniform distributions.

    Parameters
    ----------
    pitch, intonation
        In espeak-ng's codes.
    rate, formant_scale
        Relative to the speaker's own.
    """

    pitch: float
    intonation: float
    rate: float
    formant_scale: float


@dataclass(frozen=True)
class SyntheticDigits:
    """Digits 0 to 9 in English and German in the label order of SHD, by synthetic speakers.

    Parameters
    ----------
    speakers
        The speakers by name.
    variation
        What changes from take to take.
    takes
        Repetitions of each word by each speaker.
    seed
        Seed of all randomness.
    sample_rate
        Of the files [Hz].
    trim_db
        Silence is cut up to where the level comes within this distance of the maximum [dB].
    margin_s
        Least and largest silence before and after the word [s].
    reverberation_time_s
        Least and largest time in which the room's energy falls by 60 dB [s].
    direct_to_reverberant_db
        Least and largest energy of direct over reverberant sound [dB].
    tilt_db_per_octave
        Least and largest slope of the microphone's response [dB per octave].
    tilt_pivot_hz
        Frequency at which that response is 1 [Hz].
    noises
        Kinds of background noise to choose from: ``white``, ``pink``, ``speech`` (speech-shaped).
    snr_db
        Least and largest ratio of speech to noise power [dB].
    peak_dbfs
        Least and largest peak level [dB re full scale].

    Raises
    ------
    InputError
        If a value is out of its range.
    """

    speakers: Mapping[str, Speaker]
    variation: TakeVariation
    takes: int
    seed: int
    sample_rate: int
    trim_db: float
    margin_s: Sequence[float]
    reverberation_time_s: Sequence[float]
    direct_to_reverberant_db: Sequence[float]
    tilt_db_per_octave: Sequence[float]
    tilt_pivot_hz: float
    noises: Sequence[str]
    snr_db: Sequence[float]
    peak_dbfs: Sequence[float]

    name = "synthetic_digits"
    classes = ENGLISH + GERMAN
    licence = "CC0-1.0"
    citation = "hearspike synthetic digits, spoken by espeak-ng, https://github.com/espeak-ng/espeak-ng"

    def __post_init__(self) -> None:
        if not self.speakers:
            raise InputError("speakers", "none", "at least one speaker")
        if self.takes < 1:
            raise InputError("takes", self.takes, "at least 1 take of each word")
        if self.sample_rate < synthesiser.SAMPLE_RATE:
            raise InputError("sample_rate", self.sample_rate, f"at least {synthesiser.SAMPLE_RATE} Hz")
        for name in self.noises:
            if name not in NOISES:
                raise InputError("noises", name, f"some of {', '.join(NOISES)}")
        if not self.noises:
            raise InputError("noises", "none", f"some of {', '.join(NOISES)}")
        bounds = {
            "margin_s": (0.0, np.inf),
            "reverberation_time_s": (1e-3, np.inf),
            "direct_to_reverberant_db": (-np.inf, np.inf),
            "tilt_db_per_octave": (-np.inf, np.inf),
            "snr_db": (-np.inf, np.inf),
            "peak_dbfs": (-np.inf, 0.0),
        }
        for name, (least, largest) in bounds.items():
            interval = tuple(getattr(self, name))
            if len(interval) != 2 or not least <= interval[0] <= interval[1] <= largest:
                raise InputError(name, list(interval), f"[low, high] with {least} ≤ low ≤ high ≤ {largest}")
        for speaker in self.speakers.values():  # the extremes of every take must be speakable
            for sign in (-1.0, 1.0):
                utterance(speaker, self.variation, np.full(4, sign), label=0)

    def genders(self) -> dict[str, str]:
        """Return each speaker's gender."""
        return {name: speaker.gender for name, speaker in self.speakers.items()}

    def recordings(self, folder: Path) -> list[Recording]:
        """Speak, record and write all utterances, by speaker, label and take.

        Parameters
        ----------
        folder
            An empty folder; receives one 16-bit FLAC file for each utterance.

        Returns
        -------
        recordings
            Keys are ``speaker/word/take``. Same parameters, same samples, on every run; a change of
            one speaker or of the takes changes them all (see `hearspike.datasets.synthesiser`).

        Raises
        ------
        InputError
            If espeak-ng is not installed or fails, or knows no such voice or accent.
        """
        import soundfile

        places = [
            (number, name, label, take)
            for number, name in enumerate(self.speakers)
            for label in range(len(self.classes))
            for take in range(self.takes)
        ]
        streams = [
            np.random.SeedSequence(self.seed, spawn_key=(number, label, take)).spawn(2)
            for number, _, label, take in places
        ]
        deviations = [np.random.default_rng(voice).uniform(-1.0, 1.0, size=4) for voice, _ in streams]
        dry = self._speak(places, deviations)
        spectra = {
            "white": np.ones(SPECTRUM_BINS),
            "pink": acoustics.pink_spectrum(bins=SPECTRUM_BINS),
            "speech": acoustics.long_term_spectrum(dry, bins=SPECTRUM_BINS),
        }
        recordings = []
        for (_, name, label, take), speech, (_, stream) in zip(places, dry, streams, strict=True):
            path = folder / f"{name}_{label:02d}_{take}.flac"
            recorded = self._record(speech, spectra, np.random.default_rng(stream))
            soundfile.write(path, recorded, self.sample_rate, subtype="PCM_16")
            recordings.append(Recording(f"{name}/{self.classes[label]}/{take}", path, label, name))
        return recordings

    def _speak(
        self, places: Sequence[tuple[int, str, int, int]], deviations: Sequence[NDArray[np.float64]]
    ) -> list[acoustics.Signal]:
        """Dry speech of every utterance at the sample rate of the files, silence trimmed."""
        import soxr
        from librosa.effects import trim

        speech = synthesiser.synthesise(
            [
                utterance(self.speakers[name], self.variation, deviation, label=label)
                for (_, name, label, _), deviation in zip(places, deviations, strict=True)
            ],
            seed=self.seed,
        )
        dry = []
        for (_, name, _, _), deviation, samples in zip(places, deviations, speech, strict=True):
            scale = formant_scale(self.speakers[name], self.variation, deviation)
            resampled = soxr.resample(samples / 2.0**15, synthesiser.SAMPLE_RATE * scale, self.sample_rate)
            dry.append(trim(resampled, top_db=self.trim_db)[0])
        return dry

    def _record(
        self, speech: acoustics.Signal, spectra: Mapping[str, acoustics.Signal], rng: np.random.Generator
    ) -> acoustics.Signal:
        """Dry speech as a microphone in a noisy room records it."""

        def draw(interval: Sequence[float]) -> float:
            low, high = interval
            return rng.uniform(low, high)

        before, after = (round(draw(self.margin_s) * self.sample_rate) for _ in range(2))
        response = acoustics.room_impulse_response(
            draw(self.reverberation_time_s),
            self.sample_rate,
            direct_to_reverberant_db=draw(self.direct_to_reverberant_db),
            rng=rng,
        )
        heard = acoustics.reverberate(np.pad(speech, (before, after)), response)
        noise = acoustics.shaped_noise(spectra[rng.choice(list(self.noises))], len(heard), rng=rng)
        noisy = acoustics.add_noise(heard, noise, snr_db=draw(self.snr_db))
        tilted = acoustics.spectral_tilt(
            noisy,
            self.sample_rate,
            db_per_octave=draw(self.tilt_db_per_octave),
            pivot=self.tilt_pivot_hz,
        )
        return acoustics.set_peak(tilted, level_dbfs=draw(self.peak_dbfs))


def formant_scale(speaker: Speaker, variation: TakeVariation, deviation: NDArray[np.float64]) -> float:
    """Return the formant scale of one take."""
    return float(speaker.formant_scale * (1.0 + variation.formant_scale * deviation[3]))


def utterance(
    speaker: Speaker, variation: TakeVariation, deviation: NDArray[np.float64], *, label: int
) -> synthesiser.Utterance:
    """Return what espeak-ng is to say for one take.

    Parameters
    ----------
    speaker, variation
        Who speaks, and how much the takes differ.
    deviation
        The take's place within the variation of pitch, intonation, rate and formant scale, each from
        -1 to 1, shape (4,).
    label
        The word.
    """
    # Formants are scaled by playing faster; slower speech makes up for the time.
    rate = speaker.rate_wpm * (1.0 + variation.rate * deviation[2])
    return synthesiser.Utterance(
        text=(ENGLISH + GERMAN)[label],
        language=speaker.accent if label < len(ENGLISH) else "de",
        variant=speaker.variant,
        rate_wpm=round(rate / formant_scale(speaker, variation, deviation)),
        pitch=round(speaker.pitch + variation.pitch * deviation[0]),
        intonation=round(speaker.intonation + variation.intonation * deviation[1]),
    )
