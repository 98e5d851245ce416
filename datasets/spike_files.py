"""A task from a folder of spike files, with the files' own split or another one."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hearspike.datasets.corpus import Recording
from hearspike.datasets.description import read_strings
from hearspike.datasets.event_cache import open_spike_file
from hearspike.datasets.events import SpikeDataset, SpikeEvents
from hearspike.datasets.spike_file import opened, read_spike_file
from hearspike.datasets.splits import Parts, Split, describe_split
from hearspike.datasets.task import Task
from hearspike.errors import InputError


@dataclass(frozen=True)
class SpikeFiles:
    """Spike files of hearspike, SHD or SSC.

    Parameters
    ----------
    name
        Name of the task.
    root
        The folder.
    train, test, validation
        File names; a set may have no validation file (SHD), and then needs a split.
    split
        Sorts the samples of all files anew; None for one part from each file. To it, a sample is a
        recording with the key that ``extra/source`` names (otherwise ``file#number``), its file's part,
        and the speaker's name in ``extra/meta_info/name`` (otherwise the number).
    window, time_scale
        See `Task`.
    cache
        Folder for flat copies of the files (`hearspike.datasets.event_cache`): the parts are then mapped
        and take no memory, unless a split takes them apart. None reads the files into memory.

    Raises
    ------
    InputError
        If there is neither a validation file nor a split.
    """

    name: str
    root: Path
    train: str
    validation: str | None
    test: str
    split: Split | None
    window: float
    time_scale: float
    cache: Path | None = None

    def __post_init__(self) -> None:
        if self.validation is None and self.split is None:
            raise InputError("dataset.validation", None, "a file, or a split (dataset.split) that makes one")

    @property
    def files(self) -> dict[str, Path]:
        """Part → its file, of those there are."""
        names = {"train": self.train, "validation": self.validation, "test": self.test}
        return {part: Path(self.root) / name for part, name in names.items() if name is not None}

    def task(self) -> Task:
        """Read the task.

        Raises
        ------
        InputError
            If a file is missing, empty or breaks the contract, the files disagree on classes, channels or
            speakers, or the split does not fit.
        """
        if not Path(self.root).is_dir():
            raise InputError(
                "dataset.root",
                str(self.root),
                f"a folder with {self.train} and {self.test} (hearspike generate makes one)",
            )
        datasets = {part: self._open(path) for part, path in self.files.items()}
        self._check(datasets)
        recordings = {part: _recordings(path, part, datasets[part]) for part, path in self.files.items()}
        if self.split is None:
            parts, split = datasets, _own_split(self.files["train"], recordings)
        else:
            sorted_anew = self.split.parts([item for part in recordings.values() for item in part])
            split = json.loads(describe_split(self.split, sorted_anew))
            parts = _gather(sorted_anew, datasets, recordings)
        return Task(
            self.name,
            **parts,
            sha256={path.name: _file_sha256(path) for path in self.files.values()},
            split=split,
            window=self.window,
            time_scale=self.time_scale,
        )

    def _open(self, path: Path) -> SpikeDataset:
        return read_spike_file(path) if self.cache is None else open_spike_file(path, cache=self.cache)

    def _check(self, datasets: dict[str, SpikeDataset]) -> None:
        reference = datasets["train"]
        speakers = _speaker_names(self.files["train"])
        for part, path in self.files.items():
            dataset = datasets[part]
            if dataset.classes != reference.classes or dataset.events.channels != reference.events.channels:
                found = f"{len(dataset.classes)} classes, {dataset.events.channels} channels"
                raise InputError(path, found, f"the classes and channels of {self.train}")
            if _speaker_names(path) != speakers:
                raise InputError(path, "other names in extra/meta_info/name", f"those of {self.train}")
            if not len(dataset):
                raise InputError(path, "no samples", "at least one sample")


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _speaker_names(path: Path) -> tuple[str, ...]:
    return read_strings(path, "extra/meta_info/name")


def _recordings(path: Path, part: str, dataset: SpikeDataset) -> list[Recording]:
    keys = read_strings(path, "extra/source")
    if len(keys) != len(dataset):
        keys = tuple(f"{path.name}#{number}" for number in range(len(dataset)))
    names = dict(enumerate(_speaker_names(path)))
    return [
        Recording(key, path, label, names.get(speaker, str(speaker)), part=part)
        for key, label, speaker in zip(keys, dataset.labels.tolist(), dataset.speakers.tolist(), strict=True)
    ]


def _own_split(train: Path, recordings: Parts) -> dict[str, Any]:
    """Return the split that the files were generated with, or else that they have."""
    with opened(train) as file:
        text = file.attrs.get("split")
    if not isinstance(text, str):
        text = describe_split(None, recordings)
    try:
        split = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(train, f"an attribute split that is no JSON ({error})", "as written") from None
    return dict(split)


def _gather(parts: Parts, datasets: dict[str, SpikeDataset], recordings: Parts) -> dict[str, SpikeDataset]:
    """Take the samples of every new part out of the files, in the order of the files.

    A split may leave samples out (`hearspike.datasets.fewer_speakers`).
    """
    part_of = {recording.key: part for part, chosen in parts.items() for recording in chosen}
    if len({item.key for of_file in recordings.values() for item in of_file}) != sum(
        map(len, recordings.values())
    ):
        raise InputError("dataset.split", "two samples of one source", "a source of its own for each sample")
    gathered = {}
    for part in parts:
        pieces = [
            datasets[file].select(np.flatnonzero([part_of.get(item.key) == part for item in of_file]))
            for file, of_file in recordings.items()
        ]
        gathered[part] = SpikeDataset(
            SpikeEvents.concatenate([piece.events for piece in pieces]),
            np.concatenate([piece.labels for piece in pieces]),
            np.concatenate([piece.speakers for piece in pieces]),
            pieces[0].classes,
        )
    return gathered
