"""Results from the literature, for reference beside the rows that were run here."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hearspike.errors import InputError

FILE = Path(__file__).with_name("published_results.yaml")


@dataclass(frozen=True)
class PublishedResult:
    """One published accuracy.

    Parameters
    ----------
    task
        Name of the task.
    method
        What was evaluated.
    platform
        What it ran on: ``software`` or the name of a chip.
    accuracy_percent, deviation_percent
        Test accuracy, and its standard deviation over seeds where it was published.
    parameters
        Number of parameters, where it was published.
    note
        What a reader must know to compare.
    source
        Where it was published.
    """

    task: str
    method: str
    platform: str
    accuracy_percent: float
    source: str
    deviation_percent: float | None = None
    parameters: float | None = None
    note: str | None = None


def published_results(task: str) -> tuple[PublishedResult, ...]:
    """Return the published results on a task, the best first."""
    found = [result for result in read_published() if result.task == task]
    return tuple(sorted(found, key=lambda result: (-result.accuracy_percent, result.method)))


@cache
def read_published(file: Path = FILE) -> tuple[PublishedResult, ...]:
    """Read and check a file of published results.

    Raises
    ------
    InputError
        If an entry lacks something, has an unknown key or a wrong type.
    """
    import pydantic
    from omegaconf import OmegaConf

    entries = OmegaConf.to_container(OmegaConf.load(file))
    pydantic.with_config(pydantic.ConfigDict(extra="forbid", strict=True))(PublishedResult)
    try:
        return tuple(pydantic.TypeAdapter(list[PublishedResult]).validate_json(json.dumps(entries)))
    except pydantic.ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(str(part) for part in detail["loc"])
        raise InputError(f"{file.name}: {place}", detail["input"], detail["msg"].lower()) from error
