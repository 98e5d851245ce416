"""Reports average what belongs together and nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hearspike.errors import InputError
from hearspike.leaderboard.metrics import Metric
from hearspike.leaderboard.record import Record
from hearspike.leaderboard.report_figures import save_figure
from hearspike.leaderboard.reports import as_text, report


def record(metrics: dict[str, float], **fields: Any) -> Record:
    values = {name: Metric(value, "1", "higher") for name, value in metrics.items()}
    config = {"dataset": {"name": "fsdd"}, **fields.pop("config", {})}
    task = {"name": "fsdd", **fields.pop("task", {})}
    start = Record("complete", None, task, "cnn", "software", 0, config, metrics=values)  # type: ignore[arg-type]
    return replace(start, **fields)


def speaker_runs() -> list[Record]:
    return [
        record(
            {"accuracy_known_speakers": known, "accuracy_unseen_speakers": unseen},
            task={"split": {"name": "FewerSpeakers", "speakers": speakers, "rotation": rotation}},
        )
        for speakers, rotation, known, unseen in [(1, 0, 0.9, 0.2), (1, 1, 0.8, 0.4), (2, 0, 0.7, 0.5)]
    ]


def gap_runs() -> list[Record]:
    return [
        record(
            {"accuracy_unseen_speakers": value},
            task={"input_spikes_per_sample": {"test": spikes}},
            config={"representation": {"name": name, "spikes": name != "log-mel"}},
        )
        for name, value, spikes in [("log-mel", 0.6, 5.0), ("speech", 0.5, 2000.0), ("speech", 0.7, 3000.0)]
    ]


def probe_runs() -> list[Record]:
    probe = {"jitter_ms": [1, 10], "event_loss": [0.5], "retrain": ["uniform_times"]}
    names = ["", "_uniform_times", "_shuffled_intervals", "_reversed", "_jitter_1ms", "_jitter_10ms"]
    names += ["_event_loss_50pct", "_uniform_times_retrained"]
    metrics = {f"accuracy{name}": 0.9 - 0.1 * number for number, name in enumerate(names)}
    return [record(metrics, config={"probe": probe})]


def test_speakers() -> None:
    """By number of voices, over rotations; known and unseen apart."""
    table = report("speakers", speaker_runs()).set_index(["speakers", "tested on"])
    assert table.loc[(1, "unseen"), "mean"] == pytest.approx(0.3)
    assert table.loc[(1, "known"), "mean"] == pytest.approx(0.85)
    assert table.loc[(2, "unseen"), "runs"] == 1


def test_representation() -> None:
    """Best first; what has no spikes has no number of them."""
    table = report("representation", gap_runs())
    assert table["mean"].is_monotonic_decreasing
    rows = table.set_index("representation")
    assert rows.loc["speech", "spikes"] == 2500.0
    assert rows.loc["speech", "mean"] == pytest.approx(0.6)
    assert rows["spikes"].isna().to_dict() == {"log-mel": True, "speech": False}


def test_timing() -> None:
    """Every treatment finds its own metric."""
    table = report("timing", probe_runs())
    means = {(row.treatment, row.amount): row.mean for row in table.fillna(-1).itertuples()}
    assert means[("none", -1)] == pytest.approx(0.9)
    assert means[("jitter", 10)] == pytest.approx(0.4)
    assert means[("event loss", 0.5)] == pytest.approx(0.3)
    assert means[("uniform_times, retrained", -1)] == pytest.approx(0.2)
    assert len(means) == 8


@pytest.mark.parametrize("runs", [speaker_runs, gap_runs, probe_runs])
def test_runs_with_other_settings_are_other_rows(runs: Any) -> None:
    """A shorter training is not averaged with a longer one; another seed is."""
    name = {speaker_runs: "speakers", gap_runs: "representation", probe_runs: "timing"}[runs]
    shorter = [replace(run, config={**run.config, "training": {"epochs": 1}}) for run in runs()]
    seeds = [replace(run, config={**run.config, "seed": 1}, seed=1) for run in runs()]
    alone = report(name, runs())
    assert len(report(name, [*runs(), *shorter])) == 2 * len(alone)
    both = report(name, [*runs(), *seeds])
    assert list(both["runs"]) == [2 * count for count in alone["runs"]]


@pytest.mark.parametrize("runs", [speaker_runs, gap_runs, probe_runs])
def test_runs_that_did_not_end_are_left_out(runs: Any) -> None:
    """A failed run with numbers would not count, and other experiments' runs are no rows."""
    name = {speaker_runs: "speakers", gap_runs: "representation", probe_runs: "timing"}[runs]
    others = [run for make in (speaker_runs, gap_runs, probe_runs) if make is not runs for run in make()]
    failed = [replace(run, status="failed") for run in runs()]
    assert report(name, [*runs(), *failed, *others]).equals(report(name, runs()))
    with pytest.raises(InputError, match="no record for the report"):
        report(name, [*failed, *others])


def test_unknown_report_is_refused() -> None:
    """By name, with those there are."""
    with pytest.raises(InputError, match="one of timing, speakers, representation"):
        report("weather", [])


@pytest.mark.parametrize(
    ("name", "runs"), [("speakers", speaker_runs), ("representation", gap_runs), ("timing", probe_runs)]
)
def test_figure_shows_the_numbers(name: str, runs: Any, tmp_path: Path) -> None:
    """The same records give the same file to the byte; other numbers another one."""
    table = report(name, runs())
    for file in ("first.svg", "again.svg"):
        save_figure(name, table, tmp_path / file)
    save_figure(name, table.assign(mean=table["mean"] * 0.9), tmp_path / "other.svg")
    first, again, other = ((tmp_path / f"{file}.svg").read_bytes() for file in ("first", "again", "other"))
    assert first == again
    assert first != other
    assert "accuracy (%)" in as_text(table)
    with pytest.raises(InputError, match="--figure"):
        save_figure(name, table, tmp_path / "figure.doc")
