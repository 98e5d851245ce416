"""The schema of the record as JSON Schema: ``python -m hearspike.leaderboard.record_schema`` prints it."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

from hearspike.leaderboard.metrics import Metric
from hearspike.leaderboard.record import SCHEMA, ChipsEntry, Record, TaskEntry, record_adapter

SCHEMA_FILE = Path(__file__).with_name("record.schema.json")


def json_schema() -> dict[str, Any]:
    """Return the schema of ``record.json`` by JSON Schema 2020-12; docstrings describe the fields."""
    schema = record_adapter().json_schema()
    _describe(schema, Record)
    for part in (TaskEntry, ChipsEntry, Metric):
        _describe(schema["$defs"][part.__name__], part)
    schema["properties"] |= {
        "schema": {"const": SCHEMA, "description": "Version of this schema."},
        "config_sha256": {
            "type": "string",
            "description": "SHA-256 of the configuration as sorted JSON, folders left out.",
        },
    }
    schema["required"] = [*schema["required"], "schema", "config_sha256"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **schema}


def _describe(schema: dict[str, Any], part: type) -> None:
    """Take the descriptions of a class and of its fields from its docstring."""
    summary, _, parameters = inspect.cleandoc(str(part.__doc__)).partition("\n\nParameters\n----------\n")
    schema["description"] = _one_line(summary)
    for names, text in re.findall(r"^(\S.*)\n((?:    .*(?:\n|$))+)", parameters, flags=re.MULTILINE):
        for name in names.split(", "):
            schema["properties"][name]["description"] = _one_line(text)


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")


def schema_text() -> str:
    """Return the text of ``record.schema.json``."""
    return json.dumps(json_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
