"""The test set with its labels under seal."""

import numpy as np
from numpy.typing import NDArray

from hearspike.datasets import SpikeDataset, SpikeEvents


class SealedTest:
    """A test set that shows its spikes to everybody and its labels only to who breaks the seal, and counts.

    `evaluate` makes one of a task's test set, gives models and backends nothing but ``events``, and
    calls `open` once, when every answer has been given. What Python cannot keep from a model is the file
    itself, or a search through the memory of the process; no argument that a model gets leads there.

    Parameters
    ----------
    dataset
        The test set.
    """

    __slots__ = ("__labels", "__reads", "classes", "events", "speakers")

    events: SpikeEvents
    speakers: NDArray[np.int64]
    classes: tuple[str, ...]

    def __init__(self, dataset: SpikeDataset) -> None:
        self.events, self.speakers, self.classes = dataset.events, dataset.speakers, dataset.classes
        self.__labels, self.__reads = dataset.labels, 0

    def __len__(self) -> int:
        return len(self.events)

    def __repr__(self) -> str:
        return f"SealedTest({len(self)} samples, labels read {self.__reads} times)"

    @property
    def reads(self) -> int:
        """How often the labels were read."""
        return self.__reads

    def open(self) -> NDArray[np.int64]:
        """Break the seal: count one reading and return [sample] labels."""
        self.__reads += 1
        return self.__labels.copy()
