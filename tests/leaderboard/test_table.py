"""A table comes out in every form with the signs of the form escaped."""

import csv
import html
import io
import json
from html.parser import HTMLParser

import pandas as pd
import pytest

from hearspike.errors import InputError
from hearspike.leaderboard.table import FORMATS, render

HOSTILE = "<script>alert(1)</script> | a&b_c%d$e#f{g}~h^i\\j *k* `l` [m](n) \x1b[31m"
TABLE = pd.DataFrame({"name": [HOSTILE, "linear_svm"], "value": ["1 ± 2", None]})


class Texts(HTMLParser):
    """Gathers the tags and the text of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_csv_and_json_read_back() -> None:
    """The parsers of Python give the cells as they were."""
    rows = list(csv.DictReader(io.StringIO(render(TABLE, "csv"))))
    assert [row["name"] for row in rows] == [HOSTILE, "linear_svm"]
    assert json.loads(render(TABLE, "json"))[0] == {"name": HOSTILE, "value": "1 ± 2"}


def test_html_holds_names_as_text() -> None:
    """A parser finds no tag but those of the table, and the name as it was."""
    parser = Texts()
    parser.feed(render(TABLE, "html", title="<b>", notes=["<i>"]))
    assert parser.tags == {"table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
    assert {HOSTILE, "<b>", "<i>"} <= set(parser.texts)


def test_markdown_has_the_same_number_of_cells_in_every_row() -> None:
    """No sign of a name ends a cell, opens a tag or a link, or emphasises; a plain name stays plain."""
    text = render(TABLE, "markdown", title="T", notes=["one", "two"])
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = {line.replace(r"\|", "").count("|") for line in lines}
    assert cells == {3}
    assert "<script" not in text
    assert r"\[m\](n)" in text
    assert r"\*k\*" in text
    assert "linear_svm" in text
    assert html.unescape(lines[2]).count("<script>") == 1


def test_latex_escapes_what_latex_reads() -> None:
    """Every special sign is a command; a row has as many ampersands as it has columns less one."""
    text = render(TABLE, "latex")
    row = next(line for line in text.splitlines() if "script" in line)
    assert row.replace(r"\&", "").count("&") == 1
    for sign in (
        r"\_",
        r"\%",
        r"\$",
        r"\#",
        r"\{",
        r"\textasciitilde{}",
        r"\textbackslash{}j",
        r"\textless{}",
    ):
        assert sign in row
    assert r"$\pm$" in row


def test_text_cannot_steer_a_terminal() -> None:
    """Control characters are left out; marks of rich are text."""
    text = render(pd.DataFrame({"name": [f"[bold]x[/bold] {HOSTILE}"]}), "text", title="\x1b[2J")
    assert "\x1b" not in text
    assert "[bold]x[/bold] <script>" in text


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_shows_every_row(form: str) -> None:
    """And the same again is the same bytes."""
    assert "svm" in render(TABLE, form)
    assert render(TABLE, form) == render(TABLE.copy(), form)


def test_unknown_form_is_refused() -> None:
    """The error lists the forms."""
    with pytest.raises(InputError, match="text, markdown, csv, latex, json, html"):
        render(TABLE, "pdf")
