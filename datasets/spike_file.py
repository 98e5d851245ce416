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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.events import SpikeDataset, SpikeEvents
from hearspike.errors import InputError
from hearspike.files import new_file

FORMAT_VERSION = "1.0"
CHANNELS = 700
"""Number of channels of the published files, and of a file that does not say its own number."""

REQUIRED_DATASETS = ("spikes/times", "spikes/units", "labels", "extra/keys", "extra/speaker")


@dataclass(frozen=True)
class Breach:
    """One place where a file breaks the contract.

    Parameters
    ----------
    path
        Place within the file, such as ``spikes/units[3]``.
    found
        What stands there.
    expected
        What the contract asks for.
    """

    path: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.path}: got {self.found}, expected {self.expected}"


def write_spike_file(
    path: Path,
    times: Sequence[NDArray[np.floating]],
    units: Sequence[NDArray[np.integer]],
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
        One array of spike times (seconds) and one of channels for each sample.
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
            _write_ragged(file, "spikes/times", times, np.dtype(time_type))
            _write_ragged(file, "spikes/units", units, np.dtype(np.uint16))
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


def check_time_type(time_type: str) -> None:
    """Raise `InputError` if spike times cannot be kept in this type."""
    if time_type not in ("float16", "float32"):
        raise InputError("time_type", time_type, "float16 or float32")


def _write_ragged(
    file: h5py.File, name: str, rows: Sequence[NDArray[Any]], element_type: np.dtype[Any]
) -> None:
    data = np.empty(len(rows), dtype=object)
    for index, row in enumerate(rows):
        data[index] = np.asarray(row, dtype=element_type)
    file.create_dataset(name, data=data, dtype=h5py.vlen_dtype(element_type))


def read_spike_file(path: Path) -> SpikeDataset:
    """Read a spike file of hearspike, SHD or SSC.

    Raises
    ------
    InputError
        If the file is missing or breaks the contract; names the first breach and their number.
    """
    dataset, breaches = _inspect(path)
    if dataset is None or breaches:
        more = f" (and {len(breaches) - 1} more breaches)" if len(breaches) > 1 else ""
        first = breaches[0]
        raise InputError(path, f"{first.found} at {first.path}{more}", first.expected)
    return dataset


def validate_spike_file(path: Path) -> list[Breach]:
    """Return every breach of the contract, empty if there is none.

    Of values that are wrong in many samples, the first sample is named and the others are counted.
    """
    return _inspect(path)[1]


def _inspect(path: Path) -> tuple[SpikeDataset | None, list[Breach]]:
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no file"
        return None, [Breach("/", found, "a spike file")]
    try:
        with h5py.File(path, "r") as file:
            breaches = _check_structure(file)
            if breaches:
                return None, breaches
            return _read_samples(file)
    except (OSError, RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())
        return None, [Breach("/", f"a file that cannot be read ({reason})", "an HDF5 file, whole")]


def _check_structure(file: h5py.File) -> list[Breach]:
    """Check that everything is there with the right type and length, without reading spikes."""
    missing = [name for name in REQUIRED_DATASETS if not isinstance(file.get(name), h5py.Dataset)]
    breaches = [Breach(name, "nothing", "a dataset") for name in missing]
    if not isinstance(file.get("extra/meta_info"), h5py.Group):
        breaches.append(Breach("extra/meta_info", "nothing", "a group"))
    if missing:
        return breaches
    for name, kind, word in (("spikes/times", "f", "float"), ("spikes/units", "iu", "integer")):
        element_type = h5py.check_vlen_dtype(file[name].dtype)
        if element_type is None or element_type.kind not in kind:
            breaches.append(Breach(name, f"type {file[name].dtype}", f"variable-length {word} arrays"))
    for name in ("labels", "extra/speaker"):
        if file[name].dtype.kind not in "iu":
            breaches.append(Breach(name, f"type {file[name].dtype}", "integers"))
    keys_type = file["extra/keys"].dtype
    if keys_type.kind != "S" and h5py.check_string_dtype(keys_type) is None:
        breaches.append(Breach("extra/keys", f"type {keys_type}", "strings"))
    samples = file["labels"].shape
    for name in REQUIRED_DATASETS:
        shape = file[name].shape
        if len(shape) != 1:
            breaches.append(Breach(name, f"shape {shape}", "one dimension"))
        elif name != "extra/keys" and shape != samples:
            breaches.append(Breach(name, f"{shape[0]} entries", f"as many as labels, {samples[0]}"))
    return breaches


def _read_samples(file: h5py.File) -> tuple[SpikeDataset, list[Breach]]:
    channels = int(file.attrs.get("channels", CHANNELS))
    classes = tuple(
        key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
        for key in file["extra/keys"][:]
    )
    labels = file["labels"][:].astype(np.int64)
    times, time_counts = _read_ragged(file["spikes/times"])
    units, unit_counts = _read_ragged(file["spikes/units"])
    breaches = _check_labels(labels, len(classes))
    uneven = np.flatnonzero(time_counts != unit_counts)
    if uneven.size:
        first = uneven[0]
        breaches.append(
            _per_sample(
                "spikes/units", uneven, f"{unit_counts[first]} entries", f"{time_counts[first]}, as in times"
            )
        )
    offsets = np.concatenate([[0], np.cumsum(time_counts)]).astype(np.int64)
    breaches += _check_times(times, offsets)
    breaches += _check_units(units, np.concatenate([[0], np.cumsum(unit_counts)]), channels)
    events = SpikeEvents(times.astype(np.float32), units.astype(np.uint16), offsets, channels)
    return SpikeDataset(events, labels, file["extra/speaker"][:].astype(np.int64), classes), breaches


def _read_ragged(dataset: h5py.Dataset) -> tuple[NDArray[Any], NDArray[np.int64]]:
    rows = dataset[:]
    counts = np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
    empty = np.empty(0, dtype=h5py.check_vlen_dtype(dataset.dtype))
    return np.concatenate([empty, *rows]), counts


def _per_sample(name: str, samples: NDArray[np.integer], found: str, expected: str) -> Breach:
    others = f" (and in {len(samples) - 1} other samples)" if len(samples) > 1 else ""
    return Breach(f"{name}[{samples[0]}]", found + others, expected)


def _check_labels(labels: NDArray[np.int64], classes: int) -> list[Breach]:
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if not wrong.size:
        return []
    return [
        _per_sample("labels", wrong, str(labels[wrong[0]]), f"0 to {classes - 1}, an index into extra/keys")
    ]


def _check_times(times: NDArray[Any], offsets: NDArray[np.int64]) -> list[Breach]:
    steps = np.diff(times.astype(np.float64), prepend=0.0)
    first_events = offsets[:-1][np.diff(offsets) > 0]
    steps[first_events] = 0.0
    checks = (
        (~np.isfinite(times), "finite times"),
        (times < 0, "times of at least 0 s"),
        (steps < 0, "times that do not fall"),
    )
    breaches = []
    for wrong, expected in checks:
        events = np.flatnonzero(wrong)
        if events.size:
            samples = np.unique(np.searchsorted(offsets, events, side="right") - 1)
            breaches.append(_per_sample("spikes/times", samples, f"{times[events[0]]} s", expected))
    return breaches


def _check_units(units: NDArray[Any], offsets: NDArray[np.int64], channels: int) -> list[Breach]:
    events = np.flatnonzero((units < 0) | (units >= channels))
    if not events.size:
        return []
    samples = np.unique(np.searchsorted(offsets, events, side="right") - 1)
    return [_per_sample("spikes/units", samples, str(units[events[0]]), f"channels 0 to {channels - 1}")]
