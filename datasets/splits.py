"""Who is trained on, who is selected on, who is tested on."""

from collections.abc import Sequence
from dataclasses import dataclass

from hearspike.datasets.corpus import Recording
from hearspike.errors import InputError


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

    def parts(self, recordings: Sequence[Recording]) -> dict[str, list[Recording]]:
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
