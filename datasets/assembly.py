"""From finished utterances to the spike files and papers of a folder, in one step or not at all."""

import hashlib
import shutil
from collections.abc import Sequence
from itertools import tee
from pathlib import Path

import h5py

from hearspike.datasets.datasheet import write_papers
from hearspike.datasets.spike_file import write_spike_file
from hearspike.datasets.work_folder import Plan, Sample, StoredSpikes, WorkFolder
from hearspike.errors import InputError
from hearspike.files import refuse_existing
from hearspike.progress import Progress

FILE_NAMES = {"train": "train.h5", "validation": "valid.h5", "test": "test.h5"}


def is_finished(out: Path, plan: Plan) -> bool:
    """Tell whether ``out`` was made by this plan, which is so if a job was stopped while it cleaned up."""
    try:
        with h5py.File(out / FILE_NAMES["train"], "r") as file:
            return bool(file.attrs.get("plan_sha256") == plan.sha256)
    except OSError:
        return False


def assemble(work: WorkFolder, plan: Plan, out: Path, progress: Progress) -> None:
    """Write files and papers inside the work folder, move them to ``out`` in one step, remove the rest.

    Parameters
    ----------
    work
        Where the finished utterances are.
    plan
        Of the job.
    out
        The folder to make.
    progress
        Called after every file.

    Raises
    ------
    InputError
        If ``out`` exists or an utterance is missing or damaged.
    """
    missing = [
        sample.key for samples in plan.parts.values() for sample in samples if not work.holds(sample.key)
    ]
    if missing:
        total = sum(len(samples) for samples in plan.parts.values())
        found = f"{len(missing)} of {total} utterances missing, the first {missing[0]}"
        raise InputError(work.path, found, "all of them: run the shards that are not done yet")
    folder = work.path / "out"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for number, (part, samples) in enumerate(plan.parts.items()):
        progress("files", number, len(plan.parts), FILE_NAMES[part])
        _write_part(work, plan, part, samples, folder / FILE_NAMES[part])
    write_papers(
        folder,
        {part: FILE_NAMES[part] for part in plan.parts},
        name=plan.attributes["corpus"],
        licence=plan.attributes["licence"],
        citation=plan.attributes["citation"],
    )
    refuse_existing(out)
    folder.rename(out)
    work.remove()
    progress("files", len(plan.parts), len(plan.parts), str(out))


def _write_part(work: WorkFolder, plan: Plan, part: str, samples: Sequence[Sample], path: Path) -> None:
    audio = hashlib.sha256("".join(_load(work, sample).sha256 for sample in samples).encode())
    # The writer takes times and units of a sample together, so only a block of samples is in memory.
    for_times, for_units = tee(_load(work, sample) for sample in samples)
    write_spike_file(
        path,
        (stored.times for stored in for_times),
        (stored.units for stored in for_units),
        labels=[sample.label for sample in samples],
        speakers=[sample.speaker for sample in samples],
        classes=plan.classes,
        sources=[sample.key for sample in samples],
        speaker_info={"name": plan.speakers, "gender": plan.genders},
        attributes={
            **plan.attributes,
            "part": part,
            "audio_sha256": audio.hexdigest(),
            "plan_sha256": plan.sha256,
        },
        time_type=plan.time_type,
        channels=plan.channels,
    )


def _load(work: WorkFolder, sample: Sample) -> StoredSpikes:
    stored = work.load(sample.key)
    if stored is None:
        raise InputError(work.path, f"a damaged file of {sample.key}", "to be started again")
    return stored
