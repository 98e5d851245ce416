"""Splits by choice: the published one, one speaker left out, by name, at random, or in folds."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hearspike.datasets.corpus import Recording
from hearspike.datasets.splits import HeldOutSpeakers, Parts
from hearspike.errors import InputError


@dataclass(frozen=True)
class Published:
    """The split that the corpus was published with.

    Parameters
    ----------
    validation
        Speakers to take from training for validation, where the corpus has no validation part of its own.
    """

    validation: tuple[str, ...] = ()

    def parts(self, recordings: Sequence[Recording]) -> Parts:
        """Sort recordings by their own ``part``.

        Raises
        ------
        InputError
            If a recording has none, a part stays empty, or there are two sources of validation data.
        """
        for recording in recordings:
            if recording.part is None:
                raise InputError(
                    "split", f"no published part of {recording.key}", "a part of every recording"
                )
        published = {recording.part for recording in recordings}
        if ("validation" in published) == bool(self.validation):
            raise InputError(
                "split.validation",
                list(self.validation),
                "no speakers, since the corpus has a validation part"
                if self.validation
                else "speakers to take from training, since the corpus has no validation part",
            )
        training = {recording.speaker for recording in recordings if recording.part == "train"}
        for speaker in self.validation:
            if speaker not in training:
                raise InputError("split.validation", speaker, f"some of {', '.join(sorted(training)[:40])}")
        moved = [
            replace(item, part="validation")
            if item.part == "train" and item.speaker in self.validation
            else item
            for item in recordings
        ]
        return _complete({name: [item for item in moved if item.part == name] for name in _NAMES})


@dataclass(frozen=True)
class LeaveOneSpeakerOut:
    """Test on one speaker, select on the next, train on all others; every speaker has a fold.

    Parameters
    ----------
    fold
        Number of the test speaker among the sorted names, from 0.
    """

    fold: int

    def parts(self, recordings: Sequence[Recording]) -> Parts:
        """Sort recordings by speaker.

        Raises
        ------
        InputError
            If there is no such speaker, or fewer than three speakers.
        """
        speakers = sorted({recording.speaker for recording in recordings})
        if len(speakers) < 3:
            raise InputError("split", f"{len(speakers)} speakers", "at least 3")
        if not 0 <= self.fold < len(speakers):
            raise InputError("split.fold", self.fold, f"0 to {len(speakers) - 1}, one fold for each speaker")
        selected = speakers[(self.fold + 1) % len(speakers)]
        return HeldOutSpeakers(validation=(selected,), test=(speakers[self.fold],)).parts(recordings)


@dataclass(frozen=True)
class MatchingKeys:
    """Validation and test by what recordings are called.

    Parameters
    ----------
    validation, test
        Regular expressions; a recording belongs to the part whose expression is found in its key, and
        to training if none is.
    """

    validation: str
    test: str

    def __post_init__(self) -> None:
        for name in ("validation", "test"):
            try:
                re.compile(getattr(self, name))
            except re.error as error:
                raise InputError(
                    f"split.{name}", getattr(self, name), f"a regular expression ({error})"
                ) from None

    def parts(self, recordings: Sequence[Recording]) -> Parts:
        """Sort recordings by their keys.

        Raises
        ------
        InputError
            If a key fits both expressions, or a part stays empty.
        """
        part_of = []
        for recording in recordings:
            fitting = [
                name for name in ("validation", "test") if re.search(getattr(self, name), recording.key)
            ]
            if len(fitting) > 1:
                raise InputError("split", f"{recording.key} in both parts", "each recording in one part")
            part_of.append(fitting[0] if fitting else "train")
        return _by_name(recordings, part_of)


@dataclass(frozen=True)
class RandomSplit:
    """Shares of every class at random, with the same speakers on all sides: flattering, for comparison.

    Parameters
    ----------
    validation, test
        Share of each part, above 0; what is left is trained on.
    seed
        Seed of the choice.
    """

    validation: float
    test: float
    seed: int

    def __post_init__(self) -> None:
        if not (self.validation > 0.0 and self.test > 0.0 and self.validation + self.test < 1.0):
            raise InputError(
                "split.validation, split.test",
                (self.validation, self.test),
                "shares above 0, below 1 together",
            )

    def parts(self, recordings: Sequence[Recording]) -> Parts:
        """Sort recordings into parts, class by class."""
        places = _shuffled_places(recordings, self.seed)
        part_of = [
            "test" if place < self.test else "validation" if place < self.test + self.validation else "train"
            for place in places
        ]
        return _by_name(recordings, part_of)


@dataclass(frozen=True)
class KFold:
    """Test on one of several equal shares of every class, select on the next, train on the others.

    Parameters
    ----------
    folds
        Number of shares, at least 3.
    fold
        Which of them to test on, from 0.
    seed
        Seed of the choice.
    """

    folds: int
    fold: int
    seed: int

    def __post_init__(self) -> None:
        if self.folds < 3:
            raise InputError("split.folds", self.folds, "at least 3")
        if not 0 <= self.fold < self.folds:
            raise InputError("split.fold", self.fold, f"0 to {self.folds - 1}")

    def parts(self, recordings: Sequence[Recording]) -> Parts:
        """Sort recordings into parts, class by class."""
        shares = [int(place * self.folds) for place in _shuffled_places(recordings, self.seed)]
        name_of = {self.fold: "test", (self.fold + 1) % self.folds: "validation"}
        return _by_name(recordings, [name_of.get(share, "train") for share in shares])


_NAMES = ("train", "validation", "test")


def _shuffled_places(recordings: Sequence[Recording], seed: int) -> list[float]:
    """Place of every recording in its shuffled class, between 0 and 1.

    The order is that of a checksum of seed and key: it does not hang on the order of the files.
    """
    sums = [hashlib.sha256(f"{seed}/{recording.key}".encode()).hexdigest() for recording in recordings]
    places = [0.0] * len(recordings)
    for label in {recording.label for recording in recordings}:
        members = [index for index, recording in enumerate(recordings) if recording.label == label]
        for rank, index in enumerate(sorted(members, key=sums.__getitem__)):
            places[index] = (rank + 0.5) / len(members)
    return places


def _by_name(recordings: Sequence[Recording], part_of: Sequence[str]) -> Parts:
    pairs = list(zip(recordings, part_of, strict=True))
    return _complete({name: [item for item, part in pairs if part == name] for name in _NAMES})


def _complete(parts: Parts) -> Parts:
    for name, recordings in parts.items():
        if not recordings:
            raise InputError("split", f"no recording for {name}", "at least one recording in every part")
    return parts
