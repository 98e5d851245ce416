"""A record reads back as it was written, and a damaged one is refused by name."""

import hashlib
import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearspike.errors import InputError
from hearspike.leaderboard.metrics import Metric
from hearspike.leaderboard.record import (
    Record,
    config_sha256,
    parse_record,
    read_record,
    write_record,
)
from hearspike.leaderboard.record_schema import SCHEMA_FILE, json_schema, schema_text
from hearspike.leaderboard.store import load_records

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
    assert list(load_records(tmp_path).values()) == [record()]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"schema": "hearspike-record/9"},
            "got schema hearspike-record/9, expected hearspike-record/2 or",
        ),
        ({"extra": 1}, "extra: unexpected"),
        ({"model": 7}, "model: input should be a valid string"),
        ({"status": "perfect"}, "status: input should be 'running', 'complete', 'failed' or 'interrupted'"),
        (
            {"metrics": {"accuracy": {"value": "0.5"}}},
            "metrics.accuracy.value: input should be a valid number",
        ),
        ({"task": {"sha256": {}}}, "task.name: field required"),
        ({"config": {**CONFIG, "seed": 3}}, "config_sha256"),
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
        load_records(tmp_path)


def test_no_infinite_numbers(tmp_path: Path) -> None:
    """JSON has none; nothing is written."""
    with pytest.raises(InputError, match="finite"):
        write_record(record(metrics={"accuracy": Metric(float("nan"), "1", "higher")}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_checksums_of_the_files_beside_it(tmp_path: Path) -> None:
    """The record names every file of its folder with the SHA-256 that hashlib finds, hidden ones not."""
    (tmp_path / "predictions.npz").write_bytes(b"answers")
    (tmp_path / ".running.lock").touch()
    written = read_record(write_record(record(), tmp_path))
    assert written.files == {"predictions.npz": hashlib.sha256(b"answers").hexdigest()}


def test_only_an_unfinished_record_is_replaced(tmp_path: Path) -> None:
    """What a run ended with stays."""
    write_record(record(status="running"), tmp_path)
    path = write_record(record(), tmp_path)
    with pytest.raises(InputError, match="has ended"):
        write_record(record(model="other"), tmp_path)
    assert read_record(path).model == "svm"
    assert [item.name for item in tmp_path.iterdir()] == ["record.json"]


def test_version_1_is_brought_up_to_date(tmp_path: Path) -> None:
    """A record of the first version, which had no files, history or confusion, reads as of this one."""
    content = json.loads(write_record(record(), tmp_path).read_text())
    for name in ("files", "history", "confusion"):
        del content[name]
    old = json.dumps({**content, "schema": "hearspike-record/1"})
    assert parse_record(old, Path("old")) == record()


def test_schema_file_is_that_of_the_code() -> None:
    """Made again by: python -m hearspike.leaderboard.record_schema > leaderboard/record.schema.json."""
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()


def test_schema_describes_every_field() -> None:
    """No field of record, task, chips or metric is without a description."""
    schema = json_schema()
    for part in (schema, *schema["$defs"].values()):
        for name, entry in part["properties"].items():
            assert entry["description"].endswith("."), name


@given(
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    history=st.dictionaries(st.text(), st.lists(st.floats(allow_nan=False, allow_infinity=False))),
    texts=st.lists(st.text()),
)
def test_what_is_written_keeps_the_published_schema(
    tmp_path_factory: pytest.TempPathFactory,
    value: float | None,
    history: dict[str, list[float | None]],
    texts: list[str],
) -> None:
    """An independent validator of JSON Schema accepts any record that is written, and it reads back equal."""
    metric = Metric(value, "1", "higher", interval=(0.0, 1.0), reason="".join(texts))
    wanted = record(metrics={"m": metric}, history=history, notes=texts)
    path = write_record(wanted, tmp_path_factory.mktemp("record"))
    jsonschema.Draft202012Validator(json_schema()).validate(json.loads(path.read_text()))
    assert read_record(path) == wanted


def test_checksum_of_a_configuration_knows_no_folders() -> None:
    """The same run on another computer has the same checksum, another seed has not."""
    elsewhere = {**CONFIG, "paths": {"runs": "/c"}, "dataset": {**CONFIG["dataset"], "root": "/d"}}  # type: ignore[dict-item]
    assert config_sha256(elsewhere) == config_sha256(CONFIG)
    assert config_sha256({**CONFIG, "seed": 1}) != config_sha256(CONFIG)
    assert config_sha256({**CONFIG, "seed": 1}, without=("seed",)) == config_sha256(CONFIG, without=("seed",))
