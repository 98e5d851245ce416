"""What a spike file holds, in a few numbers."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from hearspike.datasets.contract import Block
from hearspike.datasets.spike_file import inspect_spike_file
from hearspike.errors import InputError


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


def describe_spike_file(path: Path) -> FileDescription:
    """Describe a spike file, with a block of it in memory at a time.

    Raises
    ------
    InputError
        If the file is missing or breaks the contract.
    """
    used = np.zeros(2**16, dtype=bool)
    total, longest = 0, 0.0

    def keep(block: Block) -> None:
        nonlocal total, longest
        used[block.units] = True
        total += len(block.times)
        longest = max(longest, float(block.times.max(initial=0.0)))

    about = inspect_spike_file(path, keep)
    with h5py.File(path, "r") as file:
        licence = file.attrs.get("licence")
    samples = len(about.labels)
    return FileDescription(
        name=path.parent.name,
        file=path.name,
        samples=samples,
        classes=len(about.classes),
        speakers=len(np.unique(about.speakers)),
        spikes_per_sample=total / samples if samples else 0.0,
        channels_used=int(used.sum()),
        longest_s=longest,
        licence=None if licence is None else str(licence),
    )


def describe_folder(folder: Path) -> list[FileDescription]:
    """Describe every spike file in the folders of a folder.

    Parameters
    ----------
    folder
        Such as ``workspace/datasets``, with one folder for each data set.

    Raises
    ------
    InputError
        If there is no such folder, or a file breaks the contract.
    """
    if not folder.is_dir():
        raise InputError("datasets", str(folder), "a folder of data sets")
    return [describe_spike_file(path) for path in sorted(folder.glob("*/*.h5")) if ".work-" not in str(path)]
