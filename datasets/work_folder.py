"""The folder in which a generation job keeps what it has finished, so that it can be stopped at any time.

Beside the folder ``out`` lies ``out.work-CHECKSUM``, where the checksum is that of the job's plan: jobs
with other settings never share a folder. In it,

=====================  ============================================================================
``plan.json``          everything that the spike files hold besides the spikes
``spikes/ab/….npz``    one finished utterance each, named by the checksum of its key
``failures….csv``      utterances that could not be converted, and why
=====================  ============================================================================

Every file is written under another name and renamed, so one that is there is whole.
"""

import csv
import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearspike.errors import InputError


@dataclass(frozen=True)
class Sample:
    """One utterance of the plan.

    Parameters
    ----------
    key
        Name of the recording.
    label, speaker
        Indices into the plan's classes and speakers.
    start, end
        The stretch of the audio file [s]; see `hearspike.datasets.Recording`.
    """

    key: str
    label: int
    speaker: int
    start: float
    end: float | None


@dataclass(frozen=True)
class Plan:
    """What a job is to write.

    Parameters
    ----------
    parts
        Part (``train``, ``validation``, ``test``) → its samples, in the order of the file.
    classes, speakers
        Names.
    genders
        Of each speaker, ``unknown`` where it is.
    attributes
        Attributes of every file. They name the settings of the converter and the cuts, so that the
        plan's checksum covers them.
    time_type
        Type of the spike times.
    channels
        Number of channels.
    """

    parts: dict[str, tuple[Sample, ...]]
    classes: tuple[str, ...]
    speakers: tuple[str, ...]
    genders: tuple[str, ...]
    attributes: dict[str, str]
    time_type: str
    channels: int

    def to_json(self) -> str:
        """Return the plan as text, always the same."""
        return json.dumps(asdict(self), ensure_ascii=False)  # in the order in which it is to be written

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Return the plan that `to_json` wrote."""
        fields = json.loads(text)
        fields["parts"] = {
            part: tuple(Sample(**sample) for sample in samples) for part, samples in fields["parts"].items()
        }
        names = {name: tuple(fields[name]) for name in ("classes", "speakers", "genders")}
        return cls(**{**fields, **names})

    @property
    def sha256(self) -> str:
        """Checksum of the plan."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


@dataclass(frozen=True)
class StoredSpikes:
    """A finished utterance: its spikes and the checksum of the audio they were made from."""

    times: NDArray[np.floating]
    units: NDArray[np.uint16]
    sha256: str


@dataclass(frozen=True)
class WorkFolder:
    """A job's folder of finished utterances."""

    path: Path

    @classmethod
    def of(cls, out: Path, plan: Plan) -> "WorkFolder":
        """Return the folder of the job that makes ``out`` by this plan, made or not."""
        return cls(out.parent / f"{out.name}.work-{plan.sha256[:16]}")

    @classmethod
    def only(cls, out: Path) -> "WorkFolder":
        """Return the one work folder beside ``out``.

        Raises
        ------
        InputError
            If there is none, or there are several.
        """
        found = sorted(
            path for path in out.parent.glob(f"{out.name}.work-*") if (path / "plan.json").is_file()
        )
        if len(found) != 1:
            names = ", ".join(path.name for path in found) or "none"
            raise InputError(
                out, f"{len(found)} unfinished jobs ({names})", "one job with its shards beside it"
            )
        return cls(found[0])

    def begin(self, plan: Plan) -> None:
        """Make the folder if needed and keep the plan in it."""
        self.path.mkdir(parents=True, exist_ok=True)
        _write_whole(self.path / "plan.json", plan.to_json().encode())

    def plan(self) -> Plan:
        """Return the plan of the job."""
        return Plan.from_json((self.path / "plan.json").read_text(encoding="utf-8"))

    def _file(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self.path / "spikes" / name[:2] / f"{name[2:]}.npz"

    def holds(self, key: str) -> bool:
        """Tell whether there is a file for this utterance."""
        return self._file(key).is_file()

    def store(self, key: str, spikes: StoredSpikes) -> None:
        """Keep a finished utterance."""
        path = self._file(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.partial")
        try:
            with temporary.open("wb") as file:
                np.savez(file, times=spikes.times, units=spikes.units, sha256=np.array(spikes.sha256))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def load(self, key: str) -> StoredSpikes | None:
        """Return a finished utterance, or None if there is none or its file is damaged."""
        try:
            with self._file(key).open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                return StoredSpikes(file["times"], file["units"], str(file["sha256"]))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def report(self, name: str, failures: Sequence[tuple[str, str, str]]) -> Path:
        """Write the list of failures: key, file and reason of each; return where."""
        text = io.StringIO(newline="")
        csv.writer(text).writerows([("key", "file", "reason"), *failures])
        path = self.path / f"{name}.csv"
        _write_whole(path, text.getvalue().encode())
        return path

    def remove(self) -> None:
        """Remove the folder with everything in it."""
        shutil.rmtree(self.path)


def _write_whole(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.partial")
    temporary.write_bytes(content)
    temporary.replace(path)
