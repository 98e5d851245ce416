"""The Yin-Yang task: a small problem that a network without hidden layer cannot solve.

Points in the unit square, as classes yin, yang and dot (Kriener, Göltz, Petrovici, "The Yin-Yang dataset",
NICE 2022, arXiv:2102.08211): the sign of a disc of radius r_big, with dots of radius r_small.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.events import SpikeDataset
from hearspike.datasets.latency import linear_latency, one_spike_per_channel
from hearspike.datasets.task import NO_SPEAKER, Task, generated_task
from hearspike.errors import InputError

CLASSES = ("yin", "yang", "dot")
SIZES_AND_SEEDS = {"train": (5000, 42), "validation": (1000, 41), "test": (1000, 40)}
"""As in Göltz et al., Nat. Mach. Intell. 3:823, 2021."""


@dataclass(frozen=True)
class YinYang:
    """Shape of the figure, and how its coordinates become spike times.

    Parameters
    ----------
    name, window, time_scale
        See `hearspike.datasets.Task`.
    r_small, r_big
        Radii of the dots and of the disc.
    t_early, t_late
        Spike times of coordinates 0 and 1 [s].
    """

    name: str
    r_small: float
    r_big: float
    t_early: float
    t_late: float
    window: float
    time_scale: float

    def __post_init__(self) -> None:
        if not 0.0 < 2.0 * self.r_small < self.r_big:
            raise InputError("r_small, r_big", (self.r_small, self.r_big), "0 < 2 r_small < r_big")

    def classify(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        r"""Return the class of points in the disc.

        With :math:`d_l` and :math:`d_r` the distances from the left dot's centre
        :math:`(r_{big}/2, r_{big})` and from the right one's :math:`(3 r_{big}/2, r_{big})`, a point is
        dot (2) if one of them is below :math:`r_{small}`, otherwise 1 if :math:`d_l \le r_{big}/2`, or if it
        lies in the upper half outside of :math:`d_r \le r_{big}/2`, and otherwise 0, as the published
        sets number them.

        Parameters
        ----------
        points
            [sample, 2] Coordinates x, y.
        """
        x, y = points.T
        left = np.hypot(x - 0.5 * self.r_big, y - self.r_big)
        right = np.hypot(x - 1.5 * self.r_big, y - self.r_big)
        dot = (left < self.r_small) | (right < self.r_small)
        one = (left <= 0.5 * self.r_big) | ((y > self.r_big) & (right > 0.5 * self.r_big))
        return np.where(dot, 2, np.where(one, 1, 0)).astype(np.int64)

    def points(self, size: int, *, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Draw points uniformly in their class, and classes with equal probability.

        Parameters
        ----------
        size
            Number of points.
        seed
            Of the random numbers.

        Returns
        -------
        points, labels
            [size, 2] and [size]
        """
        # The published sets of these seeds come from this generator, in this order of draws.
        rng = np.random.RandomState(seed)
        points, labels = np.empty((size, 2)), np.empty(size, dtype=np.int64)
        for sample in range(size):
            labels[sample] = rng.randint(len(CLASSES))
            while True:
                point = rng.rand(1, 2) * 2.0 * self.r_big
                inside = np.hypot(*(point[0] - self.r_big)) <= self.r_big
                if inside and self.classify(point)[0] == labels[sample]:
                    break
            points[sample] = point[0]
        return points, labels

    def part(self, size: int, *, seed: int) -> SpikeDataset:
        """Return points as spikes: one in each of the four channels x, y, 1 - x and 1 - y."""
        points, labels = self.points(size, seed=seed)
        values = np.concatenate([points, 1.0 - points], axis=1)
        times = linear_latency(values, t_early=self.t_early, t_late=self.t_late)
        return SpikeDataset(one_spike_per_channel(times), labels, np.full(size, NO_SPEAKER), CLASSES)

    def task(self) -> Task:
        """Return the task with its three parts."""
        parts = {name: self.part(size, seed=seed) for name, (size, seed) in SIZES_AND_SEEDS.items()}
        sizes = {name: {"size": size, "seed": seed} for name, (size, seed) in SIZES_AND_SEEDS.items()}
        return generated_task(
            self.name,
            **parts,
            split={"name": "Published", "parts": sizes},
            window=self.window,
            time_scale=self.time_scale,
        )
