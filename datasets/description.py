"""What spike files hold, in a few numbers."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.contract import Block
from hearspike.datasets.spike_file import inspect_spike_file, opened
from hearspike.errors import InputError


@dataclass(frozen=True)
class FileSummary:
    """Everything about a spike file but the spikes.

    Parameters
    ----------
    path
        The file.
    labels, speakers
        [sample]
    classes
        Names of the classes.
    speaker_names, genders
        Of each speaker number; empty where the file does not say.
    spikes
        [sample] Number of spikes.
    channels
        Number of channels.
    channels_used
        Number of channels with at least one spike.
    longest_s
        Time of the latest spike.
    attributes
        Text attributes of the root.
    """

    path: Path
    labels: NDArray[np.int64]
    speakers: NDArray[np.int64]
    classes: tuple[str, ...]
    speaker_names: tuple[str, ...]
    genders: tuple[str, ...]
    spikes: NDArray[np.int64]
    channels: int
    channels_used: int
    longest_s: float
    attributes: dict[str, str]

    def speaker(self, number: int) -> str:
        """Return the name of a speaker, the number where there is none."""
        return self.speaker_names[number] if number < len(self.speaker_names) else str(number)


def summarise_spike_file(path: Path) -> FileSummary:
    """Read a spike file once, with a block of it in memory at a time.

    Raises
    ------
    InputError
        If the file is missing or breaks the contract.
    """
    used = np.zeros(2**16, dtype=bool)
    counts: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    longest = 0.0

    def keep(block: Block) -> None:
        nonlocal longest
        used[block.units] = True
        counts.append(block.counts)
        longest = max(longest, float(block.times.max(initial=0.0)))

    about = inspect_spike_file(path, keep)
    with opened(path) as file:
        attributes = {name: text for name, text in file.attrs.items() if isinstance(text, str)}
    return FileSummary(
        path=path,
        labels=about.labels,
        speakers=about.speakers,
        classes=about.classes,
        speaker_names=read_strings(path, "extra/meta_info/name"),
        genders=read_strings(path, "extra/meta_info/gender"),
        spikes=np.concatenate(counts),
        channels=about.channels,
        channels_used=int(used.sum()),
        longest_s=longest,
        attributes=attributes,
    )


def read_strings(path: Path, name: str) -> tuple[str, ...]:
    """Read a list of strings from a spike file, empty if it has none of this name."""
    with opened(path) as file:
        dataset = file.get(name)
        if not isinstance(dataset, h5py.Dataset) or dataset.shape is None or len(dataset.shape) != 1:
            return ()
        return tuple(
            item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in dataset[:]
        )


@dataclass(frozen=True)
class FileDescription:
    """A row of ``hearspike datasets``.

    Parameters
    ----------
    name, file
        Folder and file name.
    samples, classes, speakers
        Their numbers.
    spikes_per_sample
        Mean.
    channels_used
        Number of channels with at least one spike.
    longest_s
        Time of the latest spike.
    licence
        As the file says; None where it does not.
    """

    name: str
    file: str
    samples: int
    classes: int
    speakers: int
    spikes_per_sample: float
    channels_used: int
    longest_s: float
    licence: str | None


def describe(summary: FileSummary) -> FileDescription:
    """Put a spike file into one row."""
    return FileDescription(
        name=summary.path.parent.name,
        file=summary.path.name,
        samples=len(summary.labels),
        classes=len(summary.classes),
        speakers=len(np.unique(summary.speakers)),
        spikes_per_sample=float(summary.spikes.mean()) if len(summary.spikes) else 0.0,
        channels_used=summary.channels_used,
        longest_s=summary.longest_s,
        licence=summary.attributes.get("licence"),
    )


def summarise_folder(folder: Path) -> dict[str, list[FileSummary]]:
    """Read every spike file in the folders of a folder.

    Parameters
    ----------
    folder
        Such as ``workspace/datasets``, with one folder for each data set.

    Returns
    -------
    summaries
        Name of a data set → its files.

    Raises
    ------
    InputError
        If there is no such folder, or a file breaks the contract.
    """
    if not folder.is_dir():
        raise InputError("datasets", str(folder), "a folder of data sets")
    sets: dict[str, list[FileSummary]] = {}
    for path in sorted(folder.glob("*/*.h5")):
        if ".work-" not in path.parent.name:
            sets.setdefault(path.parent.name, []).append(summarise_spike_file(path))
    return sets
