"""The record of a run: one JSON file that says all that a table needs and all that a rerun needs.

`Record` is the schema. ``record.schema.json`` beside this module is the same as JSON Schema, for readers in
other languages; ``python -m hearspike.leaderboard.record_schema`` prints it.
"""

import dataclasses
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Required

# pydantic refuses typing's own TypedDict before Python 3.12.
from typing_extensions import TypedDict

from hearspike.errors import InputError
from hearspike.leaderboard.metrics import Metric
from hearspike.leaderboard.run_lock import is_held

if TYPE_CHECKING:
    from pydantic import TypeAdapter

SCHEMA = "hearspike-record/2"
FILE_NAME = "record.json"
MACHINE_DEPENDENT = ("paths", "resume")
"""Parts of the configuration that say nothing about the result: where it lies, whether it is made anew."""

FOLDERS = ("root", "cache")
"""Entries of a data set's configuration that are folders."""

Status = Literal["running", "complete", "failed", "interrupted"]


class TaskEntry(TypedDict, total=False):
    """What was to be learnt. Only the name is known to a run that ended before it read data.

    Parameters
    ----------
    name
        Name of the task.
    sha256
        Checksum of each data file, by its name.
    split
        How the data were split.
    classes
        Names of the classes, in the order of the labels.
    samples
        Number of samples of train, validation and test.
    speakers
        Numbers of the speakers of each part.
    input_spikes_per_sample
        Mean number of input spikes of each part.
    """

    name: Required[str]
    sha256: dict[str, str]
    split: dict[str, Any]
    classes: list[str]
    samples: dict[str, int]
    speakers: dict[str, list[int]]
    input_spikes_per_sample: dict[str, float]


class ChipsEntry(TypedDict, total=False):
    """The emulated chips of a run.

    Parameters
    ----------
    chips
        How many.
    accuracies
        Accuracy of each chip.
    chip_seed
        Seed of the fixed-pattern variation.
    seen_in_training
        How many of the chips were in the loop when the model was trained.
    profile
        Name, spreads and noise of the chips.
    time_on_chip_s
        Seconds that a sample occupies a chip.
    calibration
        Targets and checksum of the calibration that the chips have, if they have one.
    """

    chips: Required[int]
    accuracies: Required[list[float]]
    chip_seed: int
    seen_in_training: int
    profile: dict[str, Any]
    time_on_chip_s: float | None
    calibration: dict[str, Any] | None


@dataclass(frozen=True)
class Record:
    """One run, whatever became of it.

    Parameters
    ----------
    status
        ``running``, ``complete``, ``failed`` or ``interrupted``. A running record whose process is gone
        counts as interrupted.
    reason
        Why the run failed or was interrupted.
    task
        What was to be learnt.
    model, backend
        Their names.
    seed
        Seed of training and of trial-to-trial noise.
    config
        The whole configuration, resolved.
    metrics
        Scores by name.
    layer_spikes
        Layer → mean number of spikes per sample.
    history
        Quantity → its value after each epoch of training.
    confusion
        [true class][answer] Number of test samples, summed over chips.
    chips
        The emulated chips, null in software.
    phases
        Seconds that each phase took, by a monotonic clock.
    notes
        What else a reader should know.
    test_reads
        How often the labels of the test set were read.
    files
        Name → SHA-256 of each file beside the record.
    machine, versions, git
        Where the run was made.
    created
        When the record was written, in UTC.
    """

    status: Status
    reason: str | None
    task: TaskEntry
    model: str
    backend: str
    seed: int
    config: dict[str, Any]
    metrics: dict[str, Metric] = field(default_factory=dict)
    layer_spikes: dict[str, float] = field(default_factory=dict)
    history: dict[str, list[float | None]] = field(default_factory=dict)
    confusion: list[list[int]] | None = None
    chips: ChipsEntry | None = None
    phases: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    test_reads: int = 0
    files: dict[str, str] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str | None] = field(default_factory=dict)
    git: dict[str, Any] | None = None
    created: str = ""


