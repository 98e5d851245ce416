"""The Heidelberg Digits: the recordings that SHD was made of (Cramer et al., IEEE TNNLS 33:2744, 2022)."""

import re
from dataclasses import dataclass
from pathlib import Path

from hearspike.datasets.corpus import Recording
from hearspike.errors import InputError

FILE_NAME = re.compile(
    r"lang-(?P<language>english|german)_speaker-(?P<speaker>\d+)_trial-(?P<trial>\d+)_digit-(?P<digit>\d)"
)
LISTS = {"train": "train_filenames.txt", "test": "test_filenames.txt"}
LANGUAGES = ("english", "german")


@dataclass(frozen=True)
class HeidelbergDigits:
    """The unpacked archive of the Heidelberg Digits.

    Where the archive's own lists of files are there, every recording comes with the part that they
    give it, so that ``Published`` is a split of it.

    Parameters
    ----------
    root
        The folder with the recordings, or one above it. Files are named
        ``lang-{language}_speaker-{number}_trial-{number}_digit-{digit}.flac``.

    Raises
    ------
    InputError
        If a file's name does not tell these, or there is no recording.
    """

    root: Path

    name = "heidelberg_digits"
    classes = (
        *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
        *("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
    )
    licence = "CC-BY-4.0"
    citation = (
        "B. Cramer, Y. Stradmann, J. Schemmel, F. Zenke, The Heidelberg Spiking Data Sets for the "
        "Systematic Evaluation of Spiking Neural Networks, IEEE TNNLS 33:2744, 2022"
    )

    def genders(self) -> dict[str, str]:
        """Return nothing: it is not known of anybody."""
        return {}

    def recordings(self, folder: Path) -> list[Recording]:
        """Return the recordings by language, speaker, digit and trial; ``folder`` stays empty.

        Labels are those of SHD: 0 to 9 in English, 10 to 19 in German.
        """
        root = Path(self.root)
        files = [path for path in root.rglob("*") if path.suffix in (".flac", ".wav")]
        if not files:
            example = "lang-english_speaker-00_trial-0_digit-0.flac"
            raise InputError("corpus.root", str(root), f"a folder with files such as {example}")
        listed = self._listed(root)
        found = []
        for path in files:
            match = FILE_NAME.fullmatch(path.stem)
            if match is None:
                raise InputError(
                    path, path.name, "a name such as lang-german_speaker-03_trial-7_digit-5.flac"
                )
            label = 10 * LANGUAGES.index(match["language"]) + int(match["digit"])
            order = (LANGUAGES.index(match["language"]), match["speaker"], label, int(match["trial"]))
            part = listed.get(path.stem)
            found.append((order, Recording(path.stem, path, label, match["speaker"], part=part)))
        return [recording for _, recording in sorted(found, key=lambda item: item[0])]

    def _listed(self, root: Path) -> dict[str, str]:
        """Part of every file that a list names, without its suffix."""
        parts: dict[str, str] = {}
        for part, name in LISTS.items():
            for path in root.rglob(name):
                for line in path.read_text(encoding="utf-8").split():
                    parts[Path(line).stem] = part
        return parts
