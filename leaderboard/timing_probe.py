"""How much of a model's accuracy hangs on when spikes come: the same model on spikes with other times."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hearspike.baselines import FittedModel, Model
from hearspike.baselines.backends import Backend
from hearspike.datasets import SpikeDataset, SpikeEvents
from hearspike.datasets.augmentation import drop_events
from hearspike.datasets.spike_timing import draw_times, jitter_times, reverse_times, shuffle_intervals
from hearspike.errors import InputError
from hearspike.progress import Progress, no_progress

Destroyed = Literal["uniform_times", "shuffled_intervals"]
Treatment = Callable[[SpikeEvents, np.random.Generator], SpikeEvents]


@dataclass(frozen=True)
class TimingProbe:
    """What is done to the spikes.

    Parameters
    ----------
    name
        Name of the probe in records.
    window
        Times that are drawn anew lie between 0 and this in seconds.
    jitter_ms
        Standard deviations of the jitter of spike times.
    event_loss
        Probabilities of a spike to be lost.
    retrain
        Treatments under which the model is also trained anew, on data treated alike: what counts alone
        can tell. Without that, a drop may only say that the data look unlike those of training.
    """

    name: str
    window: float
    jitter_ms: tuple[float, ...]
    event_loss: tuple[float, ...]
    retrain: tuple[Destroyed, ...]

    def __post_init__(self) -> None:
        if not 0.0 < self.window < np.inf:
            raise InputError("probe.window", self.window, "seconds above 0")
        if min(self.jitter_ms, default=0.0) < 0.0:
            raise InputError("probe.jitter_ms", list(self.jitter_ms), "milliseconds of at least 0")
        if not all(0.0 <= share <= 1.0 for share in self.event_loss):
            raise InputError("probe.event_loss", list(self.event_loss), "probabilities, 0 to 1")

    def treatments(self) -> dict[str, Treatment]:
        """Name → what is done to the spikes."""
        named: dict[str, Treatment] = {
            "uniform_times": partial(draw_times, window=self.window),
            "shuffled_intervals": shuffle_intervals,
            "reversed": lambda events, rng: reverse_times(events),
        }
        named |= {jitter_name(ms): partial(jitter_times, deviation=ms * 1e-3) for ms in self.jitter_ms}
        named |= {loss_name(share): partial(drop_events, probability=share) for share in self.event_loss}
        return named

    def answers(
        self, backend: Backend, fitted: FittedModel, events: SpikeEvents, *, seed: int
    ) -> dict[str, NDArray[np.int64]]:
        """Return what a fitted model makes of treated spikes.

        Returns
        -------
        answers
            Name of the treatment → [chip, sample] labels.
        """
        return {
            name: backend.predict(fitted, treat(events, _stream(seed, name, "test")), seed=seed).labels
            for name, treat in self.treatments().items()
        }

    def retrained_answers(
        self,
        backend: Backend,
        model: Model,
        train: SpikeDataset,
        validation: SpikeDataset,
        events: SpikeEvents,
        *,
        seed: int,
        progress: Progress = no_progress,
    ) -> dict[str, NDArray[np.int64]]:
        """Return what the model makes of treated spikes after training on spikes treated alike.

        Returns
        -------
        answers
            Name of the treatment and ``_retrained`` → [chip, sample] labels.
        """
        treatments, answers = self.treatments(), {}
        for name in self.retrain:
            treat = treatments[name]
            parts = [
                SpikeDataset(
                    treat(part.events, _stream(seed, name, role)), part.labels, part.speakers, part.classes
                )
                for role, part in (("train", train), ("validation", validation))
            ]
            fitted = model.fit(*parts, seed=seed, progress=progress)
            treated = treat(events, _stream(seed, name, "test"))
            answers[f"{name}_retrained"] = backend.predict(fitted, treated, seed=seed).labels
        return answers


def jitter_name(milliseconds: float) -> str:
    """Return the name of a jitter in records, such as ``jitter_5ms``."""
    return f"jitter_{milliseconds:g}ms"


def loss_name(share: float) -> str:
    """Return the name of a loss of events in records, such as ``event_loss_10pct``."""
    return f"event_loss_{100 * share:g}pct"


def metric_name(treatment: str) -> str:
    """Return the name of the accuracy under a treatment in records."""
    return f"accuracy_{treatment}"


def _stream(seed: int, *words: str) -> np.random.Generator:
    """Return random numbers of their own for every use: no treatment hangs on which others there are."""
    return np.random.default_rng([seed, *"/".join(words).encode()])
