"""``hearspike generate``: from a configuration to a folder of spike files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib

from hearspike.datasets.generation import generate
from hearspike.errors import InputError
from hearspike.leaderboard.config import build
from hearspike.leaderboard.record import config_sha256
from hearspike.progress import Progress, no_progress

DEFAULT_SPLIT = "hearspike.datasets.HeldOutSpeakers"
"""Class of a corpus's split that names no other."""


def generation_sha256(config: Mapping[str, Any]) -> str:
    """Return a checksum of everything in a configuration that decides on the files' content."""
    corpus = {key: value for key, value in config["corpus"].items() if key != "root"}
    return config_sha256({**config, "corpus": corpus}, without=("out", "workers", "backend", "shard"))


def generate_from_config(config: Mapping[str, Any], *, progress: Progress = no_progress) -> dict[str, int]:
    """Generate what the configuration asks for; return the number of samples in each part.

    Raises
    ------
    InputError
        See `hearspike.datasets.generation.generate`.
    """
    if not isinstance(config["seed"], int) or config["seed"] < 0:
        raise InputError("seed", config["seed"], "a whole number of at least 0")
    workers = joblib.cpu_count() if config["workers"] is None else config["workers"]
    if not isinstance(workers, int) or workers < 1:
        raise InputError("workers", workers, "a number of processes of at least 1, or null for one per core")
    corpus = {key: value for key, value in config["corpus"].items() if key != "split"}
    split = config["split"] or config["corpus"]["split"]
    return generate(
        build(corpus, "corpus"),
        build({"_target_": DEFAULT_SPLIT, **split}, "split" if config["split"] else "corpus.split"),
        build(config["converter"], "converter"),
        Path(config["out"]),
        seed=config["seed"],
        workers=workers,
        time_type=config["time_type"],
        cuts=build(config["cuts"], "cuts"),
        backend=config["backend"],
        shard=config["shard"],
        attributes={"generation_sha256": generation_sha256(config)},
        progress=progress,
    )
