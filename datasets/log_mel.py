"""Speech as engineers give it to networks, for comparison with spikes: mel-band power in short frames."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearspike.converter import Waveform
from hearspike.datasets.conversion import audio_sha256
from hearspike.datasets.corpus import Corpus, Recording
from hearspike.datasets.cuts import Cuts
from hearspike.datasets.events import SpikeDataset
from hearspike.datasets.graded_events import graded_events
from hearspike.datasets.splits import Split, describe_split
from hearspike.datasets.task import Task
from hearspike.errors import InputError


@dataclass(frozen=True)
class MelBands:
    """Short-time power in bands of equal width on the mel scale.

    Power is given relative to a floor below the recording's greatest, so that the ``ln(1 + x)`` that
    networks here apply to counts makes it the usual log-mel picture. Defaults are common in speech
    recognition: windows of 25 ms, a floor of some tens of decibels.

    Parameters
    ----------
    bands
        Number of bands.
    lowest_hz, highest_hz
        Range that the bands cover.
    window_s, step_s
        Length of a frame and from one to the next.
    floor_db
        How far the floor lies below the greatest power of the recording.
    """

    bands: int
    lowest_hz: float
    highest_hz: float
    window_s: float
    step_s: float
    floor_db: float

    def __post_init__(self) -> None:
        if self.bands < 1:
            raise InputError("representation.bands", self.bands, "at least 1")
        if not 0.0 <= self.lowest_hz < self.highest_hz:
            raise InputError("representation.lowest_hz", self.lowest_hz, "at least 0 and below highest_hz")
        for name in ("window_s", "step_s", "floor_db"):
            if not 0.0 < getattr(self, name) < np.inf:
                raise InputError(f"representation.{name}", getattr(self, name), "a number above 0")

    def frames(self, sound: Waveform) -> NDArray[np.float64]:
        """Return [time, band] power in units of the floor, 0 in a silent recording."""
        from librosa.feature import melspectrogram

        length = round(self.window_s * sound.sample_rate)
        power = melspectrogram(
            y=sound.samples,
            sr=sound.sample_rate,
            n_fft=length,
            hop_length=round(self.step_s * sound.sample_rate),
            n_mels=self.bands,
            fmin=self.lowest_hz,
            fmax=min(self.highest_hz, sound.sample_rate / 2),
        ).T.astype(np.float64)
        greatest = power.max()
        relative: NDArray[np.float64] = (
            power / greatest * 10 ** (self.floor_db / 10) if greatest > 0 else power
        )
        return relative


@dataclass(frozen=True)
class MelTask:
    """Mel bands of a corpus as a task, with the split of its spikes.

    Parameters
    ----------
    name, window, time_scale
        See `hearspike.datasets.Task`.
    corpus
        The recordings.
    bands
        What is made of them.
    split
        Sorts the recordings into parts.
    """

    name: str
    corpus: Corpus
    bands: MelBands
    split: Split
    window: float
    time_scale: float

    def task(self) -> Task:
        """Read all recordings and return the task."""
        recordings = self.corpus.recordings(Path())
        speakers = sorted({recording.speaker for recording in recordings})
        parts = self.split.parts(recordings)
        sums = {
            part: hashlib.sha256(
                json.dumps([(item.key, audio_sha256(item)) for item in items]).encode()
            ).hexdigest()
            for part, items in parts.items()
        }
        return Task(
            self.name,
            **{part: self._dataset(items, speakers) for part, items in parts.items()},
            sha256=sums,
            split=json.loads(describe_split(self.split, parts)),
            window=self.window,
            time_scale=self.time_scale,
        )

    def _dataset(self, recordings: list[Recording], speakers: list[str]) -> SpikeDataset:
        frames = [self.bands.frames(Cuts().read(recording)) for recording in recordings]
        return SpikeDataset(
            graded_events(frames, step=self.bands.step_s),
            np.array([recording.label for recording in recordings], dtype=np.int64),
            np.array([speakers.index(recording.speaker) for recording in recordings], dtype=np.int64),
            tuple(self.corpus.classes),
        )
