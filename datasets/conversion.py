"""One utterance to spikes: its audio, its own random stream, and what went wrong."""

import hashlib
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearspike.converter import Converter
from hearspike.datasets.corpus import Recording
from hearspike.datasets.cuts import Cuts
from hearspike.errors import Notice


@dataclass(frozen=True)
class ConvertedRecording:
    """Spikes of one recording, the checksum of its audio file, and what the reader noticed."""

    times: NDArray[np.float64]
    units: NDArray[np.uint16]
    sha256: str
    notices: tuple[str, ...]


def recording_seed(seed: int, key: str) -> np.random.SeedSequence:
    """Return the random stream of one recording: it hangs on the key, not on the order of files."""
    digest = hashlib.sha256(key.encode()).digest()
    return np.random.SeedSequence(seed, spawn_key=tuple(np.frombuffer(digest, dtype=np.uint32).tolist()))


def audio_sha256(recording: Recording) -> str:
    """Return the checksum of a recording's audio file, which is read once however many are in it."""
    status = recording.path.stat()
    return _file_sha256(recording.path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1024)
def _file_sha256(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def convert_recording(
    converter: Converter, recording: Recording, *, seed: int, cuts: Cuts
) -> ConvertedRecording:
    """Read one recording and turn it into spikes.

    Parameters
    ----------
    converter
        Audio to spikes.
    recording
        The utterance.
    seed
        Seed of the whole job.
    cuts
        How the utterance is shortened.

    Raises
    ------
    InputError
        If the recording cannot be read or converted.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", Notice)
        waveform = cuts.read(recording)
        trains = converter(
            waveform.samples, waveform.sample_rate, seed=recording_seed(seed, recording.key), threads=1
        )
    notices = tuple(str(item.message) for item in caught if issubclass(item.category, Notice))
    return ConvertedRecording(trains.times, trains.units, audio_sha256(recording), notices)
