"""Has anything become worse? Accuracy, spikes, energy and speed against a baseline, within their noise.

A baseline file says what to generate, what to run with which seeds, and what came out. The same seeds are
run again, so that differences are paired. For each model and metric, let d be the mean over seeds of
(now − then), and its 90 % interval that of Student's t. Against a margin m, as in two one-sided tests at 5 %
(Schuirmann, J. Pharmacokinet. Biopharm. 15:657, 1987):

- ``the same``: the interval lies within ±m (equivalence is shown);
- ``worse``, ``better``: the interval excludes 0 and d is beyond m;
- ``undecided``: neither; more seeds would tell.

Speed is compared as a ratio to another implementation in the same run, never in seconds.
"""

import dataclasses
import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hearspike.errors import InputError
from hearspike.files import new_file
from hearspike.leaderboard.bench import ratios
from hearspike.leaderboard.config import compose, plain
from hearspike.leaderboard.evaluation import evaluate
from hearspike.leaderboard.generate import generate_from_config
from hearspike.leaderboard.record import Record
from hearspike.progress import Progress, no_progress

SCHEMA = "hearspike-baseline/1"
MARGINS = {"accuracy": 0.02, "spikes_per_sample": 0.05, "energy_per_sample": 0.05}
"""Differences that do not matter: of accuracy as they are, of the others relative to the baseline's mean."""
ABSOLUTE = ("accuracy",)
SPEED_FACTOR = 3.0
"""A ratio of speeds may fall by this factor: medians of short runs differ from machine to machine, and from
run to run on a busy one. What must show is that a kernel is no longer fast, not how fast it is."""


@dataclass(frozen=True)
class Baseline:
    """What is compared against.

    Parameters
    ----------
    generate
        Overrides of ``hearspike generate`` that make the data.
    evaluate
        Overrides of every run.
    cells
        Overrides of each row, such as ``model=rsnn backend=bss2``.
    seeds
        Seeds of each row.
    values
        Row → metric → its value for each seed; empty in a baseline that has never been run.
    speed
        Part of ``hearspike bench`` → workload → ratio.
    parts
        Parts whose speed is compared.
    """

    generate: list[str]
    evaluate: list[str]
    cells: list[str]
    seeds: list[int]
    values: dict[str, dict[str, list[float]]]
    parts: list[str]
    speed: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Verdict:
    """One comparison: what of which row, then, now, margin, and what that means."""

    row: str
    metric: str
    then: float
    now: float
    low: float
    high: float
    margin: float
    verdict: str


def read_baseline(path: Path) -> Baseline:
    """Read a baseline file.

    Raises
    ------
    InputError
        If it is none.
    """
    import pydantic

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.pop("schema", None) != SCHEMA:
            raise InputError(path, "a file without that schema", SCHEMA)
        baseline = pydantic.TypeAdapter(Baseline).validate_python(content)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, pydantic.ValidationError) as error:
        detail = " ".join(str(error).split())
        raise InputError(path, f"a file that cannot be read ({detail})", f"a baseline, {SCHEMA}") from error
    if len(baseline.seeds) < 2:
        raise InputError(f"{path}: seeds", baseline.seeds, "at least two, for one says nothing of noise")
    return baseline


def write_baseline(baseline: Baseline, path: Path) -> None:
    """Write a baseline file; an existing file is refused."""
    content = {"schema": SCHEMA, **dataclasses.asdict(baseline)}
    with new_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def without_speed(baseline: Baseline) -> Baseline:
    """Return a baseline that compares no speed."""
    return dataclasses.replace(baseline, parts=[], speed={})


def measure(baseline: Baseline, *, progress: Progress = no_progress) -> Baseline:
    """Run everything a baseline names and return what comes out, in the same form."""
    values: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="hearspike-") as scratch:
        generation = plain(compose("generate", [*baseline.generate, f"out={scratch}/data"]))
        generate_from_config(generation, progress=progress)
        for number, cell in enumerate(baseline.cells):
            words = [*baseline.evaluate, *cell.split(), f"dataset.root={scratch}/data"]
            for seed in baseline.seeds:
                config = plain(compose("evaluate", [*words, f"seed={seed}"]))
                record = evaluate(config, Path(scratch) / f"{number}-{seed}", progress=progress)
                _collect(values.setdefault(cell, {}), record)
    speed = {part: ratios(part) for part in baseline.parts}
    return dataclasses.replace(baseline, values=values, speed=speed)


def _collect(values: dict[str, list[float]], record: Record) -> None:
    for metric in MARGINS:
        value = record.metrics[metric].value if metric in record.metrics else None
        if value is not None:
            values.setdefault(metric, []).append(value)


def compare(baseline: Baseline, now: Baseline) -> list[Verdict]:
    """Judge every row and metric of a baseline against a new measurement.

    Raises
    ------
    InputError
        If the baseline was never run, or the new measurement lacks something that it has.
    """
    if not baseline.values:
        raise InputError("baseline", "no values", "a file that hearspike regress --update has written")
    verdicts = []
    for row, metrics in baseline.values.items():
        for metric, then in metrics.items():
            after = now.values.get(row, {}).get(metric)
            if after is None or len(after) != len(then):
                raise InputError(f"{row}: {metric}", after, f"{len(then)} values, one for each seed")
            verdicts.append(_judge(row, metric, then, after))
    for part, workloads in baseline.speed.items():
        for workload, ratio in workloads.items():
            verdicts.append(_judge_speed(part, workload, ratio, now.speed[part]))
    return verdicts


def _judge(row: str, metric: str, then: Sequence[float], now: Sequence[float]) -> Verdict:
    from scipy.stats import t as student

    before, after = float(np.mean(then)), float(np.mean(now))
    margin = MARGINS[metric] * (1.0 if metric in ABSOLUTE else abs(before))
    differences = np.subtract(now, then)
    mean, count = float(differences.mean()), len(differences)
    error = float(differences.std(ddof=1)) / math.sqrt(count)
    reach = float(student.ppf(0.95, count - 1)) * error
    low, high = mean - reach, mean + reach
    better = 1.0 if metric == "accuracy" else -1.0
    if -margin <= low and high <= margin:
        verdict = "the same"
    elif low <= 0.0 <= high or abs(mean) <= margin:
        verdict = "undecided"
    else:
        verdict = "better" if mean * better > 0 else "worse"
    return Verdict(row, metric, before, after, low, high, margin, verdict)


def _judge_speed(part: str, workload: str, then: float, found: Mapping[str, float]) -> Verdict:
    now = found.get(workload)
    if now is None:
        raise InputError(f"bench {part}", f"no ratio for {workload}", "one, as the baseline has")
    factor = now / then
    verdict = "worse" if factor < 1 / SPEED_FACTOR else "better" if factor > SPEED_FACTOR else "the same"
    margin = then * (1 - 1 / SPEED_FACTOR)
    return Verdict(f"bench {part}", f"{workload}: ratio", then, now, now - then, now - then, margin, verdict)


def tabulate(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return a table for the eye."""

    def text(value: Any) -> Any:  # noqa: ANN401  # a cell
        return f"{value:.4g}" if isinstance(value, float) else value

    rows = [{name: text(value) for name, value in vars(verdict).items()} for verdict in verdicts]
    return pd.DataFrame(rows).rename(columns={"low": "change, from", "high": "to"})
