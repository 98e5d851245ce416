"""What a corpus of speech is: a list of labelled audio files, or of stretches of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Recording:
    """One utterance in one audio file.

    Parameters
    ----------
    key
        Unique and stable name of the utterance within its corpus; seeds and checksums hang on it.
    path
        The audio file.
    label
        Index into the corpus's ``classes``.
    speaker
        Who speaks.
    start
        Where the utterance starts in the file [s].
    end
        Where it ends [s]; None for the end of the file.
    part
        ``train``, ``validation`` or ``test`` where the corpus was published with a split, otherwise None.
    """

    key: str
    path: Path
    label: int
    speaker: str
    start: float = 0.0
    end: float | None = None
    part: str | None = None


@runtime_checkable
class Corpus(Protocol):
    """A source of recordings; one class and one YAML file for each."""

    @property
    def name(self) -> str:
        """Short name, which also names the task in tables."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in the order of the labels."""

    @property
    def licence(self) -> str:
        """Licence of the audio, as an SPDX identifier where there is one."""

    @property
    def citation(self) -> str:
        """Whom to cite for the audio."""

    def genders(self) -> Mapping[str, str]:
        """Return the gender of the speakers of whom it is known, by name: ``male``, ``female`` or another."""

    def recordings(self, folder: Path) -> Sequence[Recording]:
        """Return all utterances in a fixed order.

        Parameters
        ----------
        folder
            An empty folder that the corpus may fill with audio it makes; a corpus that reads
            recordings from disk leaves it alone.
        """
