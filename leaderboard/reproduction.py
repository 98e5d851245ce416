"""Does a run come out again? The same configuration, and what agrees with the record."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hearspike.baselines import FittedModel
from hearspike.baselines.interface import Restorable
from hearspike.datasets import Task
from hearspike.errors import InputError
from hearspike.leaderboard.config import build, default_paths
from hearspike.leaderboard.evaluation import evaluate
from hearspike.leaderboard.metrics import Metric
from hearspike.leaderboard.record import FILE_NAME, Record, read_record
from hearspike.progress import Progress, no_progress

RELATIVE_TOLERANCE = 0.1
"""On another machine: allowed relative difference of a metric without an interval.

Rounding differs between processors and library versions, and training amplifies it: the weights are then as
good as those of another seed.
"""
TIMED_UNITS = ("1/s", "s")
PARTS = ("weights.safetensors", "predictions.npz")


@dataclass(frozen=True)
class Agreement:
    """One thing that was compared.

    Parameters
    ----------
    what
        Metric or file.
    recorded, again
        Its value then and now.
    allowed
        How far the two may lie apart.
    agrees
        Whether they do not.
    """

    what: str
    recorded: str
    again: str
    allowed: str
    agrees: bool


def reproduce(run: Path, *, root: Path | None = None, progress: Progress = no_progress) -> list[Agreement]:
    """Run a record's configuration again and compare.

    Parameters
    ----------
    run
        Folder of a complete run.
    root
        Folder of its data, if it is not where the record says.
    progress
        Called as training goes on.

    Returns
    -------
    agreements
        Weights and predictions bit for bit and all metrics where processor and versions are those of the
        record; elsewhere the metrics within their tolerance. Speed is not compared.

    Raises
    ------
    InputError
        If the run is not complete or the data are others than the record's.
    """
    record = read_record(run / FILE_NAME)
    with tempfile.TemporaryDirectory(prefix="hearspike-") as scratch:
        again = run_again(record, Path(scratch) / "run", root=root, progress=progress)
        return compare(record, run, again, Path(scratch) / "run")


def run_again(
    record: Record,
    folder: Path,
    *,
    root: Path | None,
    fitted: FittedModel | None = None,
    progress: Progress = no_progress,
) -> Record:
    """Evaluate a record's configuration into a new folder, on data that must be the record's.

    Parameters
    ----------
    record, root, progress
        See `reproduce`.
    folder
        The new folder.
    fitted
        A trained model to evaluate instead of training one.

    Raises
    ------
    InputError
        As `reproduce`.
    """
    if record.status != "complete":
        raise InputError("run", f"a record of a run that is {record.status}", "a complete one")
    paths = {name: str(path) for name, path in default_paths().items()}
    config: dict[str, Any] = {**record.config, "paths": paths}
    if root is not None:
        config["dataset"] = {**config["dataset"], "root": str(root)}
    found = build(config["dataset"], "dataset").task().sha256
    if found != record.task["sha256"]:
        raise InputError("data", f"checksums {found}", f"those of the record, {record.task['sha256']}")
    return evaluate(config, folder, fitted=fitted, progress=progress)


def restore(record: Record, run: Path, *, root: Path | None = None) -> FittedModel | None:
    """Return the model with the weights beside a record, None if it can only be trained again.

    Parameters
    ----------
    record, run
        The record and its folder.
    root
        Folder of its data, if it is not where the record says.

    Raises
    ------
    InputError
        If the weights are damaged or do not fit the model.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    model = build(record.config["model"], "model")
    if not isinstance(model, Restorable):
        return None
    weights = run / "weights.safetensors"
    dataset = record.config["dataset"] if root is None else {**record.config["dataset"], "root": str(root)}
    task: Task = build(dataset, "dataset").task()
    try:
        arrays = load_file(weights) if weights.exists() else {}
        return model.restore(arrays, channels=task.train.events.channels, classes=len(task.train.classes))
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(weights, f"weights that do not fit ({error})", "those of the model") from error


def compare(record: Record, run: Path, again: Record, folder: Path) -> list[Agreement]:
    """Compare two records of one configuration and the files beside them."""
    exact = (record.machine, record.versions) == (again.machine, again.versions)
    found = list(_compare_files(run, folder)) if exact else []
    for name, metric in sorted(record.metrics.items()):
        if metric.unit in TIMED_UNITS and metric.kind == "measured":
            continue
        found.append(_compare_metric(name, metric, again.metrics.get(name), exact=exact))
    return found


def _compare_files(run: Path, folder: Path) -> Iterator[Agreement]:
    for name in PARTS:
        if not (run / name).exists():
            continue
        same = (folder / name).exists() and _arrays_equal(run / name, folder / name)
        yield Agreement(name, "", "the same" if same else "differs", "nothing", same)


def _arrays_equal(one: Path, other: Path) -> bool:
    """Tell whether two files of arrays hold the same bits; how they are packed does not matter."""
    from safetensors.numpy import load_file

    read = load_file if one.suffix == ".safetensors" else _load_npz
    first, second = read(one), read(other)
    return first.keys() == second.keys() and all(
        first[name].dtype == second[name].dtype and first[name].tobytes() == second[name].tobytes()
        for name in first
    )


def _load_npz(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _compare_metric(name: str, before: Metric, after: Metric | None, *, exact: bool) -> Agreement:
    if after is None or before.value is None or after.value is None:
        same = after is not None and before.value == after.value
        return Agreement(name, _text(before), _text(after), "nothing", same)
    if exact:
        allowed = 0.0
    elif before.interval is not None:
        allowed = (before.interval[1] - before.interval[0]) / 2
    else:
        allowed = RELATIVE_TOLERANCE * abs(before.value)
    agrees = abs(after.value - before.value) <= allowed
    return Agreement(name, _text(before), _text(after), f"{allowed:.3g}" if allowed else "nothing", agrees)


def _text(metric: Metric | None) -> str:
    return "none" if metric is None or metric.value is None else f"{metric.value:.6g}"


def tabulate(agreements: list[Agreement]) -> pd.DataFrame:
    """Return a table for the eye."""
    rows = [vars(item) | {"agrees": "yes" if item.agrees else "NO"} for item in agreements]
    return pd.DataFrame(rows).rename(columns={"allowed": "allowed difference"})
