"""The leaderboard as a static site: opens from disk, needs no network and no script, the same bytes again."""

import base64
import hashlib
import math
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

import hearspike
from hearspike.errors import InputError
from hearspike.files import new_folder
from hearspike.leaderboard import standings_forms as forms
from hearspike.leaderboard.columns import ACCURACY, COLUMNS, Column
from hearspike.leaderboard.plots import Point, histogram, scatter, whisker
from hearspike.leaderboard.ranking import ERROR_RATE
from hearspike.leaderboard.record import Record
from hearspike.leaderboard.run_page import Figure, run_context
from hearspike.leaderboard.standings import Cell, Row, Standing, standings
from hearspike.leaderboard.store import load_records

if TYPE_CHECKING:
    import jinja2

ASSETS = Path(__file__).with_name("site")
_MARK = '<meta name="generator" content="hearspike leaderboard">'


def write_site(runs: Path, page: Path) -> int:
    """Write the site of the runs below a folder; a site that stands there already is replaced as a whole.

    Parameters
    ----------
    runs
        Folder with runs.
    page
        Folder of the site, whose ``index.html`` is the leaderboard.

    Returns
    -------
    count
        Number of runs that the tables are made of, each with a page of its own.

    Raises
    ------
    InputError
        If there are no such runs, or the folder of the site holds anything else.
    """
    tables = standings(runs)
    paths = [path for table in tables for row in table.rows for path in row.paths]
    _refuse_other(page)
    records = load_records(runs, paths)
    links = {path: f"runs/{_slug(path)}.html" for path in paths}
    with _replaced(page) as folder:
        names = [table.task for table in tables]
        views = [
            _view(table, index, records, links, alone=names.count(table.task) == 1)
            for index, table in enumerate(tables)
        ]
        (folder / "runs").mkdir()
        (folder / "index.html").write_text(_fill("index.html.j2", standings=views, wave=_wave()), "utf-8")
        for path, record in records.items():
            context = run_context(record, runs / path, path)
            (folder / links[path]).write_text(_fill("run.html.j2", **context), "utf-8")
    return len(paths)


def _refuse_other(page: Path) -> None:
    index = page / "index.html"
    if page.exists() and not (index.is_file() and _MARK in index.read_text("utf-8", errors="replace")):
        raise InputError("--page", str(page), "a new folder, or that of a site which hearspike made")


@contextmanager
def _replaced(page: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of an old one on success, as a whole."""
    if not page.exists():
        with new_folder(page) as folder:
            yield folder
        return
    fresh, old = (page.with_name(f".{page.name}-{word}-{os.getpid()}") for word in ("new", "old"))
    try:
        with new_folder(fresh) as folder:
            yield folder
        page.rename(old)
        fresh.rename(page)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _slug(path: str) -> str:
    """Return a file name for the page of a run: readable, and different for different runs."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-")[-60:]
    return f"{readable}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


