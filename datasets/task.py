"""A classification task: three sealed parts of one data set, with a checksum."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
    """

    name: str
    train: SpikeDataset
    validation: SpikeDataset
    test: SpikeDataset
    sha256: dict[str, str]


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
    return Task(
        name=name,
        train=train_part,
        validation=validation_part,
        test=datasets[test],
        sha256={file: hashlib.sha256((root / file).read_bytes()).hexdigest() for file in files},
    )


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
