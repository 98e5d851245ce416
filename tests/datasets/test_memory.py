"""A task larger than the memory allowed can be opened, described, binned and counted."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hearspike.datasets import write_spike_file

SAMPLES, SPIKES = 3000, 8000
FLAT_MB = SAMPLES * SPIKES * 6 // 10**6
"""Size of all spikes in memory. A block or a batch has the same size in larger files, such as SSC."""

ALLOWED_MB = 90
"""For 512 samples of the file while they are copied, 25 MB at 6 bytes for each spike and some room for
their conversion, or for a batch of 64 frames of float32, 18 MB."""

JOB = f"""
import resource, sys
from pathlib import Path
import numpy as np
from hearspike.datasets import SpikeFiles, count_spikes
from hearspike.datasets.batches import batches

def use(folder, cache):
    source = SpikeFiles(
        "t", folder, "train.h5", "valid.h5", "test.h5", split=None, window=1.4, time_scale=1.0, cache=cache
    )
    task = source.task()
    counted = count_spikes(task.train.events).sum()
    binned = sum(batch.frames.counts.sum() for batch in batches(task.train, size=64, bins=100, window=1.4))
    assert counted == binned == np.diff(task.train.events.offsets).sum()

folder, cache, small = (Path(word) for word in sys.argv[1:4])
use(small, cache if cache.name != "none" else None)  # libraries are loaded, kernels compiled
(words,) = [line.split() for line in Path("/proc/self/status").read_text().splitlines() if "VmData" in line]
limit = int(words[1]) * 1024 + {ALLOWED_MB} * 10**6
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
use(folder, cache if cache.name != "none" else None)
"""


def write_task(folder: Path, samples: int) -> Path:
    rng = np.random.default_rng(0)
    for name, size in (("train", samples), ("valid", 3), ("test", 3)):
        write_spike_file(
            folder / f"{name}.h5",
            (np.sort(rng.random(SPIKES, dtype=np.float32)) for _ in range(size)),
            (rng.integers(0, 700, SPIKES, dtype=np.uint16) for _ in range(size)),
            labels=[0] * size,
            speakers=[0] * size,
            classes=["a"],
            sources=[f"{name}{number}" for number in range(size)],
            speaker_info={},
            attributes={},
            time_type="float16",
        )
    return folder


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts memory as Linux does")
def test_a_large_task_needs_no_more_memory_than_a_block(tmp_path: Path) -> None:
    """From its mapped copy all of it works within a fraction of its size; read as a whole it does not."""
    assert FLAT_MB > 1.5 * ALLOWED_MB
    large, small = write_task(tmp_path / "large", SAMPLES), write_task(tmp_path / "small", 600)
    for cache, works in (("cache", True), ("cache", True), ("none", False)):
        result = subprocess.run(
            [sys.executable, "-c", JOB, large, tmp_path / cache, small], capture_output=True, text=True
        )
        assert (result.returncode == 0) == works, result.stderr
        assert works or "MemoryError" in result.stderr or "Unable to allocate" in result.stderr
