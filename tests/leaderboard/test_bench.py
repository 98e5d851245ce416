"""The benchmarks of all parts in one table."""

import pandas as pd
import pytest

from hearspike.errors import InputError
from hearspike.leaderboard.bench import bench, one_row_per_number


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


def test_unknown_parts_are_refused() -> None:
    """The error names the parts there are."""
    with pytest.raises(InputError, match="converter, emulator, loading, snn, all"):
        bench("brain")
