"""A model of one's own: the class whose mean spike counts are nearest."""

from dataclasses import dataclass

import numpy as np

from hearspike.baselines import Predictions
from hearspike.datasets import count_spikes


@dataclass(frozen=True)
class NearestMean:
    exponent: float

    def fit(self, train, validation, *, seed, progress=None, **unused):
        counts = count_spikes(train.events) ** self.exponent
        means = [counts[train.labels == label].mean(axis=0) for label in range(len(train.classes))]
        return Fitted({"means": np.stack(means), "exponent": np.array(self.exponent)})


@dataclass(frozen=True)
class Fitted:
    parameters: dict

    def predict(self, events):
        counts = count_spikes(events) ** self.parameters["exponent"]
        distances = ((counts[:, np.newaxis] - self.parameters["means"]) ** 2).sum(axis=2)
        return Predictions(labels=distances.argmin(axis=1)[np.newaxis])
