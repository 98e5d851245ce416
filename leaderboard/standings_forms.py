"""Write standings in six forms: the same bytes for the same records."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from hearspike.leaderboard.columns import ACCURACY, COLUMNS, Column
from hearspike.leaderboard.published import PublishedResult
from hearspike.leaderboard.standings import MINIMUM_SEEDS, Cell, Row, Standing
from hearspike.leaderboard.table import check_format, json_text, render

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Footnotes:
    """Remarks on cells, numbered in the order in which they are made."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, note: str) -> int:
        """Return the number of a remark."""
        return self._numbers.setdefault(note, len(self._numbers) + 1)

    def mark(self, note: str | None) -> str:
        """Return the sign that leads to a remark, nothing for none."""
        return str(self.number(note)).translate(_SUPERSCRIPTS) if note else ""

    def notes(self) -> list[tuple[int, str]]:
        """Return all remarks with their numbers."""
        return [(number, note) for note, number in self._numbers.items()]

    def texts(self) -> list[str]:
        """Return all remarks behind their signs."""
        return [f"{self.mark(note)} {note}" for note in self._numbers]


def render_standings(standings: Sequence[Standing], form: str) -> str:
    """Write standings in one of the forms of `hearspike.leaderboard.table`.

    Forms for people round, leave out columns of detail and those that no run has a number for, and carry
    footnotes. CSV and JSON have every column and all digits. CSV holds the rows that were run; published
    results are in all others.

    Raises
    ------
    InputError
        If the format is unknown.
    """
    check_format(form)
    if form == "csv":
        lines = [line for standing in standings for line in _csv_lines(standing)]
        return pd.DataFrame(lines, columns=_csv_columns()).to_csv(index=False, lineterminator="\n")
    if form == "json":
        return json_text([_json(standing) for standing in standings])
    return "\n".join(_for_people(standing, form) for standing in standings)


def title(standing: Standing) -> str:
    """Return task and version of its data."""
    return f"{standing.task}, data {standing.data}" if standing.data else f"{standing.task}, no data read"


def runs_text(row: Row) -> str:
    """Return the number of complete runs, and of those that are not."""
    others = ", ".join(f"{count} {status}" for status, count in row.unfinished.items())
    return f"{row.seeds} ({others})" if others else str(row.seeds)


def backend_text(row: Row) -> str:
    """Return where a row ran."""
    return f"{row.backend}, {row.chips} chip{'s' if row.chips > 1 else ''}" if row.chips else row.backend


def cell_text(column: Column, cell: Cell) -> str:
    """Return a number with its spread over seeds and its interval, where there are such."""
    if cell.value is None:
        return ""
    text = column.format(cell.value)
    if cell.spread:
        text += f" ± {column.format(cell.spread, like=cell.value)}"
    if cell.low is not None and cell.high is not None:
        text += f" ({column.format(cell.low)}–{column.format(cell.high)})"
    return text


def shown_columns(standing: Standing) -> list[Column]:
    """Return the columns that some row has a number for."""
    return [
        column
        for column in COLUMNS
        if any(row.cells[column.metric].value is not None for row in standing.rows)
    ]


def common_note(column: Column, standing: Standing) -> str | None:
    """Return the remark that all numbers of a column share."""
    notes = {
        row.cells[column.metric].note for row in standing.rows if row.cells[column.metric].value is not None
    }
    return notes.pop() if len(notes) == 1 else None


def closing_notes(standing: Standing) -> list[str]:
    """Return what holds for the whole table: how ranks came about, and which columns are left out."""
    notes = []
    if any(row.rank for row in standing.rows):
        notes.append(
            "Ranks: those that differences beyond noise leave possible, for all rows at once with 95 % "
            "(paired bootstrap over test samples, and seeds). Rows that share a rank are within noise."
        )
    notes.append("± standard deviation over seeds; ranges are 95 % intervals.")
    shown = shown_columns(standing)
    absent = [column.title for column in COLUMNS if column not in shown]
    if absent:
        notes.append(f"Left out, since no run has them: {'; '.join(absent)}.")
    return notes


