"""Turn a corpus of speech into spike files: a job that can be stopped, resumed, split up and merged."""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path

import hearspike
import hearspike.converter
from hearspike.converter import Converter
from hearspike.datasets.assembly import FILE_NAMES, assemble, is_finished
from hearspike.datasets.conversion import recording_seed
from hearspike.datasets.conversion_job import ConversionJob, convert_all
from hearspike.datasets.corpus import Corpus, Recording
from hearspike.datasets.cuts import Cuts
from hearspike.datasets.disk_space import check_space
from hearspike.datasets.parallel import check_backend
from hearspike.datasets.shards import Shard
from hearspike.datasets.spike_file import check_time_type
from hearspike.datasets.splits import Split, describe_split
from hearspike.datasets.work_folder import Plan, Sample, WorkFolder
from hearspike.errors import InputError
from hearspike.files import refuse_existing
from hearspike.progress import Progress, no_progress

__all__ = ["FILE_NAMES", "generate", "merge", "parameters_text", "recording_seed"]


def generate(
    corpus: Corpus,
    split: Split,
    converter: Converter,
    out: Path,
    *,
    seed: int,
    workers: int,
    time_type: str,
    cuts: Cuts | None = None,
    backend: str = "loky",
    shard: str | None = None,
    attributes: dict[str, str] | None = None,
    progress: Progress = no_progress,
) -> dict[str, int]:
    """Write ``train.h5``, ``valid.h5`` and ``test.h5`` in a new folder, or nothing at all.

    Finished utterances are kept in a work folder beside ``out`` (`hearspike.datasets.work_folder`).
    A job that was stopped at any moment goes on from there when it is started again, and the files are
    those of an undisturbed job to the byte. So they are for any number of workers and shards: each
    recording has its own random stream, named by the seed and the recording's key.

    Parameters
    ----------
    corpus
        Where the audio comes from.
    split
        Which utterances go into which file.
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
    cuts
        What to leave out; None for nothing.
    backend
        One of `hearspike.datasets.parallel.BACKENDS`.
    shard
        ``3/16`` converts the third of 16 shares of the utterances and writes no spike file; when all
        shares are done, `merge` does. None converts all.
    attributes
        Further text to keep in every file.
    progress
        Called after every recording.

    Returns
    -------
    sizes
        Number of samples in each file, of a shard those that it converted.

    Raises
    ------
    InputError
        If the folder exists, the split or the cuts do not fit the corpus, the disk is too small, or
        recordings cannot be converted: then a report in the work folder lists all of them.
    """
    check_time_type(time_type)
    check_backend(backend)
    share = Shard.parse(shard)
    cuts = cuts or Cuts()
    if not any(out.parent.glob(f"{out.name}.work-*")):  # before any speech is made
        refuse_existing(out)
    with tempfile.TemporaryDirectory(prefix="hearspike-") as audio_folder:
        progress("speech", 0, 1, corpus.name)
        recordings, classes = cuts.select(corpus.recordings(Path(audio_folder)), corpus.classes)
        progress("speech", 1, 1, f"{len(recordings)} recordings")
        parts = split.parts(recordings)
        settings = {
            "hearspike_version": hearspike.__version__,
            "converter_code_sha256": _converter_code_sha256(),
            "corpus": corpus.name,
            "licence": corpus.licence,
            "citation": corpus.citation,
            "split": describe_split(split, parts),
            "converter": parameters_text(converter),
            "cuts": json.dumps(asdict(cuts), sort_keys=True),
            "seed": str(seed),
            **(attributes or {}),
        }
        plan = _plan(parts, classes, corpus.genders(), settings, time_type, converter.membrane.channels)
        work = WorkFolder.of(out, plan)
        if is_finished(out, plan) and work.path.exists():
            work.remove()
            return _sizes(plan.parts)
        refuse_existing(out)
        todo = share.of([recording for part_recordings in parts.values() for recording in part_recordings])
        unfinished = [recording for recording in todo if not work.holds(recording.key)]
        check_space(out.parent, unfinished, cuts, plan, assemble=share.count == 1)
        work.begin(plan)
        job = ConversionJob(converter, cuts, seed, time_type, work)
        report = f"failures{share.suffix}"
        convert_all(job, todo, workers=workers, backend=backend, report=report, progress=progress)
    if share.count == 1:
        assemble(work, plan, out, progress)
        return _sizes(plan.parts)
    mine = {recording.key for recording in todo}
    return {part: sum(sample.key in mine for sample in samples) for part, samples in plan.parts.items()}


def merge(out: Path, *, progress: Progress = no_progress) -> dict[str, int]:
    """Write the spike files of a job whose shards have all been converted, and remove its work folder.

    Parameters
    ----------
    out
        The folder to make, as it was given to the shards; their work folder lies beside it.
    progress
        Called after every part.

    Returns
    -------
    sizes
        Number of samples in each file.

    Raises
    ------
    InputError
        If ``out`` exists, there is not exactly one work folder, or utterances are missing.
    """
    refuse_existing(out)
    work = WorkFolder.only(out)
    plan = work.plan()
    assemble(work, plan, out, progress)
    return _sizes(plan.parts)


def parameters_text(converter: Converter) -> str:
    """Return all parameters of a converter as the text that stands in the files made with it."""
    return json.dumps(asdict(converter), sort_keys=True, default=str)


@cache
def _converter_code_sha256() -> str:
    """Checksum of the converter's source: an utterance made by other code is never taken for finished."""
    folder = Path(hearspike.converter.__file__).parent
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.py"))]
    return hashlib.sha256("".join(sums).encode()).hexdigest()


def _sizes(parts: dict[str, tuple[Sample, ...]]) -> dict[str, int]:
    return {part: len(samples) for part, samples in parts.items()}


def _plan(
    parts: dict[str, list[Recording]],
    classes: tuple[str, ...],
    genders: Mapping[str, str],
    settings: dict[str, str],
    time_type: str,
    channels: int,
) -> Plan:
    everybody = [recording for recordings in parts.values() for recording in recordings]
    if len({recording.key for recording in everybody}) != len(everybody):
        raise InputError("corpus", "two recordings of one key", "a key of its own for each")
    speakers = tuple(sorted({recording.speaker for recording in everybody}))
    number = {speaker: index for index, speaker in enumerate(speakers)}
    samples = {
        part: tuple(
            Sample(item.key, item.label, number[item.speaker], item.start, item.end) for item in recordings
        )
        for part, recordings in parts.items()
    }
    known = tuple(genders.get(speaker, "unknown") for speaker in speakers)
    return Plan(samples, classes, speakers, known, settings, time_type, channels)
