"""A data set of one's own: 1,797 handwritten digits of 8 × 8 pixels, the dark ones early."""

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits

from hearspike.datasets import SpikeDataset
from hearspike.datasets.latency import one_spike_per_channel
from hearspike.datasets.task import NO_SPEAKER, generated_task


@dataclass(frozen=True)
class SmallImages:
    name: str
    window: float
    time_scale: float

    def task(self):
        images, labels = load_digits(return_X_y=True)
        times = np.where(images > 0, (1 - images / 16) * self.window, np.inf)
        events = one_spike_per_channel(times)
        data = SpikeDataset(events, labels, np.full(len(labels), NO_SPEAKER), tuple("0123456789"))
        cuts = {"train": np.arange(1000), "validation": np.arange(1000, 1300), "test": np.arange(1300, 1797)}
        parts = {part: data.select(samples) for part, samples in cuts.items()}
        split = {"name": "InOrder"}
        return generated_task(self.name, **parts, split=split, window=self.window, time_scale=self.time_scale)
