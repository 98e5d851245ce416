"""Fisher's Iris flowers as spikes of virtual receptors (population code)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.events import SpikeDataset
from hearspike.datasets.latency import one_spike_per_channel
from hearspike.datasets.task import NO_SPEAKER, Task, generated_task
from hearspike.errors import InputError


@dataclass(frozen=True)
class Iris:
    """Four measures of 150 flowers of three kinds, each seen by a row of receptors.

    Parameters
    ----------
    name, window, time_scale
        See `hearspike.datasets.Task`.
    receptors
        Number of receptors for each measure, spread evenly over its range.
    width
        Standard deviation of a receptor's field, in distances between receptors.
    t_late
        Spike time where the response is weakest [s].
    weakest
        A receptor with a smaller response than this makes no spike.
    seed
        Of the split: 30 validation and 30 test flowers, 10 of each kind.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    name: str
    receptors: int
    width: float
    t_late: float
    weakest: float
    seed: int
    window: float
    time_scale: float

    def __post_init__(self) -> None:
        if self.receptors < 2:
            raise InputError("receptors", self.receptors, "at least 2")
        if not (self.width > 0.0 and self.t_late > 0.0 and 0.0 < self.weakest < 1.0):
            raise InputError(
                "width, t_late, weakest", (self.width, self.t_late, self.weakest), "above 0, weakest below 1"
            )

    def encode(self, measures: NDArray[np.float64]) -> NDArray[np.float64]:
        r"""Return spike times [sample, measure × receptor], infinite where there is no spike.

        A receptor at :math:`c` responds to a measure x (scaled to 0 … 1) with
        :math:`r = \exp(-(x - c)^2 / 2\sigma^2)` and spikes at :math:`t = (1 - r) t_{late}`.
        """
        centres = np.linspace(0.0, 1.0, self.receptors)
        sigma = self.width / (self.receptors - 1)
        response = np.exp(-0.5 * ((measures[..., np.newaxis] - centres) / sigma) ** 2)
        times = np.where(response >= self.weakest, (1.0 - response) * self.t_late, np.inf)
        return np.asarray(times.reshape(len(measures), -1))

    def task(self) -> Task:
        """Return the task; the ranges of the measures are those of the training flowers."""
        from sklearn.datasets import load_iris

        flowers = load_iris()
        labels = flowers.target.astype(np.int64)
        rng = np.random.default_rng(self.seed)
        shuffled = [rng.permutation(np.flatnonzero(labels == kind)) for kind in range(3)]
        chosen = {
            "test": np.concatenate([members[:10] for members in shuffled]),
            "validation": np.concatenate([members[10:20] for members in shuffled]),
            "train": np.concatenate([members[20:] for members in shuffled]),
        }
        low, high = (extreme(flowers.data[chosen["train"]], axis=0) for extreme in (np.min, np.max))
        events = one_spike_per_channel(self.encode((flowers.data - low) / (high - low)))
        classes = tuple(str(name) for name in flowers.target_names)
        dataset = SpikeDataset(events, labels, np.full(len(labels), NO_SPEAKER), classes)
        parts = {name: dataset.select(np.sort(samples)) for name, samples in chosen.items()}
        return generated_task(
            self.name,
            **parts,
            split={"name": "RandomSplit", "seed": self.seed},
            window=self.window,
            time_scale=self.time_scale,
        )
