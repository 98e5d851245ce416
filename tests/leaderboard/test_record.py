"""A record reads back as it was written, and a damaged one is refused by name."""

import json
from pathlib import Path

import pytest

from hearspike.errors import InputError
from hearspike.leaderboard.metrics import Metric
from hearspike.leaderboard.record import Record, config_sha256, read_record, read_records, write_record

CONFIG = {
    "dataset": {"name": "digits", "root": "/a", "test": "test.h5"},
    "model": {"name": "svm"},
    "paths": {"runs": "/b"},
    "seed": 0,
}


def record(**changes: object) -> Record:
    fields: dict[str, object] = {
        "status": "complete",
        "reason": None,
        "task": {"name": "digits", "sha256": {"test.h5": "ab" * 32}},
        "model": "svm",
        "backend": "software",
        "seed": 0,
        "config": CONFIG,
        "metrics": {"accuracy": Metric(0.5, "1", "higher")},
        **changes,
    }
    return Record(**fields)  # type: ignore[arg-type]


def test_round_trip(tmp_path: Path) -> None:
    """Everything but tuples, which JSON has not, comes back equal."""
    path = write_record(record(), tmp_path)
    assert read_record(path) == record()
    assert read_records(tmp_path) == [record()]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "hearspike-record/9"}, "got schema hearspike-record/9, expected hearspike-record/1"),
        ({"extra": 1}, "fields"),
        ({"seed": None, "config": {**CONFIG, "seed": 3}}, "config_sha256"),
    ],
)
def test_changed_record_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    """Another schema, other fields, or a configuration that does not match its checksum."""
    path = write_record(record(), tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=message):
        read_record(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
def test_damaged_record_is_named(tmp_path: Path, text: str) -> None:
    """What is no record at all names its file."""
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(InputError, match=r"record\.json"):
        read_records(tmp_path)


def test_no_infinite_numbers(tmp_path: Path) -> None:
    """JSON has none; nothing is written."""
    with pytest.raises(InputError, match="finite"):
        write_record(record(metrics={"accuracy": Metric(float("nan"), "1", "higher")}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_checksum_of_a_configuration_knows_no_folders() -> None:
    """The same run on another computer has the same checksum, another seed has not."""
    elsewhere = {**CONFIG, "paths": {"runs": "/c"}, "dataset": {**CONFIG["dataset"], "root": "/d"}}  # type: ignore[dict-item]
    assert config_sha256(elsewhere) == config_sha256(CONFIG)
    assert config_sha256({**CONFIG, "seed": 1}) != config_sha256(CONFIG)
    assert config_sha256({**CONFIG, "seed": 1}, without=("seed",)) == config_sha256(CONFIG, without=("seed",))
