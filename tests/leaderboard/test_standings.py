"""Standings show what the records say, rank what can be ranked, and leave empty, with a reason, the rest."""

import csv
import dataclasses
import io
import json
import shutil
import statistics
from pathlib import Path
from typing import Any

import pytest

from hearspike.leaderboard.columns import COLUMNS
from hearspike.leaderboard.metrics import Metric
from hearspike.leaderboard.ranking import Rank
from hearspike.leaderboard.record import read_record
from hearspike.leaderboard.standings import Standing, standings
from hearspike.leaderboard.standings_forms import render_standings
from hearspike.leaderboard.table import FORMATS


def only(folder: Path) -> Standing:
    (standing,) = standings(folder)
    return standing


@pytest.fixture
def ranked(tmp_path: Path, write_run: Any) -> Path:
    """Three models over five seeds: two alike, one much worse; and one with a single seed."""
    for seed in range(5):
        write_run(tmp_path / f"good-{seed}", model="good", accuracy=0.8, seed=seed)
        write_run(tmp_path / f"alike-{seed}", model="alike", accuracy=0.8, seed=seed)
        write_run(tmp_path / f"bad-{seed}", model="bad", backend="bss2", chips=4, accuracy=0.2, seed=seed)
    write_run(tmp_path / "single", model="single", accuracy=0.9)
    return tmp_path


def test_a_row_is_mean_and_deviation_over_its_seeds(ranked: Path) -> None:
    """Against the statistics module, from the records."""
    row = next(row for row in only(ranked).rows if row.model == "good")
    records = [read_record(ranked / path / "record.json") for path in row.paths]
    values = [100 * (record.metrics["accuracy"].value or 0) for record in records]
    cell = row.cells["accuracy"]
    assert row.seeds == 5
    assert cell.value == pytest.approx(statistics.fmean(values))
    assert cell.spread == pytest.approx(statistics.stdev(values))
    assert cell.low is not None
    assert cell.high is not None
    assert cell.low < statistics.fmean(values) < cell.high


def test_ranks_tell_noise_from_difference(ranked: Path) -> None:
    """The two models alike share ranks, the worse one is third, one seed is not ranked and says why."""
    rows = {row.model: row for row in only(ranked).rows}
    assert (rows["good"].rank, rows["alike"].rank, rows["bad"].rank) == (Rank(1, 2), Rank(1, 2), Rank(3, 3))
    assert rows["single"].rank is None
    assert rows["single"].unranked == "1 seed; a ranked row needs 5"


def test_rows_are_ordered_by_accuracy(ranked: Path) -> None:
    """The best mean first, ranked or not."""
    values = [row.cells["accuracy"].value for row in only(ranked).rows]
    assert values == sorted(values, key=lambda value: -(value or 0))


def test_chips_have_median_and_fifth_percentile(ranked: Path) -> None:
    """From the accuracies of the chips; software has none, and says so."""
    rows = {row.model: row for row in only(ranked).rows}
    chips = [read_record(ranked / path / "record.json").chips for path in rows["bad"].paths]
    medians = [100 * statistics.median(entry["accuracies"]) for entry in chips if entry]
    assert rows["bad"].cells["accuracy_median_chip"].value == pytest.approx(statistics.fmean(medians))
    assert rows["good"].cells["accuracy_median_chip"].value is None
    assert rows["good"].cells["accuracy_median_chip"].note == "no chips: a run in software"


def test_incomplete_cells_are_empty_with_the_reason(tmp_path: Path, write_run: Any) -> None:
    """A metric that one run lacks is not averaged over the others."""
    write_run(tmp_path / "0", seed=0, metrics={"parameters": Metric(10.0, "1", "lower")})
    write_run(tmp_path / "1", seed=1)
    write_run(
        tmp_path / "2", model="b", metrics={"spikes_per_sample": Metric(None, "1", "lower", reason="none")}
    )
    rows = {row.model: row for row in only(tmp_path).rows}
    assert rows["svm"].cells["parameters"].value is None
    assert rows["svm"].cells["parameters"].note == "in 1 of 2 runs only"
    assert rows["b"].cells["spikes_per_sample"].note == "none"


def test_failed_runs_are_counted_not_averaged(tmp_path: Path, write_run: Any) -> None:
    """Beside the number of complete runs; a failed run without data joins the row of its configuration."""
    write_run(tmp_path / "0", seed=0)
    failed = {"predictions": False, "metrics": {}, "status": "failed", "reason": "no"}
    write_run(tmp_path / "1", seed=1, **failed, task="digits", data="")
    write_run(tmp_path / "2", seed=2, **{**failed, "status": "interrupted"})
    write_run(tmp_path / "3", model="never", **failed)
    rows = {row.model: row for row in only(tmp_path).rows}
    assert (rows["svm"].seeds, rows["svm"].unfinished) == (1, {"failed": 1, "interrupted": 1})
    assert rows["never"].cells["accuracy"].value is None
    assert rows["never"].cells["accuracy"].note == "no complete run"


