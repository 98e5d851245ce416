"""The benchmarks of all parts in one table."""

import pandas as pd
import pytest

from hearspike.baselines.spiking_benchmark import Workload, fused_benchmark
from hearspike.errors import InputError
from hearspike.leaderboard.bench import RATIOS, bench, one_row_per_number


def test_tables_of_all_parts_have_one_form() -> None:
    """Words and whole numbers become the workload, every other number a row, what is missing nothing."""
    table = pd.DataFrame(
        [
            {"preset": "a", "threads": 1, "wall_s": 0.5, "times_published": None},
            {"preset": "b", "threads": 2, "wall_s": 0.25, "times_published": 3.0},
        ]
    )
    rows = {tuple(row) for row in one_row_per_number("converter", table).itertuples(index=False)}
    assert rows == {
        ("converter", "a, 1 threads", "wall_s", 0.5),
        ("converter", "b, 2 threads", "wall_s", 0.25),
        ("converter", "b, 2 threads", "times_published", 3.0),
    }


def test_fused_layers_have_a_ratio_that_regressions_are_told_by() -> None:
    """Against plain torch in the same run; a step on three samples takes time with both."""
    workload = Workload(name="tiny", hidden=8, recurrent=True, samples=3, steps=10)
    (row,) = fused_benchmark(workload=workload, repeats=1)
    assert row.ratio_to_torch_loop == pytest.approx(row.torch_loop_ms / row.fused_ms)
    assert row.fused_ms > 0
    assert "ratio_to_torch_loop" in RATIOS


def test_unknown_parts_are_refused() -> None:
    """The error names the parts there are."""
    with pytest.raises(InputError, match="converter, emulator, loading, snn, fused, all"):
        bench("brain")
