"""Any set of recordings that a table lists."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hearspike.datasets.corpus import Recording
from hearspike.errors import InputError

COLUMNS = ("path", "start", "end", "label", "speaker")
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Manifest:
    """A CSV file with a line for each utterance.

    Its columns are ``path`` (from the file's own folder, or absolute), ``start`` and ``end`` (seconds;
    empty for the start and the end of the file), ``label`` (name of the class), ``speaker``, and, where
    they are known, ``part`` (``train``, ``validation`` or ``test`` of a published split) and ``gender``.

    Parameters
    ----------
    file
        The CSV file, in UTF-8.
    name
        Short name of the corpus.
    licence, citation
        Of the audio.

    Raises
    ------
    InputError
        If a column, a value or all lines are missing, or a number is none; names the line.
    """

    file: Path
    name: str
    licence: str
    citation: str

    @cached_property
    def _rows(self) -> list[dict[str, str]]:
        path = Path(self.file)
        if not path.is_file():
            raise InputError("corpus.file", str(path), f"a CSV file with the columns {', '.join(COLUMNS)}")
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                reader = csv.DictReader(file, strict=True)
                header = reader.fieldnames or []
                rows = list(reader)
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(path, f"what is no table ({error})", "CSV in UTF-8") from None
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise InputError(path, f"no column {', '.join(missing)}", f"the columns {', '.join(COLUMNS)}")
        if not rows:
            raise InputError(path, "no lines", "one line for each utterance")
        for number, row in enumerate(rows, start=1):
            if None in row or None in row.values():
                raise InputError(f"{path}, row {number}", "a wrong number of values", f"{len(header)} values")
            for name in ("path", "label", "speaker"):
                if not row[name].strip():
                    raise InputError(f"{path}, row {number}", f"no {name}", f"a {name}")
        return rows

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels, sorted."""
        return tuple(sorted({row["label"] for row in self._rows}))

    def genders(self) -> dict[str, str]:
        """Return what the column ``gender`` says.

        Raises
        ------
        InputError
            If it says two things of one speaker.
        """
        found: dict[str, str] = {}
        for number, row in enumerate(self._rows, start=1):
            gender = (row.get("gender") or "").strip()
            if gender and found.setdefault(row["speaker"], gender) != gender:
                raise InputError(
                    f"{self.file}, row {number}, gender", gender, f"{found[row['speaker']]}, as above"
                )
        return found

    def recordings(self, folder: Path) -> list[Recording]:
        """Return the utterances by their lines; ``folder`` stays empty."""
        label_of = {name: label for label, name in enumerate(self.classes)}
        found = []
        for number, row in enumerate(self._rows, start=1):
            place = f"{self.file}, row {number}"
            start, end = _seconds(row, "start", place) or 0.0, _seconds(row, "end", place)
            if end is not None and end <= start:
                raise InputError(place, f"end {end:g} after start {start:g}", "an end after the start")
            part = row.get("part") or None
            if part is not None and part not in PARTS:
                raise InputError(f"{place}, part", part, f"one of {', '.join(PARTS)}, or nothing")
            path = Path(self.file).parent / row["path"]
            key = f"{row['path']}#{start:g}-{'' if end is None else f'{end:g}'}"
            found.append(Recording(key, path, label_of[row["label"]], row["speaker"], start, end, part))
        return found


def _seconds(row: Mapping[str, str], column: str, place: str) -> float | None:
    text = row[column].strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value < math.inf:
        raise InputError(f"{place}, {column}", text, "seconds of at least 0, or nothing")
    return value
