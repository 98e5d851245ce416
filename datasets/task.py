"""A classification task: three sealed parts of one data set, with a checksum."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.events import SpikeDataset
from hearspike.errors import InputError

NO_SPEAKER = -1
"""Number of the speaker of a sample that nobody spoke."""


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
        Checksum of each file, by file name; of data that stand in no file, of each part.
    split
        How the data were split: ``name``, its settings, and ``sha256``, which differs wherever the parts do.
    window
        Length of a sample for models that need one [s]: spikes after it are few or none.
    time_scale
        How many seconds of the spike times one second on a chip stands for: 2000 for speech that is
        played 2000 times as fast, 1 for data that were made in the chip's own time.

    Raises
    ------
    InputError
        If window or time scale is not above 0.
    """

    name: str
    train: SpikeDataset
    validation: SpikeDataset
    test: SpikeDataset
    sha256: dict[str, str]
    split: dict[str, Any]
    window: float
    time_scale: float

    def __post_init__(self) -> None:
        for name in ("window", "time_scale"):
            if not 0.0 < getattr(self, name) < float("inf"):
                raise InputError(f"dataset.{name}", getattr(self, name), "a finite number above 0")

    def test_speakers(self) -> dict[str, NDArray[np.bool_]]:
        """Tell the samples of the test part apart by who speaks.

        Returns
        -------
        samples
            ``known``: [test sample] whether training or validation heard the speaker; ``unseen``: whether
            neither did. Samples that nobody spoke are in none. Of SHD's 2264 test samples 1840 are
            unseen, by speakers 4 and 5.
        """
        heard = np.concatenate([self.train.speakers, self.validation.speakers])
        known = np.isin(self.test.speakers, heard)
        spoken = self.test.speakers != NO_SPEAKER
        return {"known": known & spoken, "unseen": ~known & spoken}


class TaskSource(Protocol):
    """What a file in ``conf/dataset`` names: a frozen dataclass of settings from which a task is made."""

    def task(self) -> Task:
        """Return the task; the same settings and files give the same task to the byte."""


def generated_task(
    name: str,
    *,
    train: SpikeDataset,
    validation: SpikeDataset,
    test: SpikeDataset,
    split: Mapping[str, Any],
    window: float,
    time_scale: float,
) -> Task:
    """Make a task of data that stand in no file; its checksums are those of spikes and labels.

    Parameters
    ----------
    name, train, validation, test, window, time_scale
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
    return Task(
        name, **parts, sha256=sums, split={**split, "sha256": content}, window=window, time_scale=time_scale
    )
