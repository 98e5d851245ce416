"""How fast spike files become frames, next to tonic where that is installed."""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from hearspike.datasets.batches import batches
from hearspike.datasets.event_cache import open_spike_file
from hearspike.datasets.events import bin_events
from hearspike.datasets.spike_file import read_spike_file, write_spike_file

BINS, WINDOW = 100, 1.4
BATCH = 64
SPIKES_PER_SAMPLE, SPREAD = 8200, 0.2
"""Mean and relative standard deviation of the spikes of a sample of SHD, as assumed here."""


@dataclass(frozen=True)
class LoadingTime:
    """Time to turn a file into frames [sample, 100, 700].

    Parameters
    ----------
    method
        What was measured.
    seconds
        Median.
    speed_up
        Times faster than tonic; None where it is not installed.
    cpu_seconds, cpu_speed_up
        The same by the processor's time, over all threads: what other programs do hardly changes it.
    """

    method: str
    seconds: float
    speed_up: float | None
    cpu_seconds: float
    cpu_speed_up: float | None


def write_sample_file(path: Path, *, samples: int, seed: int = 0) -> None:
    """Write a file as large as SHD's with random spikes."""
    rng = np.random.default_rng(seed)
    counts = np.maximum(1, rng.normal(SPIKES_PER_SAMPLE, SPREAD * SPIKES_PER_SAMPLE, samples)).astype(int)
    ends = rng.uniform(0.5, 1.3, samples)
    write_spike_file(
        path,
        [np.sort(rng.uniform(0, end, count)) for end, count in zip(ends, counts, strict=True)],
        [rng.integers(0, 700, count) for count in counts],
        labels=rng.integers(0, 20, samples).tolist(),
        speakers=rng.integers(0, 12, samples).tolist(),
        classes=[str(label) for label in range(20)],
        sources=[str(sample) for sample in range(samples)],
        speaker_info={},
        attributes={},
        time_type="float16",
    )


def benchmark(*, samples: int = 2000, repeats: int = 5, threads: int = 2) -> list[LoadingTime]:
    """Measure reading without a copy, from the flat copy, and tonic's own way.

    Parameters
    ----------
    samples
        Samples in the file.
    repeats
        Runs of each method but tonic's, which runs once.
    threads
        Threads that bin.
    """
    with tempfile.TemporaryDirectory(prefix="hearspike-") as name:
        folder = Path(name)
        path = folder / "SHD" / "shd_train.h5"
        write_sample_file(path, samples=samples)
        path.with_suffix(".h5.zip").touch()  # tonic looks for the archive as well
        open_spike_file(path, cache=folder / "cache")

        def bin_all(events: Any, count_type: str = "uint8") -> None:  # noqa: ANN401  # SpikeEvents
            bin_events(events, bins=BINS, window=WINDOW, count_type=count_type, threads=threads)

        def mapped() -> Any:  # noqa: ANN401  # SpikeEvents
            return open_spike_file(path, cache=folder / "cache").events

        def in_batches(count_type: str) -> None:
            dataset = open_spike_file(path, cache=folder / "cache")
            for _ in batches(
                dataset, size=BATCH, bins=BINS, window=WINDOW, count_type=count_type, threads=threads
            ):
                pass

        for count_type in ("uint8", "float32"):  # compile
            bin_all(mapped(), count_type)
        methods: dict[str, Callable[[], None]] = {
            "spike file → uint8": lambda: bin_all(read_spike_file(path).events),
            "flat copy → uint8": lambda: bin_all(mapped()),
            f"flat copy → uint8 in batches of {BATCH}": lambda: in_batches("uint8"),
            "flat copy → float32": lambda: bin_all(mapped(), "float32"),
            f"flat copy → float32 in batches of {BATCH}": lambda: in_batches("float32"),
        }
        found = {method: _measure(run, repeats) for method, run in methods.items()}
        tonic = _measure(lambda: _read_with_tonic(folder), 1) if find_spec("tonic") else None
    rows = [] if tonic is None else [LoadingTime("tonic", tonic[0], 1.0, tonic[1], 1.0)]
    for method, (wall, cpu) in found.items():
        faster = (tonic[0] / wall, tonic[1] / cpu) if tonic else (None, None)
        rows.append(LoadingTime(method, wall, faster[0], cpu, faster[1]))
    return rows


def _measure(run: Callable[[], None], repeats: int) -> tuple[float, float]:
    """Return the medians of the time on the clock and of the processor's time, in seconds."""
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return statistics.median(walls), statistics.median(cpus)


def _read_with_tonic(folder: Path) -> None:
    datasets: Any = import_module("tonic.datasets")
    transforms: Any = import_module("tonic.transforms")
    to_frame = transforms.ToFrame(sensor_size=datasets.SHD.sensor_size, n_time_bins=BINS)
    for frames, _ in datasets.SHD(save_to=str(folder), train=True, transform=to_frame):
        assert frames.shape[0] == BINS
