"""The table shows what the records say, and leaves empty what they do not."""

import csv
import io
from typing import Any

import pytest

from hearspike.errors import InputError
from hearspike.leaderboard.metrics import Metric
from hearspike.leaderboard.record import Record
from hearspike.leaderboard.table import leaderboard, render

FILES = {"test.h5": "0123456789abcdef"}


def run(model: str, seed: int, accuracy: float | None, **changes: Any) -> Record:
    metrics = {
        "accuracy": Metric(accuracy, "1", "higher", interval=(0.4, 0.6)),
        "energy_per_sample": Metric(2e-6, "J", "lower", kind="modelled", model={"name": "45 nm"}),
    }
    config = {"model": {"name": model}, "seed": seed, "dataset": {"name": "digits", "test": "test.h5"}}
    fields: dict[str, Any] = {
        "status": "complete" if accuracy is not None else "failed",
        "reason": None if accuracy is not None else "no",
        "task": {"name": "digits", "sha256": FILES} if accuracy is not None else {"name": "digits"},
        "model": model,
        "backend": "software",
        "seed": seed,
        "config": config,
        "metrics": metrics if accuracy is not None else {},
        "created": f"2026-01-01T00:00:0{seed}",
        **changes,
    }
    return Record(**fields)


def rows(records: list[Record]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(leaderboard(records), "csv"))))


def test_rows_gather_seeds_and_are_ranked() -> None:
    """Mean and sample standard deviation over seeds; the better model first, whatever the order."""
    table = rows([run("a", 0, 0.5), run("b", 0, 0.9), run("a", 1, 0.7), run("b", 1, 0.8)])
    assert [(row["model"], row["runs"], row["accuracy (%)"]) for row in table] == [
        ("b", "2", "85.0 ± 7.1"),
        ("a", "2", "60.0 ± 14.1"),
    ]
    assert table[0]["energy/sample (µJ, modelled)"] == "2.000 ± 0.000"
    assert table[0]["energy model"] == "45 nm"


def test_one_run_shows_its_interval() -> None:
    """Without a second seed there is no spread over seeds, but an interval over samples."""
    assert rows([run("a", 0, 0.5)])[0]["accuracy (%)"] == "50.0 [40.0, 60.0]"


def test_failed_runs_are_counted_not_averaged() -> None:
    """A failed run is told of beside the number of complete ones."""
    table = rows([run("a", 0, 0.5), run("a", 1, None)])
    assert [(row["runs"], row["accuracy (%)"]) for row in table if row["accuracy (%)"]] == [
        ("1 (1 failed)", "50.0 [40.0, 60.0]")
    ]
    assert len(table) == 1


def test_only_failed_runs_give_an_empty_row() -> None:
    """There is no number where nothing was measured."""
    (row,) = rows([run("a", 0, None)])
    assert (row["runs"], row["accuracy (%)"], row["samples/s"]) == ("0 (1 failed)", "", "")


def test_a_repeated_run_counts_once() -> None:
    """The same configuration on the same data again replaces the older record."""
    older, newer = run("a", 0, 0.5), run("a", 0, 0.6, created="2027-01-01T00:00:00")
    assert rows([newer, older])[0]["accuracy (%)"] == "60.0 [40.0, 60.0]"
    assert rows([newer, older])[0]["runs"] == "1"


def test_other_data_is_another_row() -> None:
    """Runs on files with another checksum never share a row."""
    other = {"name": "digits", "sha256": {"test.h5": "fedcba9876543210"}}
    assert len(rows([run("a", 0, 0.5), run("a", 1, 0.5, task=other)])) == 2


@pytest.mark.parametrize("form", ["text", "markdown", "csv"])
def test_every_form_shows_every_row_and_is_the_same_again(form: str) -> None:
    """Names with signs of the format's own stay readable; the order of records does not matter."""
    records = [run("a|b, <i>[bold]", 0, 0.5), run("c", 0, 0.9)]
    text = render(leaderboard(records), form)
    assert "<i>[bold]" in text
    assert text == render(leaderboard(records[::-1]), form)
    assert "90.0" in text


def test_unknown_form_is_refused() -> None:
    """The error lists the forms."""
    with pytest.raises(InputError, match="text, markdown, csv"):
        render(leaderboard([run("a", 0, 0.5)]), "pdf")
