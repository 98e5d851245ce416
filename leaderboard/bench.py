"""``hearspike bench``: how fast each part is on this machine."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from hearspike.errors import InputError
from hearspike.leaderboard.config import build, compose, plain

RATIOS = ("ratio_to_snntorch", "ratio_to_torch_loop", "cpu_speed_up", "times_published")
"""Columns that compare with another implementation in the same run."""


def bench(part: str) -> pd.DataFrame:
    """Run the speed benchmark of a part.

    Parameters
    ----------
    part
        ``converter``, ``emulator``, ``loading``, ``snn``, ``fused``, or ``all``.

    Returns
    -------
    table
        One row per workload; the columns are those of the part's own measurement. Of all parts together, one
        row per number: part, workload, quantity, value.

    Raises
    ------
    InputError
        If the part has no benchmark.
    """
    benchmarks: dict[str, Callable[[], list[object]]] = {
        "converter": _converter,
        "emulator": _emulator,
        "loading": _loading,
        "snn": _snn,
        "fused": _fused,
    }
    if part == "all":
        return pd.concat([one_row_per_number(name, bench(name)) for name in benchmarks], ignore_index=True)
    if part not in benchmarks:
        raise InputError("bench", part, f"one of {', '.join([*benchmarks, 'all'])}")
    return pd.DataFrame([vars(row) for row in benchmarks[part]()])


def one_row_per_number(part: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a part's table in the form of all parts: words and whole numbers name the workload."""
    named = [
        str(name) for name in table if not pd.api.types.is_float_dtype(table[name]) and name not in RATIOS
    ]
    workloads = [", ".join(_name(row, named)) for _, row in table.iterrows()]
    numbers = table.drop(columns=named).assign(part=part, workload=workloads)
    long = numbers.melt(id_vars=["part", "workload"], var_name="quantity", value_name="value")
    return long.dropna(subset=["value"]).reset_index(drop=True)


def _name(row: "pd.Series[Any]", named: list[str]) -> list[str]:
    """Return words as they are and numbers with their name, such as ``2 threads``."""
    return [str(row[name]) if isinstance(row[name], str) else f"{row[name]} {name}" for name in named]


def ratios(part: str) -> dict[str, float]:
    """Run a part's benchmark; return for each workload how many times faster it is than another library."""
    found = one_row_per_number(part, bench(part))
    found = found[found["quantity"].isin(RATIOS)]
    return dict(zip(found["workload"], map(float, found["value"]), strict=True))


def _converter() -> list[object]:
    from hearspike.converter.benchmark import benchmark, synthetic_voice

    return list(benchmark(synthetic_voice(0.8)))


def _emulator() -> list[object]:
    from hearspike.emulator.benchmark import benchmark

    backend = plain(compose("evaluate", ["backend=bss2"]))["backend"]
    return list(benchmark(build(backend["profile"], "chip")))


def _loading() -> list[object]:
    from hearspike.datasets.loading_benchmark import benchmark

    return list(benchmark())


def _fused() -> list[object]:
    from hearspike.baselines.spiking_benchmark import fused_benchmark

    return list(fused_benchmark())


def _snn() -> list[object]:
    from hearspike.baselines.spiking_benchmark import benchmark

    return list(benchmark())
