"""Speech Commands: 35 English words by thousands of speakers (P. Warden, arXiv:1804.03209)."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from hearspike.datasets.corpus import Recording
from hearspike.errors import InputError

FILE_NAME = re.compile(r"(?P<speaker>[0-9a-f]+)_nohash_(?P<take>\d+)")
LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}

LARGEST_BUCKET = 2**27 - 1
"""Speakers are spread over this many values and one more; see the data set's README."""


@dataclass(frozen=True)
class SpeechCommands:
    """The unpacked archive of Speech Commands, version 0.02 or another.

    Every recording comes with the part that the data set's own lists give it, so that ``Published`` is
    a split of it; the lists keep all recordings of a speaker together.

    Parameters
    ----------
    root
        The folder with one folder for each word.
    assignment
        ``lists``: validation and test are what ``validation_list.txt`` and ``testing_list.txt`` name.
        ``hash``: they are found by the published rule, `speaker_part`, which also serves for
        recordings that were added later.
    validation_percent, test_percent
        Shares of that rule; 10 and 10 in the lists.

    Raises
    ------
    InputError
        If the folder, a list or a file of it is missing, or a file's name does not tell the speaker.
    """

    root: Path
    assignment: str
    validation_percent: float
    test_percent: float

    name = "speech_commands"
    licence = "CC-BY-4.0"
    citation = (
        "P. Warden, Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition, arXiv:1804.03209"
    )

    def __post_init__(self) -> None:
        if self.assignment not in ("lists", "hash"):
            raise InputError("corpus.assignment", self.assignment, "lists or hash")

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the folders, sorted, without ``_background_noise_``."""
        root = Path(self.root)
        names = sorted(path.name for path in root.glob("*") if path.is_dir() and path.name[0] not in "._")
        if not names:
            raise InputError("corpus.root", str(root), "the unpacked archive: a folder for each word")
        return tuple(names)

    def genders(self) -> dict[str, str]:
        """Return nothing: it is not known of anybody."""
        return {}

    def recordings(self, folder: Path) -> list[Recording]:
        """Return the recordings by word and file name; ``folder`` stays empty.

        The speaker is the hash that the file's name starts with.
        """
        root = Path(self.root)
        listed = self._listed(root) if self.assignment == "lists" else {}
        found = []
        for label, word in enumerate(self.classes):
            for path in sorted((root / word).glob("*.wav")):
                match = FILE_NAME.fullmatch(path.stem)
                if match is None:
                    raise InputError(path, path.name, "a name such as 0a7c2a8d_nohash_0.wav: speaker, take")
                key, speaker = f"{word}/{path.name}", match["speaker"]
                if self.assignment == "lists":
                    part = listed.pop(key, "train")
                else:
                    part = speaker_part(
                        speaker, validation_percent=self.validation_percent, test_percent=self.test_percent
                    )
                found.append(Recording(key, path, label, speaker, part=part))
        if listed:
            raise InputError(
                root, f"no file {next(iter(listed))}", f"all that {' and '.join(LISTS.values())} name"
            )
        if not found:
            raise InputError("corpus.root", str(root), "files such as zero/0a7c2a8d_nohash_0.wav")
        return found

    def _listed(self, root: Path) -> dict[str, str]:
        """Part of every file that a list names."""
        parts: dict[str, str] = {}
        for part, name in LISTS.items():
            try:
                lines = (root / name).read_text(encoding="utf-8").split()
            except OSError:
                raise InputError(root / name, "no such file", "the list of the archive") from None
            for line in lines:
                if parts.setdefault(line, part) != part:
                    raise InputError(root / name, f"{line}, which the other list has too", "each file once")
        return parts


def speaker_part(speaker: str, *, validation_percent: float, test_percent: float) -> str:
    r"""Return the part of a speaker by the rule of the data set's README.

    With :math:`h` the SHA-1 of the speaker's name as a number and :math:`M = 2^{27}`, the speaker's
    percentage is :math:`100 (h \bmod M) / (M - 1)`. The first ``validation_percent`` are for validation,
    the next ``test_percent`` for test, all others for training. So a speaker keeps the part when
    recordings are added.

    Parameters
    ----------
    speaker
        What stands before ``_nohash_`` in the file's name.
    validation_percent, test_percent
        Shares of the parts.
    """
    number = int(hashlib.sha1(speaker.encode(), usedforsecurity=False).hexdigest(), 16)
    percentage = (number % (LARGEST_BUCKET + 1)) * (100.0 / LARGEST_BUCKET)
    if percentage < validation_percent:
        return "validation"
    return "test" if percentage < validation_percent + test_percent else "train"
