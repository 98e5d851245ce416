"""What tables need of a run: a flat line of its record, and which test samples were answered right."""

import hashlib
import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearspike.leaderboard.record import Record, config_sha256

SAME_ROW = ("seed", "timing_repeats", "training", "augmentation")
"""Configuration keys in which runs of one row may differ; a model that trains has a copy of the last two."""

PREDICTIONS = "predictions.npz"
Summary = dict[str, Any]
_ROUNDING = 1e-9


def summarise(record: Record) -> Summary:
    """Return the facts of a run that tables show, as flat JSON values.

    A metric becomes its value under its name, and ``name.low``, ``name.high``, ``name.reason`` and
    ``name.model`` where it has them.
    """
    summary: Summary = {
        "status": record.status,
        "reason": record.reason,
        "task": record.task["name"],
        "data": _data_checksum(record),
        "model": record.model,
        "backend": record.backend,
        "seed": record.seed,
        "config": config_sha256(record.config),
        "row": config_sha256(record.config, without=SAME_ROW),
        "created": record.created,
        "machine": f"{record.machine.get('processor', 'unknown')}, {record.machine.get('cores', '?')} cores",
        "test_reads": record.test_reads,
    }
    if record.chips:
        accuracies = record.chips["accuracies"]
        summary |= {"chips": record.chips["chips"], "accuracy_median_chip": statistics.median(accuracies)}
    for name, metric in record.metrics.items():
        if metric.value is not None:
            summary[name] = metric.value
        if metric.interval is not None:
            summary[f"{name}.low"], summary[f"{name}.high"] = metric.interval
        if metric.reason:
            summary[f"{name}.reason"] = metric.reason
        if metric.model:
            summary[f"{name}.model"] = str(metric.model.get("name", ""))
    return summary


def _data_checksum(record: Record) -> str:
    """Return 8 digits of a checksum of files and split, which decide what is tested; empty if none."""
    files = record.task.get("sha256")
    if not files:
        return ""
    content = json.dumps([sorted(files.items()), (record.task.get("split") or {}).get("sha256")])
    return hashlib.sha256(content.encode()).hexdigest()[:8]


def right_answers(record: Record, folder: Path) -> tuple[NDArray[np.uint16] | None, str | None]:
    """Return on how many chips each test sample was answered right, from the stored predictions.

    Parameters
    ----------
    record
        A record.
    folder
        Its folder.

    Returns
    -------
    right
        [sample] Number of chips, at most 1 in software; None where the predictions cannot be used.
    reason
        Why they cannot.
    """
    path = folder / PREDICTIONS
    if record.status != "complete":
        return None, "the run is not complete"
    if not path.is_file():
        return None, f"no {PREDICTIONS} beside the record"
    if PREDICTIONS in record.files and _sha256(path) != record.files[PREDICTIONS]:
        return None, f"{PREDICTIONS} is not the file that the run wrote"
    with np.load(path, allow_pickle=False) as arrays:
        if "targets" not in arrays:
            return None, f"{PREDICTIONS} of an older version, without the right answers"
        right = (arrays["labels"] == arrays["targets"]).sum(axis=0)
        chips = arrays["labels"].shape[0]
    accuracy = record.metrics.get("accuracy")
    if accuracy is None or abs((accuracy.value or 0.0) - right.mean() / chips) > _ROUNDING:
        return None, "the accuracy in the record is not that of its predictions"
    return right.astype(np.uint16), None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
