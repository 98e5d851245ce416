"""``hearspike generate``: from a configuration to a folder of spike files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hearspike.datasets import HeldOutSpeakers
from hearspike.datasets.generation import generate
from hearspike.errors import InputError
from hearspike.leaderboard.config import build
from hearspike.leaderboard.record import config_sha256
from hearspike.progress import Progress, no_progress


def generation_sha256(config: Mapping[str, Any]) -> str:
    """Return a checksum of everything in a configuration that decides on the files' content."""
    corpus = {key: value for key, value in config["corpus"].items() if key != "root"}
    return config_sha256({**config, "corpus": corpus}, without=("out", "workers"))


def generate_from_config(config: Mapping[str, Any], *, progress: Progress = no_progress) -> dict[str, int]:
    """Generate what the configuration asks for; return the number of samples in each part.

    Raises
    ------
    InputError
        See `hearspike.datasets.generation.generate`.
    """
    for name in ("seed", "workers"):
        if not isinstance(config[name], int) or config[name] < 0:
            raise InputError(name, config[name], "a whole number of at least 0")
    corpus = {key: value for key, value in config["corpus"].items() if key != "split"}
    split = config["corpus"]["split"]
    return generate(
        build(corpus, "corpus"),
        HeldOutSpeakers(validation=tuple(split["validation"]), test=tuple(split["test"])),
        build(config["converter"], "converter"),
        Path(config["out"]),
        seed=config["seed"],
        workers=config["workers"],
        time_type=config["time_type"],
        attributes={"generation_sha256": generation_sha256(config)},
        progress=progress,
    )
