"""What the page of a run shows: scores, pictures, the facts of where it was made, how to make it again."""

import hashlib
import shlex
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from omegaconf import OmegaConf

from hearspike.leaderboard.columns import COLUMNS
from hearspike.leaderboard.plots import confusion_matrix, curve, histogram, raster
from hearspike.leaderboard.record import Record
from hearspike.leaderboard.run_summary import PREDICTIONS, right_answers


@dataclass(frozen=True)
class Figure:
    """A picture with a heading and a caption."""

    title: str
    picture: Markup
    caption: str


def run_context(record: Record, folder: Path, path: str) -> dict[str, Any]:
    """Return what the template of a run's page shows.

    Parameters
    ----------
    record
        The run.
    folder
        Its folder.
    path
        The folder's place in the store.
    """
    figures, missing = _figures(record, folder)
    order = {column.metric: index for index, column in enumerate(COLUMNS)}
    metrics = sorted(record.metrics.items(), key=lambda item: (order.get(item[0], len(order)), item[0]))
    return {
        "record": record,
        "command": f"hearspike reproduce {shlex.quote(path)}",
        "metrics": metrics,
        "figures": figures,
        "missing": missing,
        "facts": _facts(record),
        "config": OmegaConf.to_yaml(OmegaConf.create(record.config)),
    }


def _figures(record: Record, folder: Path) -> tuple[list[Figure], list[str]]:
    figures, missing = [], []
    answers, reason = stored_answers(record, folder)
    confusion = record.confusion
    if confusion is None and answers is not None:
        confusion = _confusion(*answers, classes=len(record.task.get("classes", ()))).tolist()
    if confusion:
        names = record.task.get("classes") or [str(number) for number in range(len(confusion))]
        picture = confusion_matrix(np.array(confusion), names, title="Confusion matrix")
        figures.append(
            Figure(
                "Which was taken for which",
                picture,
                "Rows: true class; columns: answer; shade: share of row.",
            )
        )
    elif record.status == "complete":
        missing.append(f"No confusion matrix: {reason}.")
    for name, values in record.history.items():
        if any(value is not None for value in values):
            title = name.replace("_", " ").capitalize()
            figures.append(
                Figure(title, curve(values, title=title, y_title=""), "After each epoch of training.")
            )
    if record.chips and record.chips["accuracies"]:
        accuracies = [100 * value for value in record.chips["accuracies"]]
        picture = histogram(accuracies, title="Chips", x_title="accuracy (%)")
        figures.append(Figure("Yield of chips", picture, "One count for each emulated chip."))
    sample = first_test_sample(record)
    if isinstance(sample, str):
        missing += [f"No raster: {sample}."] if record.status == "complete" else []
    else:
        times, units, label, key = sample
        names = record.task.get("classes") or []
        said = names[label] if label < len(names) else str(label)
        caption = f"The first sample of the test set, “{said}”, as it enters the model."
        if answers is not None:
            answer = int(np.bincount(answers[0][:, 0]).argmax())
            word = names[answer] if answer < len(names) else str(answer)
            caption += f" The answer was “{word}”" + (" on most chips." if record.chips else ".")
        picture = raster(times, units, title=f"Spikes of “{said}”", channels=key)
        figures.append(Figure("What it hears", picture, caption))
    return figures, missing


def stored_answers(
    record: Record, folder: Path
) -> tuple[tuple[NDArray[np.integer], NDArray[np.integer]] | None, str | None]:
    """Return [chip, sample] answers and [sample] true classes, or None and why there are none."""
    right, reason = right_answers(record, folder)
    if right is None:
        return None, reason
    with np.load(folder / PREDICTIONS, allow_pickle=False) as arrays:
        return (arrays["labels"], arrays["targets"]), None


def _confusion(
    labels: NDArray[np.integer], targets: NDArray[np.integer], *, classes: int
) -> NDArray[np.int64]:
    classes = max(classes, int(labels.max()) + 1, int(targets.max()) + 1)
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (np.tile(targets, len(labels)), labels.ravel()), 1)
    return counts


def first_test_sample(
    record: Record,
) -> tuple[NDArray[np.float64], NDArray[np.int64], int, int] | str:
    """Return times, units, label and number of channels of the first test sample, or why there is none."""
    dataset = record.config.get("dataset", {})
    if not isinstance(dataset, dict) or not dataset.get("root") or not dataset.get("test"):
        return "the task is not in spike files"
    file = Path(str(dataset["root"])) / str(dataset["test"])
    checksum = (record.task.get("sha256") or {}).get(file.name)
    if not file.is_file():
        return "the test file is not where the record says"
    if checksum is None or _sha256(file, file.stat().st_mtime_ns) != checksum:
        return "the test file is not the one that the run read"
    return _read_first(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _sha256(file: Path, mtime_ns: int) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@lru_cache(maxsize=16)
def _read_first(file: Path, mtime_ns: int) -> tuple[NDArray[np.float64], NDArray[np.int64], int, int]:
    from hearspike.datasets import read_spike_file

    dataset = read_spike_file(file)
    first = dataset.events.select(np.arange(1))
    return (
        first.times.astype(np.float64),
        first.units.astype(np.int64),
        int(dataset.labels[0]),
        dataset.events.channels,
    )


def _facts(record: Record) -> list[tuple[str, str]]:
    facts: dict[str, Any] = {
        "test labels read": f"{record.test_reads} times" if record.test_reads != 1 else "once",
    }
    facts |= {f"{part} samples": count for part, count in record.task.get("samples", {}).items()}
    facts |= {f"spikes/sample, {layer}": f"{value:.4g}" for layer, value in record.layer_spikes.items()}
    facts |= {f"{phase}, seconds": f"{seconds:.3g}" for phase, seconds in record.phases.items()}
    facts |= dict(sorted(record.machine.items()))
    if record.git:
        facts["commit"] = record.git.get("commit", "") + (
            ", changed since" if record.git.get("dirty") else ""
        )
    facts |= {name: version for name, version in sorted(record.versions.items()) if version}
    facts |= {f"sha256 of {name}": checksum for name, checksum in record.files.items()}
    facts |= {f"sha256 of {name}": checksum for name, checksum in (record.task.get("sha256") or {}).items()}
    return [(name, str(value)) for name, value in facts.items()]
