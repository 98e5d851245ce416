"""The Free Spoken Digit Dataset: real speech, ten English digits."""

import re
from dataclasses import dataclass
from pathlib import Path

from hearspike.datasets.corpus import Recording
from hearspike.errors import InputError

FILE_NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>[a-z]+)_(?P<take>\d+)")

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")


@dataclass(frozen=True)
class FSDD:
    """A folder with the recordings of the Free Spoken Digit Dataset.

    Parameters
    ----------
    root
        The folder of the recordings, or the unpacked repository with its folder ``recordings``.
        Files are named ``{digit}_{speaker}_{take}.wav`` or ``.flac``.
    takes
        Use only takes 0 to ``takes`` - 1 of each speaker and digit; None for all.

    Raises
    ------
    InputError
        If a file's name does not tell digit, speaker and take, or there is no recording.
    """

    root: Path
    takes: int | None

    name = "fsdd"
    classes = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    licence = "CC-BY-SA-4.0"
    citation = "Z. Jackson et al., Free Spoken Digit Dataset, doi:10.5281/zenodo.1342401"

    def genders(self) -> dict[str, str]:
        """Return what the set's own list of speakers says: all are male."""
        return dict.fromkeys(SPEAKERS, "male")

    def recordings(self, folder: Path) -> list[Recording]:
        """Return the recordings by digit, speaker and take; ``folder`` stays empty."""
        root = Path(self.root)
        root = root / "recordings" if (root / "recordings").is_dir() else root
        files = [path for path in root.glob("*") if path.suffix in (".wav", ".flac")]
        if not files:
            raise InputError(
                "corpus.root", str(root), "a folder with files such as 7_jackson_3.wav or 7_jackson_3.flac"
            )
        found = []
        for path in files:
            match = FILE_NAME.fullmatch(path.stem)
            if match is None:
                raise InputError(path, path.name, "a name such as 7_jackson_3.wav: digit, speaker, take")
            digit, speaker, take = int(match["digit"]), match["speaker"], int(match["take"])
            if self.takes is None or take < self.takes:
                found.append((digit, speaker, take, path))
        return [
            Recording(f"{digit}_{speaker}_{take}", path, digit, speaker)
            for digit, speaker, take, path in sorted(found)
        ]
