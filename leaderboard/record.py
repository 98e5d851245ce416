"""The record of a run: one JSON file that says all that a table needs and all that a rerun needs."""

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hearspike.errors import InputError
from hearspike.files import new_file
from hearspike.leaderboard.metrics import Metric

SCHEMA = "hearspike-record/1"
FILE_NAME = "record.json"
MACHINE_DEPENDENT = ("paths",)
"""Parts of the configuration that differ between computers and say nothing about the result."""


@dataclass(frozen=True)
class Record:
    """One run, complete or failed.

    Parameters
    ----------
    status
        ``complete`` or ``failed``.
    reason
        Why it failed.
    task
        Name, checksums of the files, numbers of samples and classes, test speakers.
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
    chips
        For emulated chips: their number, seed, profile, and the accuracy of each.
    phases
        Seconds that each phase took, by a monotonic clock.
    notes
        What else a reader should know.
    test_reads
        How often the labels of the test set were read.
    machine, versions, git
        Where the run was made.
    created
        When, in UTC.
    """

    status: str
    reason: str | None
    task: dict[str, Any]
    model: str
    backend: str
    seed: int
    config: dict[str, Any]
    metrics: dict[str, Metric] = field(default_factory=dict)
    layer_spikes: dict[str, float] = field(default_factory=dict)
    chips: dict[str, Any] | None = None
    phases: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    test_reads: int = 0
    machine: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)
    git: dict[str, Any] | None = None
    created: str = ""


def config_sha256(config: dict[str, Any], *, without: tuple[str, ...] = ()) -> str:
    """Return a checksum of a configuration that is the same on every computer.

    Left out are folders, and the top-level keys in ``without``.
    """
    kept = {key: value for key, value in config.items() if key not in (*MACHINE_DEPENDENT, *without)}
    dataset = kept.get("dataset")
    if isinstance(dataset, dict):
        kept["dataset"] = {key: value for key, value in dataset.items() if key != "root"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def write_record(record: Record, folder: Path) -> Path:
    """Write ``record.json`` into a folder, whole or not at all."""
    path = folder / FILE_NAME
    content = {"schema": SCHEMA, "config_sha256": config_sha256(record.config), **dataclasses.asdict(record)}
    text = json.dumps(_finite(content), indent=2, sort_keys=True, allow_nan=False) + "\n"
    with new_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _finite(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Refuse numbers that JSON cannot hold, rather than write NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError("record", value, "finite numbers only")
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def read_record(path: Path) -> Record:
    """Read a record and check its form.

    Raises
    ------
    InputError
        If the file is no JSON, has another schema, or lacks or adds a field.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(path, f"a file that cannot be read ({error})", f"a record, {SCHEMA}") from error
    schema = content.pop("schema", None) if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise InputError(path, f"schema {schema}", SCHEMA)
    checksum = content.pop("config_sha256", None)
    names = {item.name for item in dataclasses.fields(Record)}
    if set(content) != names:
        raise InputError(
            path, f"fields {sorted(set(content) ^ names)} too many or missing", "a record's fields"
        )
    if checksum != config_sha256(content["config"]):
        raise InputError(path, f"config_sha256 {checksum}", config_sha256(content["config"]))
    metrics = {name: Metric(**metric) for name, metric in content.pop("metrics").items()}
    return Record(**content, metrics=metrics)


def read_records(folder: Path) -> list[Record]:
    """Read every record below a folder, in the order of their paths.

    Raises
    ------
    InputError
        If the folder does not exist, or a record cannot be read.
    """
    if not folder.is_dir():
        raise InputError("--runs", str(folder), "a folder with runs (hearspike evaluate makes one)")
    return [read_record(path) for path in sorted(folder.rglob(FILE_NAME))]
