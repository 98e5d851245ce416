"""Which runs a sweep need not make again."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hearspike.leaderboard.record import Record, config_sha256, read_records

_known: dict[Path, dict[str, list[Record]]] = {}
"""Store → checksum of the configuration → complete records, read once in a process."""


def find_run(config: Mapping[str, Any], store: Path) -> Record | None:
    """Return a complete run of the same configuration on the same data, or None.

    Parameters
    ----------
    config
        The configuration of ``hearspike evaluate``, resolved to plain values.
    store
        Folder with runs; may be missing.
    """
    checksum = config_sha256(dict(config))
    records = _complete_runs(store).get(checksum, [])
    return next((record for record in records if _same_data(record, config)), None)


def _complete_runs(store: Path) -> dict[str, list[Record]]:
    if store not in _known:
        found: dict[str, list[Record]] = {}
        for record in read_records(store) if store.is_dir() else []:
            if record.status == "complete":
                found.setdefault(config_sha256(record.config), []).append(record)
        _known[store] = found
    return _known[store]


def _same_data(record: Record, config: Mapping[str, Any]) -> bool:
    """Tell whether the files that a run read, where they are files, are still the same."""
    root = config["dataset"].get("root")
    if root is None:
        return True
    for name, checksum in record.task["sha256"].items():
        path = Path(root) / name
        if not path.is_file():
            continue
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != checksum:
                return False
    return True
