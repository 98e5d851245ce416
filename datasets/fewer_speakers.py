"""A split for one question: how much better strangers are understood the more voices were trained on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from hearspike.datasets.corpus import Recording
from hearspike.datasets.splits import HeldOutSpeakers, Parts
from hearspike.errors import InputError


@dataclass(frozen=True)
class FewerSpeakers:
    """Train on some of the speakers, with the same number of recordings however many they are.

    The test set holds other speakers, and for comparison held-out recordings of those trained on. What
    is needed for neither is left out, unlike in other splits.

    Parameters
    ----------
    speakers
        Number of speakers to train on.
    rotation
        Which: so many of the sorted names from this place on, in a circle.
    recordings
        Number of recordings to train on in all, as equal over speakers and classes as can be.
    known_share
        Share of each training speaker's recordings of each class that is tested on instead.
    validation, test
        Names of the speakers of these parts, who are never trained on.
    """

    speakers: int
    rotation: int
    recordings: int
    known_share: float
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        for name, least in (("speakers", 1), ("rotation", 0), ("recordings", 1)):
            if getattr(self, name) < least:
                raise InputError(f"split.{name}", getattr(self, name), f"at least {least}")
        if not 0.0 < self.known_share < 1.0:
            raise InputError("split.known_share", self.known_share, "a share between 0 and 1")

    def parts(self, recordings: Sequence[Recording]) -> Parts:
        """Sort recordings into parts, keeping their order.

        Raises
        ------
        InputError
            If there are fewer speakers, or fewer recordings of those chosen, than asked for.
        """
        parts = HeldOutSpeakers(validation=self.validation, test=self.test).parts(recordings)
        names = sorted({recording.speaker for recording in parts["train"]})
        if self.speakers > len(names):
            raise InputError("split.speakers", self.speakers, f"at most {len(names)}, who are {names}")
        chosen = [names[(self.rotation + number) % len(names)] for number in range(self.speakers)]
        training, known = [], set[str]()
        for group in self._groups(parts["train"], chosen):
            held_out = round(self.known_share * len(group))
            known |= {recording.key for recording in group[:held_out]}
            training.append(group[held_out:])
        picked = self._pick(training)
        return {
            "train": [recording for recording in parts["train"] if recording.key in picked],
            "validation": parts["validation"],
            "test": [
                recording
                for recording in recordings
                if recording.key in known or recording.speaker in self.test
            ],
        }

    def _groups(self, recordings: Sequence[Recording], chosen: Sequence[str]) -> list[list[Recording]]:
        """Return the recordings of each class and chosen speaker, in the order of a checksum."""
        groups: dict[tuple[int, str], list[Recording]] = {}
        for recording in sorted(recordings, key=lambda item: hashlib.sha256(item.key.encode()).digest()):
            if recording.speaker in chosen:
                groups.setdefault((recording.label, recording.speaker), []).append(recording)
        return [groups[key] for key in sorted(groups)]

    def _pick(self, groups: Sequence[Sequence[Recording]]) -> set[str]:
        """Take one recording of each group in turn until there are enough."""
        picked: list[str] = []
        for turn in range(max(len(group) for group in groups)):
            picked += [group[turn].key for group in groups if turn < len(group)]
        if len(picked) < self.recordings:
            raise InputError("split.recordings", self.recordings, f"at most {len(picked)}")
        return set(picked[: self.recordings])
