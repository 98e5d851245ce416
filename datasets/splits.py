"""Who is trained on, who is selected on, who is tested on."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, runtime_checkable

from hearspike.datasets.corpus import Recording
from hearspike.errors import InputError

Parts = dict[str, list[Recording]]
"""``train``, ``validation`` and ``test`` with their recordings."""


@runtime_checkable
class Split(Protocol):
    """A way to sort a corpus into training, validation and test."""

    def parts(self, recordings: Sequence[Recording]) -> Parts:
        """Sort recordings into parts, keeping their order; none is lost and none is in two parts."""


def describe_split(split: Split | None, parts: Parts) -> str:
    """Return a split as text for records: its name, its settings, and the checksum of what it gave.

    The checksum is over the keys of every part, so two splits of one name can be told apart. Parts that
    were found as they are, without a split, have the name ``Files``.
    """
    keys = {part: [recording.key for recording in recordings] for part, recordings in parts.items()}
    sha256 = hashlib.sha256(json.dumps(keys, sort_keys=True).encode()).hexdigest()
    settings = {} if split is None else asdict(split)  # type: ignore[call-overload]  # splits are dataclasses
    name = "Files" if split is None else type(split).__name__
    return json.dumps({"name": name, **settings, "sha256": sha256}, sort_keys=True)


@dataclass(frozen=True)
class HeldOutSpeakers:
    """Validation and test by speakers of whom training hears nothing.

    A random split has the same voices on both sides and flatters every model; selecting on it has
    cost published work several points on unseen speakers.

    Parameters
    ----------
    validation, test
        Names of the speakers of each part; all others are trained on.
    """

    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        both = set(self.validation) & set(self.test)
        if both:
            raise InputError("split", sorted(both), "each speaker in one part only")
        for name in ("validation", "test"):
            if not getattr(self, name):
                raise InputError(f"split.{name}", "no speaker", "at least one speaker")

    def parts(self, recordings: Sequence[Recording]) -> Parts:
        """Sort recordings into ``train``, ``validation`` and ``test``, keeping their order.

        Raises
        ------
        InputError
            If a named speaker has no recording or nobody is left to train on.
        """
        known = sorted({recording.speaker for recording in recordings})
        for name in ("validation", "test"):
            for speaker in getattr(self, name):
                if speaker not in known:
                    raise InputError(f"split.{name}", speaker, f"one of the speakers {', '.join(known)}")
        part_of = dict.fromkeys(known, "train")
        part_of |= dict.fromkeys(self.validation, "validation") | dict.fromkeys(self.test, "test")
        parts: dict[str, list[Recording]] = {"train": [], "validation": [], "test": []}
        for recording in recordings:
            parts[part_of[recording.speaker]].append(recording)
        if not parts["train"]:
            raise InputError("split", "every speaker held out", "at least one speaker to train on")
        return parts
