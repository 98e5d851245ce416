"""``hearspike demo``: the whole path once, from speech to a table."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import h5py

from hearspike.datasets.generation import FILE_NAMES
from hearspike.errors import InputError
from hearspike.leaderboard.config import compose, plain
from hearspike.leaderboard.evaluation import evaluate
from hearspike.leaderboard.generate import generate_from_config, generation_sha256
from hearspike.leaderboard.record import Record
from hearspike.progress import Progress, no_progress

RUNS = (
    ("chance", "software"),
    ("majority", "software"),
    ("linear_svm", "software"),
    ("rsnn", "software"),
    ("rsnn", "bss2"),
)
"""Models and where they run; the spiking network is trained once for both."""


def demo(overrides: Sequence[str], *, progress: Progress = no_progress) -> tuple[list[Record], Path]:
    """Generate a corpus, run every model of the demo on it, and return the records and their folder.

    Parameters
    ----------
    overrides
        Overrides of ``hearspike generate``, such as ``corpus=fsdd corpus.root=DIR``. A folder that holds
        just what they would make is used as it is.
    progress
        Called as the work goes on.

    Raises
    ------
    InputError
        If the overrides are wrong, or the output folder holds something else.
    """
    generation = plain(compose("generate", overrides))
    out = Path(generation["out"])
    if _holds(out, generation_sha256(generation)):
        progress("spikes", 1, 1, f"{out} is there already")
    else:
        generate_from_config(generation, progress=progress)
    runs = Path(generation["paths"]["runs"]) / f"demo-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S-%f}"
    name = generation["corpus"]["name"]
    records = []
    for model, backend in RUNS:
        words = [f"dataset={name}", f"dataset.root={out}", f"model={model}", f"backend={backend}"]
        config = plain(compose("evaluate", [*words, f"paths.workspace={generation['paths']['workspace']}"]))
        folder = runs / f"{model}-{backend}"
        folder.mkdir(parents=True)
        progress(f"{model} on {backend}", 0, 1, "")
        records.append(evaluate(config, folder, progress=progress))
        score = records[-1].metrics["accuracy"].value
        progress(f"{model} on {backend}", 1, 1, f"accuracy {score:.1%}")
    return records, runs


def _holds(folder: Path, sha256: str) -> bool:
    """Tell whether a folder was generated from this configuration."""
    if not folder.exists():
        return False
    for name in FILE_NAMES.values():
        try:
            with h5py.File(folder / name, "r") as file:
                found = file.attrs.get("generation_sha256")
        except OSError as error:
            raise InputError(
                folder, f"no readable {name}", "spike files of this demo, or no such folder"
            ) from error
        if found != sha256:
            raise InputError(
                folder,
                "spike files made with other settings",
                "a new folder (out=DIR), or remove this one first",
            )
    return True
