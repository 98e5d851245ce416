"""From records to a table: one row per task, model and backend over its seeds. It reads, it never runs."""

import io
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from hearspike.errors import InputError
from hearspike.leaderboard.record import Record, config_sha256

SAME_ROW = ("seed", "timing_repeats")
"""Configuration keys in which the runs of one row may differ."""

FORMATS = ("text", "markdown", "csv")


@dataclass(frozen=True)
class Column:
    """One column: what it is called, which metric it shows, times what, with how many decimals.

    Columns of modelled numbers say so in their title.
    """

    title: str
    metric: str
    factor: float
    decimals: int


COLUMNS = (
    Column("accuracy (%)", "accuracy", 100.0, 1),
    Column("unseen speakers (%)", "accuracy_unseen_speakers", 100.0, 1),
    Column("times destroyed, retrained (%)", "accuracy_uniform_times_retrained", 100.0, 1),
    Column("5th percentile chip (%)", "accuracy_fifth_percentile_chip", 100.0, 1),
    Column("spikes/sample", "spikes_per_sample", 1.0, 0),
    Column("samples/s", "samples_per_second", 1.0, 0),
    Column("energy/sample (µJ, modelled)", "energy_per_sample", 1e6, 3),
)


def leaderboard(records: Sequence[Record]) -> pd.DataFrame:
    """Gather runs that differ in nothing but their seed into rows.

    Rows are sorted by task, then by mean accuracy, the best first. Failed runs are counted and never
    averaged; a metric that some run of a row lacks is left empty.

    Parameters
    ----------
    records
        Records in any order.

    Returns
    -------
    table
        Text in every cell, empty where there is no number.
    """
    groups = _group(_newest(records))
    ranked = sorted(groups.items(), key=lambda item: (item[0][0], -_mean_accuracy(item[1]), item[0]))
    rows = [_row(key, sorted(group, key=lambda record: record.seed)) for key, group in ranked]
    titles = [
        "task",
        "model",
        "backend",
        "runs",
        *(column.title for column in COLUMNS),
        "energy model",
        "test data",
        "config",
    ]
    return pd.DataFrame(rows, columns=titles)


def _newest(records: Sequence[Record]) -> list[Record]:
    """Of runs with the same configuration on the same data, keep the newest."""
    newest: dict[tuple[str, str], Record] = {}
    for record in sorted(records, key=lambda record: record.created):
        newest[(config_sha256(record.config), _data(record))] = record
    return list(newest.values())


def _group(records: Sequence[Record]) -> dict[tuple[str, ...], list[Record]]:
    """Return the records of each row by task, model, backend, configuration and data.

    A run that failed before it read any data goes to the first row with its configuration.
    """
    groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for record in sorted(records, key=_data, reverse=True):
        key = (
            record.task["name"],
            record.model,
            record.backend,
            config_sha256(record.config, without=SAME_ROW),
        )
        data = _data(record) or next((known[-1] for known in sorted(groups) if known[:-1] == key), "")
        groups[(*key, data)].append(record)
    return groups


def _data(record: Record) -> str:
    """Return the beginning of the test file's checksum; a run that failed before it read data has none."""
    files = record.task.get("sha256")
    return str(files[record.config["dataset"].get("test", "test")])[:8] if files else ""


def _complete(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if record.status == "complete"]


def _mean_accuracy(records: Sequence[Record]) -> float:
    values = [record.metrics["accuracy"].value or 0.0 for record in _complete(records)]
    return statistics.fmean(values) if values else -1.0


def _row(key: tuple[str, ...], records: Sequence[Record]) -> list[str]:
    task, model, backend, config, data = key
    complete = _complete(records)
    failed = len(records) - len(complete)
    chips = {record.chips["chips"] for record in complete if record.chips}
    where = f"{backend}, {chips.pop()} chips" if chips else backend
    runs = f"{len(complete)}" + (f" ({failed} failed)" if failed else "")
    models = {str((record.metrics["energy_per_sample"].model or {}).get("name", "")) for record in complete}
    return [
        task,
        model,
        where,
        runs,
        *(_cell(column, complete) for column in COLUMNS),
        *(models or {""}),
        data,
        config[:8],
    ]


def _cell(column: Column, records: Sequence[Record]) -> str:
    """Return mean ± standard deviation over seeds, or for one run its value and interval."""
    metrics = [record.metrics.get(column.metric) for record in records]
    values = [
        metric.value * column.factor for metric in metrics if metric is not None and metric.value is not None
    ]
    if not values or len(values) < len(records):
        return ""
    text = f"{statistics.fmean(values):.{column.decimals}f}"
    if len(values) > 1:
        return f"{text} ± {statistics.stdev(values):.{column.decimals}f}"
    interval = metrics[0].interval if metrics[0] else None
    if interval is None:
        return text
    low, high = (f"{end * column.factor:.{column.decimals}f}" for end in interval)
    return f"{text} [{low}, {high}]"


def render(table: pd.DataFrame, form: str, *, width: int | None = None) -> str:
    """Write a table as ``text``, ``markdown`` or ``csv``.

    Parameters
    ----------
    table
        From `leaderboard`.
    form
        The format.
    width
        Characters per line of the text form; as many as needed if None.

    Raises
    ------
    InputError
        If the format is unknown.
    """
    writers: dict[str, Callable[[], str]] = {
        "text": lambda: _text(table, width),
        "markdown": lambda: (
            table.replace(r"\|", r"\\|", regex=True).to_markdown(index=False, disable_numparse=True) + "\n"
        ),
        "csv": lambda: table.to_csv(index=False, lineterminator="\n"),
    }
    if form not in writers:
        raise InputError("--format", form, f"one of {', '.join(FORMATS)}")
    return writers[form]()


def _text(table: pd.DataFrame, width: int | None) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=io.StringIO(), width=width or 400, color_system=None)
    grid = Table(box=None, header_style="", pad_edge=False)
    for title in table.columns:
        grid.add_column(Text(str(title)), overflow="fold")
    for row in table.itertuples(index=False):
        grid.add_row(*(Text(str(cell)) for cell in row))
    console.print(grid)
    assert isinstance(console.file, io.StringIO)
    return "".join(line.rstrip() + "\n" for line in console.file.getvalue().splitlines())
