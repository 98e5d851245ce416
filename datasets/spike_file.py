"""The spike file: the HDF5 layout of the Heidelberg spiking datasets, written, checked and read.

Layout (Cramer et al., IEEE TNNLS 33:2744, 2022; the published SHD and SSC files):

=====================  ==============================  =======================================
path                   type                            content
=====================  ==============================  =======================================
``spikes/times``       [sample] variable-length float  spike times in seconds, not falling
``spikes/units``       [sample] variable-length int    channel of each spike, 0 to 699
``labels``             [sample] int                    index into ``extra/keys``
``extra/keys``         [class] string                  names of the classes
``extra/speaker``      [sample] int                    number of the speaker
``extra/meta_info``    group                           facts about the speakers
=====================  ==============================  =======================================

What hearspike adds stands in attributes of the root and in ``extra/source``, where readers that do
not know of it never look.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.contract import (
    BLOCK,
    CHANNELS,
    Block,
    Breach,
    BreachesPerSample,
    channels_of,
    check_structure,
    classes_of,
    read_blocks,
)
from hearspike.datasets.events import SpikeDataset, SpikeEvents
from hearspike.datasets.heap_check import check_heaps, check_lengths
from hearspike.errors import InputError
from hearspike.files import new_file

FORMAT_VERSION = "1.0"

UNREADABLE = (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError)
"""What h5py raises on damaged files."""

READABLE = "an HDF5 file, whole"


def write_spike_file(
    path: Path,
    times: Iterable[NDArray[np.floating]],
    units: Iterable[NDArray[np.integer]],
    *,
    labels: Sequence[int],
    speakers: Sequence[int],
    classes: Sequence[str],
    sources: Sequence[str],
    speaker_info: Mapping[str, Sequence[str]],
    attributes: Mapping[str, str],
    time_type: str,
    channels: int = CHANNELS,
) -> None:
    """Write a spike file; what it writes always keeps the contract.

    Parameters
    ----------
    path
        The file to write, which must not exist.
    times, units
        One array of spike times (seconds) and one of channels for each sample. They are taken in
        turn and never all at once, so generators may be given.
    labels, speakers, sources
        Class, speaker and origin of each sample.
    classes
        Names of the classes.
    speaker_info
        For ``extra/meta_info``: name of a fact → its value for each speaker number.
    attributes
        Text for the root's attributes: how the file was made.
    time_type
        ``float16`` as in the published files (steps of 0.5 ms between 0.5 and 1 s) or ``float32``.
    channels
        Number of channels.

    Raises
    ------
    InputError
        If the file exists, the time type is unknown, or the data break the contract.
    """
    check_time_type(time_type)
    with new_file(path) as temporary:
        with h5py.File(temporary, "w") as file:
            file.attrs["hearspike_format"] = FORMAT_VERSION
            file.attrs["channels"] = channels
            for name, text in attributes.items():
                file.attrs[name] = text
            _write_spikes(file, times, units, np.dtype(time_type), samples=len(labels), path=path)
            file["labels"] = np.asarray(labels, dtype=np.uint16)
            file["extra/speaker"] = np.asarray(speakers, dtype=np.uint16)
            file["extra/keys"] = np.asarray([name.encode() for name in classes])
            file["extra/source"] = np.asarray([name.encode() for name in sources])
            file.create_group("extra/meta_info")
            for name, values in speaker_info.items():
                file[f"extra/meta_info/{name}"] = np.asarray([value.encode() for value in values])
        breaches = validate_spike_file(temporary)
        if breaches:
            raise InputError(path, str(breaches[0]), "data that keep the contract of a spike file")


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file to read; whatever h5py raises on a damaged one becomes an `InputError`."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(path, f"a file that cannot be read ({_reason(error)})", READABLE) from None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def check_time_type(time_type: str) -> None:
    """Raise `InputError` if spike times cannot be kept in this type."""
    if time_type not in ("float16", "float32"):
        raise InputError("time_type", time_type, "float16 or float32")


def _write_spikes(
    file: h5py.File,
    times: Iterable[NDArray[np.floating]],
    units: Iterable[NDArray[np.integer]],
    time_type: np.dtype[Any],
    *,
    samples: int,
    path: Path,
) -> None:
    """Write both arrays of every sample, a block of samples at a time, so that iterables can be long."""
    pairs = zip(times, units, strict=True)
    types = {"spikes/times": time_type, "spikes/units": np.dtype(np.uint16)}
    targets = [file.create_dataset(name, (samples,), h5py.vlen_dtype(kind)) for name, kind in types.items()]
    written = 0
    while block := list(islice(pairs, BLOCK)):
        if written + len(block) > samples:
            raise InputError(path, f"more than {samples} samples of spikes", "one label for each sample")
        for target, kind, rows in zip(targets, types.values(), zip(*block, strict=True), strict=True):
            data = np.empty(len(rows), dtype=h5py.vlen_dtype(kind))
            for index, row in enumerate(rows):
                data[index] = np.asarray(row, dtype=kind)
            # h5py's own assignment mistakes rows of one length for a table.
            place = target.id.get_space()
            place.select_hyperslab((written,), (len(rows),))
            target.id.write(h5py.h5s.create_simple((len(rows),)), place, data)
        written += len(block)
    if written != samples:
        raise InputError(path, f"{written} samples of spikes", f"{samples}, one for each label")


def read_spike_file(path: Path) -> SpikeDataset:
    """Read a spike file of hearspike, SHD or SSC.

    Raises
    ------
    InputError
        If the file is missing or breaks the contract; names the first breach and their number.
    """
    blocks: list[Block] = []
    about = inspect_spike_file(path, blocks.append)
    empty = Block(np.empty(0, np.float32), np.empty(0, np.uint16), np.empty(0, np.int64))
    times, units, counts = (
        np.concatenate([getattr(block, name) for block in [empty, *blocks]])
        for name in ("times", "units", "counts")
    )
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    events = SpikeEvents(times, units, offsets, about.channels)
    return SpikeDataset(events, about.labels, about.speakers, about.classes)


def validate_spike_file(path: Path) -> list[Breach]:
    """Return every breach of the contract, empty if there is none.

    Of values that are wrong in many samples, the first sample is named and the others are counted.
    A block of samples is in memory at a time.
    """
    return _inspect(path, lambda block: None)[1]


@dataclass(frozen=True)
class AboutSamples:
    """What a spike file says of its samples besides the spikes; see `SpikeDataset`."""

    labels: NDArray[np.int64]
    speakers: NDArray[np.int64]
    classes: tuple[str, ...]
    channels: int


def inspect_spike_file(path: Path, keep: Callable[[Block], None]) -> AboutSamples:
    """Read and check a spike file, handing on its spikes block by block.

    Parameters
    ----------
    path
        The file.
    keep
        Called with every block.

    Raises
    ------
    InputError
        If the file is missing or breaks the contract, maybe after blocks were handed on.
    """
    about, breaches = _inspect(path, keep)
    if about is None or breaches:
        more = f" (and {len(breaches) - 1} more breaches)" if len(breaches) > 1 else ""
        first = breaches[0]
        raise InputError(path, f"{first.found} at {first.path}{more}", first.expected)
    return about


def _inspect(path: Path, keep: Callable[[Block], None]) -> tuple[AboutSamples | None, list[Breach]]:
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no file"
        return None, [Breach("/", found, "a spike file")]
    heaps, damage = check_heaps(path)
    if damage:
        return None, damage
    try:
        with h5py.File(path, "r") as file:
            breaches = check_structure(file)
            for name in () if breaches else ("spikes/times", "spikes/units"):
                breaches += check_lengths(file, path, name, heaps)
            if breaches:
                return None, breaches
            return _read_samples(file, keep)
    except UNREADABLE as error:
        return None, [Breach("/", f"a file that cannot be read ({_reason(error)})", READABLE)]


def _read_samples(file: h5py.File, keep: Callable[[Block], None]) -> tuple[AboutSamples, list[Breach]]:
    classes = classes_of(file)
    labels = file["labels"][:].astype(np.int64)
    found = BreachesPerSample()
    wrong = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if wrong.size:
        expected = f"0 to {len(classes) - 1}, an index into extra/keys"
        found.add("labels", wrong, str(labels[wrong[0]]), expected)
    for block in read_blocks(file, found):
        keep(block)
    speakers = file["extra/speaker"][:].astype(np.int64)
    return AboutSamples(labels, speakers, classes, channels_of(file)), found.breaches()
