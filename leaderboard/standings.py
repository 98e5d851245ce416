"""From runs to standings: per task one row per model and backend over its seeds. It reads, it never runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hearspike.leaderboard.columns import ACCURACY, COLUMNS, Column
from hearspike.leaderboard.published import PublishedResult, published_results
from hearspike.leaderboard.ranking import Answers, Rank, accuracy_draws, interval, pair_p_values, ranks
from hearspike.leaderboard.store import load_answers, load_runs

MINIMUM_SEEDS = 5
"""A row with fewer seeds is shown and not ranked."""


@dataclass(frozen=True)
class Cell:
    """One number of a row, in the unit of its column.

    Parameters
    ----------
    value
        Mean over seeds, None where the cell is empty.
    spread
        Standard deviation over seeds, None for one run.
    low, high
        Ends of a 95 % interval.
    note
        Why the cell is empty, or what a reader must know of the number.
    """

    value: float | None
    spread: float | None = None
    low: float | None = None
    high: float | None = None
    note: str | None = None


@dataclass(frozen=True)
class Row:
    """A model on a backend, over its seeds.

    Parameters
    ----------
    model, backend
        Their names.
    chips
        Number of emulated chips, None in software.
    config
        Checksum of the configuration without the seed.
    seeds
        Number of complete runs, one per seed.
    unfinished
        How many runs failed, were interrupted, or are running, by status.
    cells
        Metric → its cell, for every column.
    rank
        The ranks the row may have, None if it is not ranked.
    unranked
        Why it is not.
    paths
        Folders of its runs, all of them, relative to the store.
    """

    model: str
    backend: str
    chips: int | None
    config: str
    seeds: int
    unfinished: dict[str, int]
    cells: dict[str, Cell]
    rank: Rank | None
    unranked: str | None
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """The table of one task on one version of its data.

    Parameters
    ----------
    task
        Name of the task.
    data
        Beginning of the checksum of files and split; empty if no run has read any.
    rows
        The best first, by mean accuracy.
    p_values
        [row, row] Chance of so large a difference between equals, somewhere in this table; NaN for rows that
        are not ranked.
    published
        Results from the literature on the same task, never ranked with the rows.
    """

    task: str
    data: str
    rows: tuple[Row, ...]
    p_values: NDArray[np.float64]
    published: tuple[PublishedResult, ...]


def standings(folder: Path) -> list[Standing]:
    """Return the table of every task that the runs below a folder are on.

    Raises
    ------
    InputError
        If the folder does not exist, or a record in it cannot be read.
    """
    runs = load_runs(folder)
    if runs.empty:
        return []
    runs = _with_data(_last_word(runs))
    return [
        _standing(str(task), str(data), group, folder)
        for (task, data), group in runs.groupby(["task", "data"], sort=True)
    ]


def _last_word(runs: pd.DataFrame) -> pd.DataFrame:
    """Of runs of one row and seed on the same data, keep the newest complete one, else the newest."""
    key = ["task", "model", "backend", "row", "seed"]
    order = runs.assign(complete=runs["status"] == "complete").sort_values(
        ["complete", "created", "path"], kind="stable"
    )
    superseded = ~order["complete"] & order.groupby(key)["complete"].transform("any")
    return order[~superseded].drop_duplicates([*key, "data"], keep="last").sort_values("path")


def _with_data(runs: pd.DataFrame) -> pd.DataFrame:
    """Give a run that ended before it read any data the data of its row, else of its task."""
    for level in (["task", "model", "backend", "row"], ["task"]):
        known = runs[runs["data"] != ""].groupby(level)["data"].min()
        keys = pd.MultiIndex.from_frame(runs[level]) if len(level) > 1 else pd.Index(runs[level[0]])
        found = pd.Series(known.reindex(keys).to_numpy(), index=runs.index).fillna("")
        runs = runs.assign(data=runs["data"].where(runs["data"] != "", found))
    return runs


def _standing(task: str, data: str, runs: pd.DataFrame, folder: Path) -> Standing:
    groups = [group.sort_values("seed") for _, group in runs.groupby(["model", "backend", "row"], sort=True)]
    groups.sort(key=lambda group: -_mean_accuracy(group[group["status"] == "complete"]))
    complete = [group[group["status"] == "complete"] for group in groups]
    answers = _answers(complete, folder)
    usable = [index for index, item in enumerate(answers) if isinstance(item, Answers)]
    scored = [item for item in answers if isinstance(item, Answers)]
    draws = accuracy_draws(scored) if scored else np.zeros((0, 0))
    intervals = {index: interval(draws[:, place]) for place, index in enumerate(usable)}

    unranked = [
        item if isinstance(item, str) else _read_again(done) or _too_few(len(item.right))
        for item, done in zip(answers, complete, strict=True)
    ]
    ranked = [index for index in usable if unranked[index] is None]
    places = [usable.index(index) for index in ranked]
    pairs = np.full((len(groups), len(groups)), math.nan)
    positions: dict[int, Rank] = {}
    if ranked:
        chosen = [scored[place] for place in places]
        p_values = pair_p_values(chosen, draws[:, places])
        pairs[np.ix_(ranked, ranked)] = p_values
        positions = dict(zip(ranked, ranks(chosen, p_values), strict=True))
    rows = [
        _row(group, done, intervals.get(index), positions.get(index), unranked[index])
        for index, (group, done) in enumerate(zip(groups, complete, strict=True))
    ]
    return Standing(task, data, tuple(rows), pairs, published_results(task))


def _mean_accuracy(complete: pd.DataFrame) -> float:
    return float(complete[ACCURACY.metric].mean()) if len(complete) and ACCURACY.metric in complete else -1.0


def _answers(complete: Sequence[pd.DataFrame], folder: Path) -> list[Answers | str]:
    """Return the right answers of each row, or why there are none to compare."""
    found = load_answers(folder, [path for done in complete for path in done["path"]])
    result: list[Answers | str] = []
    for done in complete:
        missing = [reason for reason in done["answers_reason"] if isinstance(reason, str)]
        right = [found[path] for path in done["path"] if path in found]
        if not len(done):
            result.append("no complete run")
        elif missing or len(right) < len(done):
            result.append(missing[0] if missing else "predictions that cannot be read")
        else:
            chips = _chips(done)
            result.append(Answers(np.stack(right), chips or 1))
    lengths = [item.right.shape[1] for item in result if isinstance(item, Answers)]
    samples = max(lengths, key=lengths.count, default=0)
    return [
        f"answers to {item.right.shape[1]} samples, not {samples}"
        if isinstance(item, Answers) and item.right.shape[1] != samples
        else item
        for item in result
    ]


def _read_again(complete: pd.DataFrame) -> str | None:
    reads = int(complete["test_reads"].max())
    return f"the labels of the test set were read {reads} times in one run" if reads > 1 else None


def _too_few(seeds: int) -> str | None:
    if seeds >= MINIMUM_SEEDS:
        return None
    return f"{seeds} seed{'s' if seeds > 1 else ''}; a ranked row needs {MINIMUM_SEEDS}"


def _chips(runs: pd.DataFrame) -> int | None:
    chips = runs["chips"].dropna() if "chips" in runs else pd.Series(dtype=float)
    return int(chips.iloc[0]) if len(chips) else None


def _row(
    group: pd.DataFrame,
    complete: pd.DataFrame,
    ends: tuple[float, float] | None,
    rank: Rank | None,
    unranked: str | None,
) -> Row:
    first = group.iloc[0]
    cells = {column.metric: _cell(column, complete) for column in COLUMNS}
    if ends is not None and cells[ACCURACY.metric].value is not None:
        low, high = (end * ACCURACY.factor for end in ends)
        cells[ACCURACY.metric] = Cell(cells[ACCURACY.metric].value, cells[ACCURACY.metric].spread, low, high)
    unfinished = group.loc[group["status"] != "complete", "status"].value_counts().sort_index()
    return Row(
        model=str(first["model"]),
        backend=str(first["backend"]),
        chips=_chips(complete),
        config=str(first["row"]),
        seeds=len(complete),
        unfinished={str(status): int(count) for status, count in unfinished.items()},
        cells=cells,
        rank=rank,
        unranked=unranked,
        paths=tuple(group["path"]),
    )


def _cell(column: Column, complete: pd.DataFrame) -> Cell:
    """Return mean and spread over seeds; empty, with the reason, where a run lacks the number."""
    if not len(complete):
        return Cell(None, note="no complete run")
    values = complete[column.metric] if column.metric in complete else pd.Series(dtype=float)
    values = values.dropna() * column.factor
    if len(values) < len(complete):
        reasons = _texts(complete, f"{column.metric}.reason")
        if reasons:
            return Cell(None, note=reasons[0])
        some = f"in {len(values)} of {len(complete)} runs only" if len(values) else column.absent
        return Cell(None, note=some)
    low = high = None
    if len(complete) == 1 and f"{column.metric}.low" in complete:
        low, high = (
            float(complete[f"{column.metric}.{end}"].iloc[0]) * column.factor for end in ("low", "high")
        )
        low, high = (None, None) if math.isnan(low) else (low, high)
    spread = float(values.std(ddof=1)) if len(values) > 1 else None
    return Cell(float(values.mean()), spread, low, high, _remark(column, complete))


def _remark(column: Column, complete: pd.DataFrame) -> str | None:
    """Return what a reader must know of a number: the machine of a speed, the model of an energy."""
    key = {"samples_per_second": "machine", "latency": "machine"}.get(column.metric, f"{column.metric}.model")
    texts = _texts(complete, key)
    return " and ".join(texts) or None


def _texts(runs: pd.DataFrame, key: str) -> list[str]:
    if key not in runs:
        return []
    values: list[Any] = [value for value in runs[key] if isinstance(value, str) and value]
    return sorted(set(values))
