"""The verdicts of a comparison with a baseline."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearspike.errors import InputError
from hearspike.leaderboard.regression import Baseline, compare, read_baseline, write_baseline

Run = Callable[..., Any]
ROW = "model=rsnn"
DEMO_BASELINE = Path(__file__).with_name("demo_baseline.json")


def baseline(**values: list[float]) -> Baseline:
    """A baseline of one row."""
    seeds = list(range(len(next(iter(values.values())))))
    return Baseline([], [], [ROW], seeds, {ROW: values}, ["snn"], {"snn": {"recurrent": 6.0}})


def verdicts(then: Baseline, now: Baseline) -> dict[str, str]:
    """Metric → verdict."""
    return {item.metric: item.verdict for item in compare(then, now)}


def test_no_change_is_the_same() -> None:
    """Equal values leave an interval of no width."""
    then = baseline(accuracy=[0.5, 0.6], spikes_per_sample=[100.0, 110.0])
    assert set(verdicts(then, then).values()) == {"the same"}


@pytest.mark.parametrize(("shift", "expected"), [(-0.05, "worse"), (0.05, "better"), (0.005, "the same")])
def test_shift_of_all_seeds_is_judged_by_the_margin(shift: float, expected: str) -> None:
    """A margin of 2 points: 5 points down is worse, up is better, half a point does not matter."""
    then = baseline(accuracy=[0.50, 0.52, 0.55])
    now = baseline(accuracy=[value + shift for value in (0.50, 0.52, 0.55)])
    assert verdicts(then, now)["accuracy"] == expected


def test_more_spikes_are_worse_and_fewer_better() -> None:
    """The direction is that of the metric."""
    then = baseline(spikes_per_sample=[100.0, 100.0])
    assert verdicts(then, baseline(spikes_per_sample=[120.0, 120.0]))["spikes_per_sample"] == "worse"
    assert verdicts(then, baseline(spikes_per_sample=[80.0, 80.0]))["spikes_per_sample"] == "better"


def test_noise_alone_is_called_worse_no_more_often_than_stated() -> None:
    """Equal means, the spread of five seeds: 'worse' needs an interval below 0, which 5 % of draws have."""
    rng = np.random.default_rng(0)
    then = baseline(accuracy=[0.5] * 5)
    draws = [baseline(accuracy=list(0.5 + 0.04 * rng.standard_normal(5))) for _ in range(400)]
    worse = sum(verdicts(then, now)["accuracy"] == "worse" for now in draws)
    # Binomial(400, 0.05) exceeds 36 with probability 2e-4; the margin lowers it further.
    assert worse <= 36
    assert sum(verdicts(then, now)["accuracy"] == "undecided" for now in draws) > 200


def test_speed_that_fell_to_a_quarter_is_worse() -> None:
    """A ratio to another implementation may fall by 3, no further."""
    then = baseline(accuracy=[0.5, 0.5])
    slow = dataclasses.replace(then, speed={"snn": {"recurrent": 1.5}})
    fine = dataclasses.replace(then, speed={"snn": {"recurrent": 2.5}})
    assert verdicts(then, slow)["recurrent: ratio"] == "worse"
    assert verdicts(then, fine)["recurrent: ratio"] == "the same"


def test_file_keeps_a_baseline(tmp_path: Path) -> None:
    """What is written is read; another schema, one seed and missing values are refused."""
    then = baseline(accuracy=[0.5, 0.6])
    write_baseline(then, tmp_path / "baseline.json")
    assert read_baseline(tmp_path / "baseline.json") == then
    write_baseline(baseline(accuracy=[0.5]), tmp_path / "one.json")
    with pytest.raises(InputError, match="at least two"):
        read_baseline(tmp_path / "one.json")
    (tmp_path / "other.json").write_text(json.dumps({"schema": "x"}))
    with pytest.raises(InputError, match="hearspike-baseline/1"):
        read_baseline(tmp_path / "other.json")
    with pytest.raises(InputError, match="one for each seed"):
        compare(then, dataclasses.replace(then, values={}))


def test_demo_task_has_not_become_worse(hearspike: Run) -> None:
    """The baseline of the repository: synthetic speech, three seeds, and the speed of fused layers."""
    pytest.importorskip("espeakng_loader", reason="synthetic digits need hearspike[synthetic]")
    result = hearspike("regress", "--against", DEMO_BASELINE)
    assert result.returncode == 0, result.stdout + result.stderr
    rows = [line for line in result.stdout.splitlines() if "model=" in line or "bench fused" in line]
    assert len(rows) == 9
    assert not any("worse" in row for row in rows)