def _for_people(standing: Standing, form: str) -> str:
    footnotes = Footnotes()
    shown = shown_columns(standing)
    columns = [column for column in shown if not column.detail]
    common = {column.metric: common_note(column, standing) for column in columns}
    headings = [
        "rank", "model", "backend", "runs",
        *(column.heading + footnotes.mark(common[column.metric]) for column in columns),
        "config",
    ]  # fmt: skip
    lines = []
    for row in standing.rows:
        cells = []
        for column in columns:
            cell = row.cells[column.metric]
            note = None if cell.note == common[column.metric] else cell.note
            cells.append(cell_text(column, cell) + footnotes.mark(note))
        rank = str(row.rank or "–") + footnotes.mark(row.unranked and f"not ranked: {row.unranked}")
        lines.append([rank, row.model, backend_text(row), runs_text(row), *cells, row.config[:8]])
    table = pd.DataFrame(lines, columns=headings)
    notes = [*footnotes.texts(), *closing_notes(standing)]
    if len(columns) < len(shown):
        details = "; ".join(column.title for column in shown if column.detail)
        notes.append(f"In CSV, JSON and on the site as well: {details}.")
    text = render(table, form, title=title(standing), notes=notes)
    if standing.published:
        text += "\n" + render(
            _published(standing.published), form, title=f"Published results on {standing.task}, not run here"
        )
    return text


def _published(results: Sequence[PublishedResult]) -> pd.DataFrame:
    lines = [
        [result.method, result.platform, published_accuracy(result), result.note or "", result.source]
        for result in results
    ]
    return pd.DataFrame(lines, columns=["method", "platform", ACCURACY.heading, "note", "source"])


def published_accuracy(result: PublishedResult) -> str:
    """Return a published accuracy with as many digits as were published, at least one."""
    digits = max(1, len(f"{result.accuracy_percent:g}".partition(".")[2]))
    spread = result.deviation_percent
    text = f"{result.accuracy_percent:.{digits}f}"
    return text if spread is None else f"{text} ± {spread:.{digits}f}"


def _csv_columns() -> list[str]:
    parts = ("standard deviation", "low", "high")
    numbers = [
        name
        for column in COLUMNS
        for name in (column.heading, *(f"{column.title}, {part}" for part in parts))
    ]
    about = ["task", "data", "best rank", "worst rank", "model", "backend", "runs"]
    return [*about, *numbers, "config", "notes"]


def _csv_lines(standing: Standing) -> list[list[Any]]:
    lines = []
    for row in standing.rows:
        numbers, notes = [], []
        for column in COLUMNS:
            cell = row.cells[column.metric]
            numbers += [_digits(value) for value in (cell.value, cell.spread, cell.low, cell.high)]
            notes += [f"{column.title}: {cell.note}"] if cell.note else []
        if row.unranked:
            notes.insert(0, f"not ranked: {row.unranked}")
        rank = (row.rank.best, row.rank.worst) if row.rank else ("", "")
        about = [standing.task, standing.data, *rank, row.model, backend_text(row), runs_text(row)]
        lines.append([*about, *numbers, row.config[:8], "; ".join(notes)])
    return lines


def _digits(value: float | None) -> str:
    """Return a number with ten digits: as exact as anyone needs, and without the noise of the last bits."""
    return "" if value is None else f"{value:.10g}"


def _json(standing: Standing) -> dict[str, Any]:
    about = ("title", "unit", "better", "meaning")
    return {
        "task": standing.task,
        "test_data": standing.data,
        "ranking": f"95 % simultaneous; a ranked row needs {MINIMUM_SEEDS} seeds",
        "columns": {column.metric: {name: getattr(column, name) for name in about} for column in COLUMNS},
        "rows": [_json_row(row) for row in standing.rows],
        "p_values": [
            [None if math.isnan(value) else float(_digits(value)) for value in line]
            for line in standing.p_values
        ],
        "published": [
            {key: value for key, value in vars(result).items() if value is not None}
            for result in standing.published
        ],
    }


def _json_row(row: Row) -> dict[str, Any]:
    cells = {}
    for metric, cell in row.cells.items():
        numbers = {
            name: float(_digits(value))
            for name, value in vars(cell).items()
            if name != "note" and value is not None
        }
        cells[metric] = {**numbers, **({"note": cell.note} if cell.note else {})}
    return {
        "rank": [row.rank.best, row.rank.worst] if row.rank else None,
        "unranked": row.unranked,
        "model": row.model,
        "backend": row.backend,
        "chips": row.chips,
        "seeds": row.seeds,
        "unfinished": row.unfinished,
        "config": row.config,
        "cells": cells,
        "runs": list(row.paths),
    }
