"""MNIST and Fashion-MNIST as spikes: 16 × 16 pixels, each one spike, the brighter the earlier."""

import gzip
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.events import SpikeDataset
from hearspike.datasets.latency import logarithmic_latency, one_spike_per_channel
from hearspike.datasets.task import NO_SPEAKER, Task, generated_task
from hearspike.errors import InputError

FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
PACKED = {"train": "{name}_train_60k.npz", "test": "{name}_test_10k.npz"}
"""Where a file of images is missing, one of numpy with the arrays ``x`` (images) and ``y`` (labels)."""

CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion_mnist": (
        *("t-shirt", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
}


@dataclass(frozen=True)
class ImageTask:
    """Images as in Cramer et al., PNAS 119:e2109194119, 2022.

    Parameters
    ----------
    name
        ``mnist`` or ``fashion_mnist``.
    root
        Folder with the four files as they are distributed, or with those of `PACKED` in their place.
    tau
        Time constant of the latency code [s].
    threshold
        Pixels at or below this value (of 0 to 1) make no spike.
    crop
        Pixels cut off on every side.
    size
        Pixels on each side after scaling.
    validation
        Number of training images, the last ones, that are for validation.
    window, time_scale
        See `hearspike.datasets.Task`.

    Raises
    ------
    InputError
        If the name is unknown, or a file is missing or damaged.
    """

    name: str
    root: Path
    tau: float
    threshold: float
    crop: int
    size: int
    validation: int
    window: float
    time_scale: float

    def __post_init__(self) -> None:
        if self.name not in CLASSES:
            raise InputError("dataset.name", self.name, f"one of {', '.join(CLASSES)}")

    def part(self, part: str) -> SpikeDataset:
        """Return the images of ``train`` (validation included) or ``test`` as spikes."""
        images, labels = self._read(part)
        if len(labels) and labels.max() >= len(CLASSES[self.name]):
            raise InputError(self.root, f"label {labels.max()}", f"labels below {len(CLASSES[self.name])}")
        values = shrink(images / 255.0, crop=self.crop, size=self.size)
        flat = values.reshape(len(values), -1)
        times = logarithmic_latency(flat, tau=self.tau, threshold=self.threshold)
        nobody = np.full(len(labels), NO_SPEAKER)
        return SpikeDataset(one_spike_per_channel(times), labels.astype(np.int64), nobody, CLASSES[self.name])

    def _read(self, part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        images_file, labels_file = (Path(self.root) / name for name in FILES[part])
        packed = Path(self.root) / PACKED[part].format(name=self.name)
        if packed.is_file() and not images_file.is_file():
            return read_packed(packed)
        images, labels = read_idx(images_file, dimensions=3), read_idx(labels_file, dimensions=1)
        if len(images) != len(labels):
            raise InputError(labels_file, f"{len(labels)} labels", f"{len(images)}, one for each image")
        return images, labels

    def task(self) -> Task:
        """Return the task: the last training images are its validation part."""
        everything = self.part("train")
        if not 0 < self.validation < len(everything):
            raise InputError("dataset.validation", self.validation, f"1 to {len(everything) - 1}")
        cut = len(everything) - self.validation
        return generated_task(
            self.name,
            train=everything.select(np.arange(cut)),
            validation=everything.select(np.arange(cut, len(everything))),
            test=self.part("test"),
            split={"name": "Published", "validation": f"the last {self.validation} training images"},
            window=self.window,
            time_scale=self.time_scale,
        )


def shrink(images: NDArray[np.float64], *, crop: int, size: int) -> NDArray[np.float64]:
    """Cut off a border and scale the rest linearly.

    Parameters
    ----------
    images
        [sample, row, column]
    crop
        Pixels cut off on every side.
    size
        Pixels on each side afterwards.

    Returns
    -------
    shrunk
        [sample, size, size]; corners stay corners, between pixels it is interpolated.
    """
    rows, columns = images.shape[1:]
    if crop < 0 or size < 2 or 2 * crop >= min(rows, columns):
        raise InputError("crop, size", (crop, size), f"something left of {rows} × {columns} pixels")
    inner = images[:, crop : rows - crop, crop : columns - crop]
    by_row = _interpolation(inner.shape[1], size)
    by_column = _interpolation(inner.shape[2], size)
    return np.asarray(by_row @ inner @ by_column.T)


def _interpolation(old: int, new: int) -> NDArray[np.float64]:
    """Weights [new, old] of linear interpolation with the ends kept."""
    place = np.linspace(0.0, old - 1.0, new)[:, np.newaxis]
    return np.maximum(0.0, 1.0 - np.abs(place - np.arange(old)))


def read_idx(path: Path, *, dimensions: int) -> NDArray[np.uint8]:
    """Read a file of the MNIST family: big-endian header, then bytes; packed by gzip or not.

    Raises
    ------
    InputError
        If the file is missing, or its size is not what its header says.
    """
    if not path.is_file():
        raise InputError(path, "no such file", "a file of the data set as it is distributed")
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(path, f"what cannot be unpacked ({error})", "a whole gzip file") from None
    header = 4 * (1 + dimensions)
    if len(content) < header or content[:4] != bytes([0, 0, 8, dimensions]):
        raise InputError(path, "another header", f"an IDX file of bytes in {dimensions} dimensions")
    shape = np.frombuffer(content, dtype=">u4", count=dimensions, offset=4).astype(np.int64)
    if len(content) - header != int(np.prod(shape)):
        raise InputError(path, f"{len(content) - header} bytes", f"{int(np.prod(shape))}, as its header says")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def read_packed(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read images ``x`` [sample, row, column] and labels ``y`` [sample] from a file of numpy.

    Raises
    ------
    InputError
        If it holds something else.
    """
    expected = "arrays of bytes x [sample, row, column] and y [sample]"
    try:
        with np.load(path, allow_pickle=False) as file:
            images, labels = file["x"], file["y"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(path, f"what cannot be read ({error})", expected) from None
    if images.ndim != 3 or labels.shape != images.shape[:1] or images.dtype != np.uint8:
        raise InputError(path, f"x {images.dtype} {images.shape}, y {labels.shape}", expected)
    return images, labels
