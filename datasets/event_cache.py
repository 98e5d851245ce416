"""Flat copies of spike files, opened in no time and read only where they are used.

HDF5 keeps every sample's spikes apart, so a file is slow to open and has to be read as a whole. Beside
that, its copy in flat arrays is memory-mapped: a batch needs the memory of a batch, however large the set.
"""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.contract import Block
from hearspike.datasets.events import SpikeDataset, SpikeEvents
from hearspike.datasets.spike_file import AboutSamples, inspect_spike_file
from hearspike.errors import InputError

CACHE_VERSION = 1
ARRAYS = ("times", "units", "offsets", "labels", "speakers")


def open_spike_file(path: Path, *, cache: Path) -> SpikeDataset:
    """Open a spike file by its flat copy, which is made and checked at the first time.

    A copy is used only as long as the file's path, size and time of change are those it was made
    from; otherwise it is made again, and the old one removed.

    Parameters
    ----------
    path
        The spike file.
    cache
        Folder for copies; made if needed. A copy takes 6 bytes for every spike.

    Returns
    -------
    dataset
        As `read_spike_file` returns it; the arrays of spikes are memory maps that cannot be written to.

    Raises
    ------
    InputError
        If the file is missing or breaks the contract.
    """
    if not path.is_file():
        raise InputError(path, "no file", "a spike file")
    status = path.stat()
    state = f"{CACHE_VERSION} {path.resolve()} {status.st_size} {status.st_mtime_ns} {status.st_ino}"
    family = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    folder = cache / f"{path.stem}-{family}-{hashlib.sha256(state.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        _build(path, folder)
        for old in cache.glob(f"{path.stem}-{family}-*"):
            if old != folder:
                shutil.rmtree(old, ignore_errors=True)
    return _open(folder)


def _build(path: Path, folder: Path) -> None:
    """Write the arrays block by block into a temporary folder and rename it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    try:
        counts: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        with (temporary / "times").open("wb") as times, (temporary / "units").open("wb") as units:

            def keep(block: Block) -> None:
                block.times.tofile(times)
                block.units.tofile(units)
                counts.append(block.counts)

            about = inspect_spike_file(path, keep)
        offsets = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
        _write_small(temporary, about, offsets)
        temporary.chmod(0o755)
        try:
            temporary.rename(folder)
        except OSError:  # another process was faster
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_small(folder: Path, about: AboutSamples, offsets: NDArray[np.int64]) -> None:
    offsets.tofile(folder / "offsets")
    about.labels.tofile(folder / "labels")
    about.speakers.tofile(folder / "speakers")
    text = json.dumps({"classes": about.classes, "channels": about.channels})
    (folder / "about.json").write_text(text, encoding="utf-8")


def _open(folder: Path) -> SpikeDataset:
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    offsets, labels, speakers = (
        np.fromfile(folder / name, np.int64) for name in ("offsets", "labels", "speakers")
    )
    times = _mapped(folder / "times", np.float32)
    units = _mapped(folder / "units", np.uint16)
    if not len(times) == len(units) == offsets[-1] or not len(labels) == len(speakers) == len(offsets) - 1:
        raise InputError(folder, "a damaged copy of a spike file", "this folder to be removed")
    events = SpikeEvents(times, units, offsets, about["channels"])
    return SpikeDataset(events, labels, speakers, tuple(about["classes"]))


def _mapped(path: Path, kind: type[Any]) -> NDArray[Any]:
    # An empty file cannot be mapped.
    return np.memmap(path, kind, mode="r") if path.stat().st_size else np.empty(0, kind)
