"""What a spike file must hold, checked block by block while it is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

CHANNELS = 700
"""Number of channels of the published files, and of a file that does not say its own number."""

MOST_CHANNELS = 2**16
"""Channels are kept as 16-bit numbers."""

MOST_SAMPLES = 10**7
"""More samples than any spike file has; a damaged file may claim more than the memory holds."""

BLOCK = 512
"""Samples that are read at once."""

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


class BreachesPerSample:
    """Breaches of the same kind in many samples: the first is named, the others are counted."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], tuple[int, str]] = {}
        self._number: dict[tuple[str, str], int] = {}

    def add(self, name: str, samples: NDArray[np.integer], found: str, expected: str) -> None:
        """Note samples that break one rule; ``found`` is what the first of them holds."""
        key = (name, expected)
        self._first.setdefault(key, (int(samples[0]), found))
        self._number[key] = self._number.get(key, 0) + len(samples)

    def breaches(self) -> list[Breach]:
        """Return one breach for each rule."""
        result = []
        for (name, expected), (sample, found) in self._first.items():
            others = self._number[name, expected] - 1
            more = f" (and in {others} other samples)" if others else ""
            result.append(Breach(f"{name}[{sample}]", found + more, expected))
        return result


def check_structure(file: h5py.File) -> list[Breach]:
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
        if shape is None or len(shape) != 1:
            breaches.append(Breach(name, f"shape {shape}", "one dimension"))
        elif shape[0] > MOST_SAMPLES:
            breaches.append(Breach(name, f"{shape[0]} entries", f"at most {MOST_SAMPLES}"))
        elif name != "extra/keys" and shape != samples:
            breaches.append(Breach(name, f"{shape[0]} entries", f"as many as labels, {(samples or [0])[0]}"))
    channels = file.attrs.get("channels", CHANNELS)
    if not isinstance(channels, int | np.integer) or not 1 <= channels <= MOST_CHANNELS:
        breaches.append(Breach("channels", repr(channels), f"a whole number of 1 to {MOST_CHANNELS}"))
    return breaches


def channels_of(file: h5py.File) -> int:
    """Return the number of channels."""
    return int(file.attrs.get("channels", CHANNELS))


def classes_of(file: h5py.File) -> tuple[str, ...]:
    """Return the names of the classes."""
    return tuple(
        key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
        for key in file["extra/keys"][:]
    )


@dataclass(frozen=True)
class Block:
    """Spikes of some neighbouring samples.

    Parameters
    ----------
    times, units
        [event]
    counts
        [sample] Spikes of each sample.
    """

    times: NDArray[np.float32]
    units: NDArray[np.uint16]
    counts: NDArray[np.int64]


def read_blocks(file: h5py.File, found: BreachesPerSample) -> Iterator[Block]:
    """Read the spikes block by block and note every breach in ``found``.

    A block with breaches is noted and not returned: its values would not fit the arrays' types.

    Parameters
    ----------
    file
        A file whose structure is right.
    found
        Receives the breaches.
    """
    from hearspike.datasets.event_kernels import convert_and_check

    channels = channels_of(file)
    times_dataset, units_dataset = file["spikes/times"], file["spikes/units"]
    for start in range(0, len(times_dataset), BLOCK):
        raw_times, counts = _flat(times_dataset, start)
        raw_units, unit_counts = _flat(units_dataset, start)
        if not np.array_equal(counts, unit_counts):
            uneven = np.flatnonzero(counts != unit_counts)
            first = uneven[0]
            found.add(
                "spikes/units",
                start + uneven,
                f"{unit_counts[first]} entries where times has {counts[first]}",
                "one for each time",
            )
            continue
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        fast = convert_and_check(raw_times, raw_units, offsets, channels)
        if fast is not None:
            yield Block(*fast, counts)
            continue
        before = len(found.breaches())
        _note_breaches(raw_times, raw_units, offsets, channels, start, found)
        if len(found.breaches()) == before and not before:
            yield Block(raw_times.astype(np.float32), raw_units.astype(np.uint16), counts)


def _flat(dataset: h5py.Dataset, start: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    rows = dataset[start : start + BLOCK]
    counts = np.fromiter((len(row) for row in rows), dtype=np.int64, count=len(rows))
    empty = np.empty(0, dtype=h5py.check_vlen_dtype(dataset.dtype))
    return np.concatenate([empty, *rows]), counts


def _note_breaches(
    times: NDArray[Any],
    units: NDArray[Any],
    offsets: NDArray[np.int64],
    channels: int,
    start: int,
    found: BreachesPerSample,
) -> None:
    """Say what is wrong, with numpy and without hurry."""
    wide = times.astype(np.float64)
    with np.errstate(invalid="ignore"):
        steps = np.diff(wide, prepend=0.0)
    steps[offsets[:-1][np.diff(offsets) > 0]] = 0.0
    with np.errstate(over="ignore"):
        rounded = wide.astype(np.float32)
    checks = (
        ("spikes/times", wide, " s", ~np.isfinite(rounded), "finite times"),
        ("spikes/times", wide, " s", wide < 0, "times of at least 0 s"),
        ("spikes/times", wide, " s", steps < 0, "times that do not fall"),
        ("spikes/units", units, "", (units < 0) | (units >= channels), f"channels 0 to {channels - 1}"),
    )
    for name, values, unit, wrong, expected in checks:
        events = np.flatnonzero(wrong)
        if events.size:
            samples = np.unique(np.searchsorted(offsets, events, side="right") - 1)
            found.add(name, start + samples, f"{values[events[0]]}{unit}", expected)
