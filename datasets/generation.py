"""Turn a corpus of speech into spike files for training, validation and test."""

import hashlib
import json
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import joblib
import numpy as np
from numpy.typing import NDArray

import hearspike
from hearspike.converter import Converter, read_audio
from hearspike.datasets.corpus import Corpus, Recording
from hearspike.datasets.spike_file import check_time_type, write_spike_file
from hearspike.datasets.splits import HeldOutSpeakers
from hearspike.errors import Notice
from hearspike.files import new_folder, refuse_existing
from hearspike.progress import Progress, no_progress

FILE_NAMES = {"train": "train.h5", "validation": "valid.h5", "test": "test.h5"}


@dataclass(frozen=True)
class ConvertedRecording:
    """Spikes of one recording, the checksum of its audio file, and what the reader noticed."""

    times: NDArray[np.float64]
    units: NDArray[np.uint16]
    sha256: str
    notices: tuple[str, ...]


def generate(
    corpus: Corpus,
    split: HeldOutSpeakers,
    converter: Converter,
    out: Path,
    *,
    seed: int,
    workers: int,
    time_type: str,
    attributes: dict[str, str] | None = None,
    progress: Progress = no_progress,
) -> dict[str, int]:
    """Write ``train.h5``, ``valid.h5`` and ``test.h5`` in a new folder, or nothing at all.

    The files are the same to the byte for any number of workers: each recording has its own random
    stream, named by the seed and the recording's key.

    Parameters
    ----------
    corpus
        Where the audio comes from.
    split
        Which speakers go into which file.
    converter
        Audio to spikes.
    out
        The folder to make.
    seed
        Seed of the converter's randomness.
    workers
        Number of processes.
    time_type
        ``float16`` as in the published files, or ``float32``.
    attributes
        Further text to keep in every file.
    progress
        Called after every recording.

    Returns
    -------
    sizes
        Number of samples in each file.

    Raises
    ------
    InputError
        If the folder exists, a recording cannot be read, or the split does not fit the corpus.
    """
    check_time_type(time_type)
    refuse_existing(out)
    with tempfile.TemporaryDirectory(prefix="hearspike-") as audio_folder, new_folder(out) as folder:
        progress("speech", 0, 1, corpus.name)
        recordings = corpus.recordings(Path(audio_folder))
        progress("speech", 1, 1, f"{len(recordings)} recordings")
        parts = split.parts(recordings)
        ordered = [recording for part in parts.values() for recording in part]
        converted = _convert_all(ordered, converter, seed, workers, progress)
        speakers = sorted({recording.speaker for recording in recordings})
        position = 0
        for part, part_recordings in parts.items():
            part_converted = converted[position : position + len(part_recordings)]
            position += len(part_recordings)
            audio_sha256 = hashlib.sha256("".join(item.sha256 for item in part_converted).encode())
            write_spike_file(
                folder / FILE_NAMES[part],
                [item.times for item in part_converted],
                [item.units for item in part_converted],
                labels=[recording.label for recording in part_recordings],
                speakers=[speakers.index(recording.speaker) for recording in part_recordings],
                classes=corpus.classes,
                sources=[recording.key for recording in part_recordings],
                speaker_info={"name": speakers},
                attributes={
                    "hearspike_version": hearspike.__version__,
                    "corpus": corpus.name,
                    "licence": corpus.licence,
                    "citation": corpus.citation,
                    "part": part,
                    "converter": json.dumps(asdict(converter), sort_keys=True, default=str),
                    "seed": str(seed),
                    "audio_sha256": audio_sha256.hexdigest(),
                    **(attributes or {}),
                },
                time_type=time_type,
                channels=converter.membrane.channels,
            )
    return {part: len(part_recordings) for part, part_recordings in parts.items()}


def recording_seed(seed: int, key: str) -> np.random.SeedSequence:
    """Return the random stream of one recording: it hangs on the key, not on the order of files."""
    digest = hashlib.sha256(key.encode()).digest()
    return np.random.SeedSequence(seed, spawn_key=tuple(np.frombuffer(digest, dtype=np.uint32).tolist()))


def convert_recording(converter: Converter, recording: Recording, seed: int) -> ConvertedRecording:
    """Read one recording and turn it into spikes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", Notice)
        waveform = read_audio(recording.path)
        trains = converter(
            waveform.samples, waveform.sample_rate, seed=recording_seed(seed, recording.key), threads=1
        )
    notices = tuple(str(item.message) for item in caught if issubclass(item.category, Notice))
    sha256 = hashlib.sha256(recording.path.read_bytes()).hexdigest()
    return ConvertedRecording(trains.times, trains.units, sha256, notices)


def _convert_all(
    recordings: Sequence[Recording],
    converter: Converter,
    seed: int,
    workers: int,
    progress: Progress,
) -> list[ConvertedRecording]:
    jobs = (joblib.delayed(convert_recording)(converter, recording, seed) for recording in recordings)
    results = joblib.Parallel(n_jobs=workers, return_as="generator", batch_size=4)(jobs)
    converted = []
    for done, item in enumerate(results, start=1):
        for notice in item.notices:
            warnings.warn(notice, Notice, stacklevel=2)
        converted.append(item)
        progress("spikes", done, len(recordings), recordings[done - 1].key)
    return converted
