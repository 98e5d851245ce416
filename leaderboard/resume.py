"""Which runs a sweep need not make again."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hearspike.leaderboard.record import Record, config_sha256
from hearspike.leaderboard.store import load_records, load_runs

_known: dict[Path, dict[str, list[str]]] = {}
"""Store → checksum of the configuration → folders of complete runs, read once in a process."""


def find_run(config: Mapping[str, Any], store: Path) -> Record | None:
    """Return a complete run of the same configuration on the same data, or None.

    Parameters
    ----------
    config
        The configuration of ``hearspike evaluate``, resolved to plain values.
    store
        Folder with runs; may be missing.
    """
    paths = _complete_runs(store).get(config_sha256(dict(config)), [])
    return next((run for run in load_records(store, paths).values() if _same_data(run, config)), None)


def _complete_runs(store: Path) -> dict[str, list[str]]:
    if store not in _known:
        found: dict[str, list[str]] = {}
        for run in load_runs(store).to_dict("records") if store.is_dir() else []:
            if run["status"] == "complete":
                found.setdefault(run["config"], []).append(run["path"])
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
