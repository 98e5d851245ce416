"""Write a table in forms that people read, paste or parse; each escapes what is its own."""

import html
import io
import json
import re
from collections.abc import Callable, Sequence

import pandas as pd

from hearspike.errors import InputError

FORMATS = ("text", "markdown", "csv", "latex", "json", "html")

_LATEX = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "–": "--",
    "µ": r"\textmu{}",
    "√": r"$\surd$",
    "→": r"$\rightarrow$",
    **{sign: f"\\textsuperscript{{{digit}}}" for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    "\n": " ",
}
_MARKDOWN = {sign: f"\\{sign}" for sign in "\\`*_{}[]|#~$"} | {
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
    "\n": " ",
}


def render(
    table: pd.DataFrame,
    form: str,
    *,
    title: str | None = None,
    notes: Sequence[str] = (),
    width: int | None = None,
) -> str:
    """Write a table.

    Parameters
    ----------
    table
        Anything in its cells; missing values are empty.
    form
        One of `FORMATS`.
    title
        Stands above the table, in forms for people.
    notes
        Stand below the table, in forms for people.
    width
        Characters per line of the text form; as many as needed if None.

    Raises
    ------
    InputError
        If the format is unknown.
    """
    texts = table.map(lambda cell: "" if pd.isna(cell) else str(cell))
    writers: dict[str, Callable[[], str]] = {
        "text": lambda: _text(texts, title, notes, width),
        "markdown": lambda: _markdown(texts, title, notes),
        "csv": lambda: texts.to_csv(index=False, lineterminator="\n"),
        "latex": lambda: _latex(texts, title, notes),
        "json": lambda: json_text(json.loads(table.to_json(orient="records"))),
        "html": lambda: _html(texts, title, notes),
    }
    check_format(form)
    return writers[form]()


def check_format(form: str) -> None:
    """Refuse a format that is unknown.

    Raises
    ------
    InputError
        Lists the formats.
    """
    if form not in FORMATS:
        raise InputError("--format", form, f"one of {', '.join(FORMATS)}")


def json_text(value: object) -> str:
    """Return JSON for people and diffs."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _text(table: pd.DataFrame, title: str | None, notes: Sequence[str], width: int | None) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=io.StringIO(), width=width or 1000, color_system=None)
    grid = Table(box=None, header_style="", pad_edge=False)
    for name in table.columns:
        grid.add_column(Text(_one_line(str(name))), overflow="fold")
    for row in table.itertuples(index=False):
        grid.add_row(*(Text(_one_line(cell)) for cell in row))
    if title:
        console.print(Text(f"{_one_line(title)}\n"))
    console.print(grid)
    for note in notes:
        console.print(Text(_one_line(note)), soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    return "".join(line.rstrip() + "\n" for line in console.file.getvalue().splitlines())


def _one_line(text: str) -> str:
    """Return text whose control characters cannot steer a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _markdown(table: pd.DataFrame, title: str | None, notes: Sequence[str]) -> str:
    escaped = table.map(_escape_markdown).rename(columns=lambda name: _escape_markdown(str(name)))
    parts = [f"### {_escape_markdown(title)}"] if title else []
    parts.append(str(escaped.to_markdown(index=False, disable_numparse=True)))
    # Two spaces end a line, so that notes stay one below the other.
    parts += ["  \n".join(_escape_markdown(note) for note in notes)] if notes else []
    return "\n\n".join(parts) + "\n"


def _escape_markdown(text: str) -> str:
    # An underscore inside a word means nothing in Markdown.
    inside = re.compile(r"(?<=[^\W_])\\_(?=[^\W_])")
    return inside.sub("_", "".join(_MARKDOWN.get(sign, sign) for sign in text))


def _latex(table: pd.DataFrame, title: str | None, notes: Sequence[str]) -> str:
    """Write a tabular of the package booktabs."""
    lines = [f"% {_one_line(title)}"] if title else []
    lines += [f"\\begin{{tabular}}{{{'l' * len(table.columns)}}}", r"\toprule"]
    rows = [[str(name) for name in table.columns], *table.to_numpy().tolist()]
    body = [" & ".join(_escape_latex(cell) for cell in row) + r" \\" for row in rows]
    lines += [body[0], r"\midrule", *body[1:], r"\bottomrule", r"\end{tabular}"]
    if notes:
        lines += ["", *(f"{_escape_latex(note)}\\par" for note in notes)]
    return "\n".join(lines) + "\n"


def _escape_latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text)


def _html(table: pd.DataFrame, title: str | None, notes: Sequence[str]) -> str:
    """Write a fragment to be pasted into a page; `hearspike leaderboard --page` writes whole pages."""
    cells = [f'    <th scope="col">{html.escape(str(name))}</th>' for name in table.columns]
    lines = ["<table>"]
    if title:
        lines.append(f"  <caption>{html.escape(title)}</caption>")
    lines += ["  <thead><tr>", *cells, "  </tr></thead>", "  <tbody>"]
    for row in table.itertuples(index=False):
        lines.append("  <tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>")
    lines += ["  </tbody>", "</table>", *(f"<p>{html.escape(note)}</p>" for note in notes)]
    return "\n".join(lines) + "\n"