def test_a_repeated_run_counts_once(tmp_path: Path, write_run: Any) -> None:
    """The newest complete run of a configuration on the same data; a later failure does not hide it."""
    write_run(tmp_path / "old", accuracy=0.2, created="2026-01-01T00:00:00")
    write_run(tmp_path / "new", accuracy=0.9, created="2026-01-02T00:00:00")
    write_run(tmp_path / "last", status="failed", reason="no", created="2026-01-03T00:00:00")
    (row,) = only(tmp_path).rows
    assert (row.seeds, row.unfinished, row.paths) == (1, {}, ("new",))


def test_other_data_is_another_table(tmp_path: Path, write_run: Any) -> None:
    """Rows on files with another checksum, or on another split of the same files, never share a table."""
    write_run(tmp_path / "0")
    write_run(tmp_path / "1", seed=1, data="f" * 64)
    write_run(tmp_path / "2", seed=2, split="e" * 64)
    found = standings(tmp_path)
    assert [len(item.rows) for item in found] == [1, 1, 1]
    assert len({item.data for item in found}) == 3


def test_other_settings_are_another_row(tmp_path: Path, write_run: Any) -> None:
    """A model with other settings is not averaged with it."""
    write_run(tmp_path / "0", settings={"hidden": 1})
    write_run(tmp_path / "1", settings={"hidden": 2}, seed=1)
    assert [row.seeds for row in only(tmp_path).rows] == [1, 1]


def test_settings_that_the_model_does_not_have_make_no_row(tmp_path: Path, write_run: Any) -> None:
    """A model without training is the same one whatever the training of others; the newest run counts."""
    for number, epochs in enumerate((1, 2)):
        config = {"model": {"name": "svm"}, "seed": 0, "dataset": {"test": "test.h5"}}
        created = f"2026-01-0{number + 1}"
        write_run(tmp_path / str(number), config={**config, "training": {"epochs": epochs}}, created=created)
    (row,) = only(tmp_path).rows
    assert (row.seeds, row.paths) == (1, ("1",))


def test_published_results_stand_apart(tmp_path: Path, write_run: Any) -> None:
    """They have no rank and no row; all forms but CSV show them with their source."""
    for seed in range(5):
        write_run(tmp_path / str(seed), task="shd", accuracy=0.1, seed=seed)
    standing = only(tmp_path)
    assert [row.model for row in standing.rows] == ["svm"]
    assert standing.rows[0].rank == Rank(1, 1)
    for form in set(FORMATS) - {"csv"}:
        text = render_standings([standing], form)
        assert "83.2" in text
        assert "IEEE TNNLS 33 (2022) 2744" in text
    assert "TNNLS" not in render_standings([standing], "csv")


@pytest.mark.parametrize("form", FORMATS)
def test_same_bytes_from_the_same_records(ranked: Path, tmp_path_factory: Any, form: str) -> None:
    """Another folder of copies, an index made anew: the same table."""
    text = render_standings(standings(ranked), form)
    elsewhere = tmp_path_factory.mktemp("copy") / "runs"
    shutil.copytree(ranked, elsewhere, ignore=shutil.ignore_patterns(".index*"))
    assert render_standings(standings(elsewhere), form) == text


def test_csv_and_json_carry_all_columns_and_reasons(ranked: Path) -> None:
    """Numbers as numbers; what is missing is said in the notes."""
    rows = list(csv.DictReader(io.StringIO(render_standings(standings(ranked), "csv"))))
    content = json.loads(render_standings(standings(ranked), "json"))
    for row, other in zip(rows, content[0]["rows"], strict=True):
        for column in COLUMNS:
            cell = other["cells"][column.metric]
            assert row[column.heading] == (f"{cell['value']:.10g}" if "value" in cell else "")
            assert row[column.heading] or column.title in row["notes"]
            assert "value" in cell or cell["note"]
    assert (rows[-1]["best rank"], rows[-1]["worst rank"]) == ("3", "3")


def test_forms_for_people_say_why_cells_are_empty(ranked: Path) -> None:
    """Every sign at a cell leads to a note, every note has its sign."""
    text = render_standings(standings(ranked), "text")
    body, notes = text.partition("\n¹ ")[0], "¹ " + text.partition("\n¹ ")[2]
    signs = {sign for sign in body if sign in "¹²³⁴⁵⁶⁷⁸⁹"}
    assert signs == {line[0] for line in notes.splitlines() if line[0] in "¹²³⁴⁵⁶⁷⁸⁹"}
    assert "not ranked: 1 seed; a ranked row needs 5" in notes
    assert "Left out, since no run has them" in notes


def test_no_runs_make_no_table(tmp_path: Path) -> None:
    """An empty store is not an error."""
    assert render_standings(standings(tmp_path), "text") == ""
    assert json.loads(render_standings([], "json")) == []


def test_every_metric_of_a_column_is_explained() -> None:
    """Columns differ in title and say what they mean; modelled numbers say so in the title."""
    assert len({column.title for column in COLUMNS}) == len(COLUMNS)
    assert all(column.meaning.endswith(".") for column in COLUMNS)
    assert all("modelled" in column.title for column in COLUMNS if "energy" in column.metric)
    assert dataclasses.is_dataclass(COLUMNS[0])