@cache
def record_adapter() -> "TypeAdapter[Record]":
    """Return the validator of records: strict types, finite numbers, no unknown field."""
    from pydantic import ConfigDict, TypeAdapter, with_config

    for part in (Record, Metric):
        with_config(ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))(part)
    for entry in (TaskEntry, ChipsEntry):
        with_config(ConfigDict(extra="allow", strict=True, allow_inf_nan=False))(entry)
    return TypeAdapter(Record)


def config_sha256(config: dict[str, Any], *, without: tuple[str, ...] = ()) -> str:
    """Return a checksum of a configuration that is the same on every computer.

    Left out are folders, and the top-level keys in ``without``.
    """
    kept = {key: value for key, value in config.items() if key not in (*MACHINE_DEPENDENT, *without)}
    dataset = kept.get("dataset")
    if isinstance(dataset, dict):
        kept["dataset"] = {key: value for key, value in dataset.items() if key not in FOLDERS}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def write_record(record: Record, folder: Path) -> Path:
    """Write ``record.json`` into a folder, whole or not at all, with the checksums of the files beside it.

    Write those files first. Only the record of a run that has not ended may be replaced.

    Raises
    ------
    InputError
        If the record breaks the schema, or the folder holds the record of a run that has ended.
    """
    path = folder / FILE_NAME
    if path.exists() and read_record(path).status != "running":
        raise InputError(path, "the record of a run that has ended", "a new folder, or remove this one first")
    record = dataclasses.replace(record, files=file_checksums(folder))
    content = {
        "schema": SCHEMA,
        "config_sha256": config_sha256(record.config),
        **_plain(dataclasses.asdict(record)),
    }
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"
    parse_record(text, path)
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".record-", suffix=".partial", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    return path


def _plain(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Return tuples as lists; refuse numbers that JSON cannot hold, rather than write NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError("record", value, "finite numbers only")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def file_checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a run's folder but the record and hidden files."""
    if not folder.is_dir():
        return {}
    names = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in names if path.name != FILE_NAME
    }


def read_record(path: Path) -> Record:
    """Read a record and check its form.

    Raises
    ------
    InputError
        If the file is no JSON, has a schema that is not known, or breaks it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, f"a file that cannot be read ({error})", f"a record, {SCHEMA}") from error
    return parse_record(text, path)


def parse_record(text: str, path: Path) -> Record:
    """Return the record that a text holds; ``path`` names it in errors. Version 1 is brought up to date.

    Raises
    ------
    InputError
        As `read_record`.
    """
    import pydantic

    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(path, f"a file that cannot be read ({error})", f"a record, {SCHEMA}") from error
    schema = content.pop("schema", None) if isinstance(content, dict) else None
    if schema not in (SCHEMA, "hearspike-record/1"):
        raise InputError(path, f"schema {schema}", f"{SCHEMA} or hearspike-record/1")
    # Version 1 had no history, confusion or files; their defaults say just that.
    checksum = content.pop("config_sha256", None)
    try:
        record = record_adapter().validate_json(json.dumps(content))
    except pydantic.ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(str(part) for part in detail["loc"])
        raise InputError(
            path, f"{place}: {detail['msg'].lower()}", f"a record that keeps {SCHEMA}"
        ) from error
    if checksum != config_sha256(record.config):
        raise InputError(path, f"config_sha256 {checksum}", config_sha256(record.config))
    return record


def record_paths(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the entry of every record below a folder; a folder with a record is not searched further."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    record = next((entry for entry in entries if entry.name == FILE_NAME and entry.is_file()), None)
    if record:
        yield record
        return
    for entry in entries:
        if entry.is_dir() and not entry.name.startswith("."):
            yield from record_paths(Path(entry.path))


def settled(record: Record, folder: Path) -> Record:
    """Return a run that says it is running as interrupted if no process is at work in its folder."""
    if record.status != "running" or is_held(folder):
        return record
    record = read_record(folder / FILE_NAME)  # it may have ended since
    if record.status != "running":
        return record
    return dataclasses.replace(record, status="interrupted", reason="its process ended without a word")