@cache
def _environment() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = ((ASSETS / name).read_text("utf-8") for name in ("style.css", "script.js"))
    # Nothing may run, load or be sent but the page's own style and script, known by their checksums.
    policy = (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    environment.globals |= {
        "style": Markup(style),  # noqa: S704  # a file of the package
        "script": Markup(script),  # noqa: S704  # a file of the package
        "policy": policy,
        "version": hearspike.__version__,
    }
    environment.filters["breakable"] = _breakable
    return environment


def _breakable(name: str) -> Markup:
    """Return a long name that may be broken behind its underscores and slashes."""
    return Markup("<wbr>").join(re.split(r"(?<=[_/])(?=\w\w)", name))


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _fill(template: str, **context: Any) -> str:  # noqa: ANN401  # what templates show
    return _environment().get_template(template).render(**context) + "\n"


@dataclass(frozen=True)
class _Run:
    path: str
    link: str
    record: Record
    accuracy: str


class _View:
    """What the template shows of one standing."""

    FEW_YIELDS = 3
    """Histograms of chips that are shown at once; more are folded away."""

    def __init__(self, standing: Standing, number: int, links: dict[str, str], *, alone: bool) -> None:
        self.standing, self.links = standing, links
        self.id = f"task-{number + 1}"
        self.title = forms.title(standing)
        self.name = standing.task if alone else self.title
        self.columns = forms.shown_columns(standing)
        self.common = {column.metric: forms.common_note(column, standing) for column in self.columns}
        self.closing = forms.closing_notes(standing)
        self.footnotes = forms.Footnotes()
        self.runs = sum(len(row.paths) for row in standing.rows)
        self.figures: list[Figure] = []
        self.yields: list[Figure] = []
        self.all_runs: list[_Run] = []
        self.within_noise = _within_noise(standing)
        self.backend_text, self.runs_text = forms.backend_text, forms.runs_text
        self.published_accuracy, self.whisker = forms.published_accuracy, whisker

    def mark(self, note: str | None) -> Markup:
        """Return a sign that leads to a footnote, nothing for none."""
        if not note:
            return Markup("")
        number = self.footnotes.number(note)
        return Markup('<sup><a href="#{}-note-{}" aria-label="note {}">{}</a></sup>').format(
            self.id, number, number, number
        )

    @staticmethod
    def spread(column: Column, cell: Cell) -> str:
        """Return the deviation over seeds as text, nothing where there is none."""
        return column.format(cell.spread, like=cell.value) if cell.spread else ""


def _view(
    standing: Standing, number: int, records: dict[str, Record], links: dict[str, str], *, alone: bool
) -> _View:
    view = _View(standing, number, links, alone=alone)
    for row in standing.rows:
        for path in row.paths:
            score = records[path].metrics.get(ACCURACY.metric)
            accuracy = f"{100 * score.value:.1f}" if score and score.value is not None else ""
            view.all_runs.append(_Run(path, links[path], records[path], accuracy))
    for metric, title in (
        ("energy_per_sample", "Accuracy and energy"),
        ("spikes_per_sample", "Accuracy and spikes"),
    ):
        view.figures += _trade_off(standing, metric, title, view.id)
    for row in standing.rows:
        view.yields += _chip_yield(row, records)
    return view


def _trade_off(standing: Standing, metric: str, title: str, anchor: str) -> list[Figure]:
    """Return the picture of accuracy over a cost, if there are two rows to compare."""
    column = next(column for column in COLUMNS if column.metric == metric)
    points = []
    for index, row in enumerate(standing.rows, 1):
        cost, score = row.cells[metric].value, row.cells[ACCURACY.metric]
        if cost and score.value is not None:
            link = f"#{anchor}-{index}"
            points.append(Point(row.model, row.backend, cost, score.value, score.low, score.high, link))
    if len(points) < 2:
        return []
    picture = scatter(points, title=title, x_title=f"{column.heading}, logarithmic", y_title=ACCURACY.heading)
    left_out = len(standing.rows) - len(points)
    caption = "The dotted line joins the rows that no other beats in both. "
    caption += "Circles: software; squares: emulated chips. "
    if metric == "energy_per_sample":
        caption += "Energies of different models are not measured on one scale. "
    if left_out:
        caption += f"Not drawn: {left_out}, for which the model says nothing or no cost at all."
    return [Figure(title, picture, caption.strip())]


def _chip_yield(row: Row, records: dict[str, Record]) -> list[Figure]:
    entries = [records[path].chips for path in row.paths]
    values = [100 * value for entry in entries if entry for value in entry["accuracies"]]
    if not values:
        return []
    picture = histogram(values, title=f"Chips of {row.model}", x_title=ACCURACY.heading)
    runs = "the run" if row.seeds == 1 else f"each of {row.seeds} runs"
    caption = f"Each chip of {runs} counts once; configuration {row.config[:8]}."
    return [Figure(f"Yield of chips: {row.model}", picture, caption)]


def _within_noise(standing: Standing) -> list[tuple[str, str, str]]:
    names = [f"{row.model} ({forms.backend_text(row)})" for row in standing.rows]
    pairs = []
    for first in range(len(names)):
        for second in range(first + 1, len(names)):
            p = standing.p_values[first, second]
            if not math.isnan(p) and p > ERROR_RATE:
                pairs.append((names[first], names[second], f"{p:.2f}"))
    return pairs


def _wave() -> Markup:
    """Draw a wave that travels along the basilar membrane and dies at its place, as strokes."""
    strokes = []
    for index in range(200):
        place = index / 200
        envelope = (
            (place / 0.62) ** 2 * math.exp(2.2 * (1 - place / 0.62))
            if place < 0.62
            else (math.exp(-(((place - 0.62) / 0.07) ** 2)))
        )
        phase = 34 * math.expm1(1.9 * place)
        height = 2 + 30 * envelope * abs(math.sin(phase / 2))
        strokes.append(f"M{5 * index + 2},{36 - height:.1f}V{36 + height:.1f}")
    return Markup(
        '<svg class="wave" viewBox="0 0 1000 72" preserveAspectRatio="none" aria-hidden="true">'
        '<path d="{}"/></svg>'
    ).format("".join(strokes))
