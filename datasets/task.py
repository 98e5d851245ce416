"""A classification task: three sealed parts of one data set, with a checksum."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hearspike.datasets.events import SpikeDataset
from hearspike.datasets.spike_file import read_spike_file
from hearspike.errors import InputError


@dataclass(frozen=True)
class Task:
    """Training, validation and test data of one task.

    Parameters
    ----------
    name
        Name of the task in records and tables.
    train, validation, test
        The parts. Models are fitted on ``train``, chosen on ``validation`` and scored on ``test``.
    sha256
        Checksum of each file, by file name.
    split
        How the data were split: ``name``, its settings, and ``sha256``, which differs wherever the parts do.
    """

    name: str
    train: SpikeDataset
    validation: SpikeDataset
    test: SpikeDataset
    sha256: dict[str, str]
    split: dict[str, Any] = field(default_factory=dict)


def generated_task(
    name: str,
    *,
    train: SpikeDataset,
    validation: SpikeDataset,
    test: SpikeDataset,
    split: Mapping[str, Any],
) -> Task:
    """Make a task of data that stand in no file; its checksums are those of spikes and labels.

    Parameters
    ----------
    name, train, validation, test
        See `Task`.
    split
        Name and settings of the split.
    """
    parts = {"train": train, "validation": validation, "test": test}
    sums = {}
    for part, dataset in parts.items():
        arrays = (dataset.events.times, dataset.events.units, dataset.events.offsets, dataset.labels)
        sums[part] = hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
    content = hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()
    return Task(name, train, validation, test, sums, {**split, "sha256": content})


def load_task(
    *,
    name: str,
    root: Path,
    train: str,
    test: str,
    validation: str | None,
    validation_speakers: Sequence[int],
) -> Task:
    """Read a task from a folder of spike files.

    Parameters
    ----------
    name
        Name of the task.
    root
        The folder.
    train, test, validation
        File names. A set without a validation file (SHD) names ``validation_speakers`` instead.
    validation_speakers
        Numbers of the speakers that are cut from the training file for validation.

    Raises
    ------
    InputError
        If a file is missing or breaks the contract, if the parts disagree on classes or channels, or if
        there is not exactly one source of validation data.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(
            "dataset.root", str(root), f"a folder with {train} and {test} (hearspike generate makes one)"
        )
    files = [train, test] + ([validation] if validation else [])
    datasets = {file: read_spike_file(root / file) for file in files}
    if bool(validation) == bool(len(validation_speakers)):
        raise InputError(
            "dataset.validation, dataset.validation_speakers",
            (validation, list(validation_speakers)),
            "a file or a list of training speakers, one of the two",
        )
    reference = datasets[train]
    for file, dataset in datasets.items():
        if dataset.classes != reference.classes or dataset.events.channels != reference.events.channels:
            found = f"{len(dataset.classes)} classes, {dataset.events.channels} channels"
            raise InputError(root / file, found, f"the classes and channels of {train}")
        if not len(dataset):
            raise InputError(root / file, "no samples", "at least one sample")
    if validation:
        train_part, validation_part = reference, datasets[validation]
    else:
        train_part, validation_part = _cut_speakers(reference, validation_speakers)
    sha256 = {file: _file_sha256(root / file) for file in files}
    return Task(
        name=name,
        train=train_part,
        validation=validation_part,
        test=datasets[test],
        sha256=sha256,
        split=_describe_split(root / train, sha256, validation_speakers),
    )


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _describe_split(
    train: Path, sha256: dict[str, str], validation_speakers: Sequence[int]
) -> dict[str, Any]:
    """Describe the split: that of generation, or the files' own, with the speakers cut for validation."""
    with h5py.File(train, "r") as file:
        text = file.attrs.get("split")
    split: dict[str, Any] = json.loads(text) if isinstance(text, str) else {"name": "Files"}
    if validation_speakers:
        split = {"name": "HeldOutSpeakers", "validation": list(validation_speakers), "of": split}
    content = json.dumps([sorted(sha256.items()), list(validation_speakers)])
    return {**split, "sha256": hashlib.sha256(content.encode()).hexdigest()}


def _cut_speakers(dataset: SpikeDataset, speakers: Sequence[int]) -> tuple[SpikeDataset, SpikeDataset]:
    held_out = np.isin(dataset.speakers, speakers)
    missing = sorted(set(speakers) - set(np.unique(dataset.speakers).tolist()))
    if missing or held_out.all():
        raise InputError(
            "dataset.validation_speakers",
            list(speakers),
            f"some, not all, of the training speakers {np.unique(dataset.speakers).tolist()}",
        )
    return dataset.select(np.flatnonzero(~held_out)), dataset.select(np.flatnonzero(held_out))
