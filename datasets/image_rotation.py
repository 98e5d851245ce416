"""Turn images that are written in spike times."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.events import SpikeEvents
from hearspike.datasets.latency import logarithmic_latency, one_spike_per_channel
from hearspike.errors import InputError


@dataclass(frozen=True)
class ImageRotation:
    r"""Rotation of square images by a random angle, anew whenever it is asked for.

    Spikes of the code :math:`t = \tau \log(x / (x - \theta))` are read back as pixels,
    :math:`x = \theta / (1 - e^{-t/\tau})`, turned about the middle with linear interpolation, and written
    again. Pixels without a spike count as dark.

    Parameters
    ----------
    largest_degrees
        The angle is uniform between minus and plus this.
    tau, threshold
        Constants of the code, see `hearspike.datasets.latency.logarithmic_latency`.

    Raises
    ------
    InputError
        If the data set has no such constants, and so no images in this code.
    """

    largest_degrees: float
    tau: float | None
    threshold: float | None

    def __post_init__(self) -> None:
        for name in ("tau", "threshold"):
            value = getattr(self, name)
            if value is None or not 0.0 < value < math.inf:
                expected = "that of a data set of images, as dataset=mnist, above 0"
                raise InputError(f"model.rotation.{name}", value, expected)

    def __call__(self, events: SpikeEvents, rng: np.random.Generator) -> SpikeEvents:
        """Turn every sample by an angle of its own."""
        assert self.tau is not None  # refused above
        assert self.threshold is not None
        side = math.isqrt(events.channels)
        if side**2 != events.channels:
            raise InputError("model.rotation", f"{events.channels} channels", "those of a square image")
        images = np.zeros((len(events), events.channels))
        values = self.threshold / -np.expm1(-events.times.astype(np.float64) / self.tau)
        images[events.sample_of_event, events.units] = np.minimum(values, 1.0)
        angles = np.radians(rng.uniform(-self.largest_degrees, self.largest_degrees, size=len(events)))
        turned = rotate(images.reshape(-1, side, side), angles).reshape(len(events), -1)
        return one_spike_per_channel(logarithmic_latency(turned, tau=self.tau, threshold=self.threshold))


def rotate(images: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn square images about their middle, with linear interpolation and darkness around them.

    Parameters
    ----------
    images
        [sample, row, column]
    angles
        [sample] In radians; positive turns rows towards columns.
    """
    samples, side = images.shape[:2]
    middle = (side - 1) / 2
    rows, columns = np.mgrid[:side, :side].reshape(2, -1) - middle
    cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    source_rows = cosine * rows + sine * columns + middle + 1
    source_columns = cosine * columns - sine * rows + middle + 1
    padded = np.pad(images, ((0, 0), (1, 2), (1, 2))).reshape(samples, -1)
    width = side + 3
    source_rows, source_columns = (np.clip(s, 0, side + 1) for s in (source_rows, source_columns))
    top, left = source_rows.astype(np.int64), source_columns.astype(np.int64)
    down, right = source_rows - top, source_columns - left
    corner = top * width + left
    result = np.zeros_like(source_rows)
    for step, weight in (
        (0, (1 - down) * (1 - right)),
        (1, (1 - down) * right),
        (width, down * (1 - right)),
        (width + 1, down * right),
    ):
        result += weight * np.take_along_axis(padded, corner + step, axis=1)
    return np.asarray(result.reshape(images.shape))
