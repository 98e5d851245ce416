"""``hearspike bench``: how fast each part is on this machine."""

from collections.abc import Callable

import pandas as pd

from hearspike.errors import InputError
from hearspike.leaderboard.config import build, compose, plain


def bench(part: str) -> pd.DataFrame:
    """Run the speed benchmark of a part.

    Parameters
    ----------
    part
        ``converter``, ``emulator``, ``loading`` or ``snn``.

    Returns
    -------
    table
        One row per workload; the columns are those of the part's own measurement.

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
    }
    if part not in benchmarks:
        raise InputError("bench", part, f"one of {', '.join(benchmarks)}")
    return pd.DataFrame([vars(row) for row in benchmarks[part]()])


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


def _snn() -> list[object]:
    from hearspike.baselines.spiking_benchmark import benchmark

    return list(benchmark())
