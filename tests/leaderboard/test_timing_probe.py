"""The probe tells models that use spike times from models that count."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hearspike.baselines import Predictions
from hearspike.baselines.backends import Software
from hearspike.baselines.operation_energy import OperationEnergy
from hearspike.datasets import SpikeDataset, SpikeEvents, count_spikes
from hearspike.errors import InputError
from hearspike.leaderboard.timing_probe import TimingProbe
from hearspike.progress import Progress, no_progress

BACKEND = Software(OperationEnergy("none", 0.0, 0.0, "none"))
PROBE = TimingProbe("timing", 1.0, (0, 1, 20, 100), (0.0, 0.5), ("uniform_times", "shuffled_intervals"))
CHANNELS = 6


def order_task(samples: int, seed: int) -> SpikeDataset:
    """Every channel fires 4 times; class 1 begins with the upper channels, class 0 with the lower."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=samples)
    units = np.tile(np.repeat(np.arange(CHANNELS), 4), samples)
    late = (units >= CHANNELS // 2) ^ np.repeat(labels == 1, 4 * CHANNELS)
    times = 0.5 * late + rng.uniform(0, 0.3, size=len(units))
    sample = np.repeat(np.arange(samples), 4 * CHANNELS)
    order = np.lexsort((times, sample))
    events = SpikeEvents(
        times[order].astype(np.float32),
        units[order].astype(np.uint16),
        4 * CHANNELS * np.arange(samples + 1),
        CHANNELS,
    )
    return SpikeDataset(events, labels, np.zeros(samples, np.int64), ("up", "down"))


@dataclass(frozen=True)
class Ordered:
    """Knows nothing but the mean time of the lower and of the upper channels; learns their sign."""

    def fit(
        self,
        train: SpikeDataset,
        validation: SpikeDataset,
        *,
        seed: int,
        progress: Progress = no_progress,
        checkpoint: Path | None = None,
    ) -> "Ordered":
        return self

    @property
    def parameters(self) -> dict[str, NDArray[Any]]:
        return {}

    def predict(self, events: SpikeEvents) -> Predictions:
        sign = np.where(events.units >= CHANNELS // 2, -1.0, 1.0)
        score = np.bincount(events.sample_of_event, sign * events.times, minlength=len(events))
        return Predictions((score > 0).astype(np.int64)[np.newaxis])


class Counted(Ordered):
    """Sees counts alone."""

    def predict(self, events: SpikeEvents) -> Predictions:
        counts = count_spikes(events).astype(np.int64)
        return Predictions((counts @ np.arange(1, CHANNELS + 1) % 2)[np.newaxis])


def share_right(answers: NDArray[np.int64], data: SpikeDataset) -> float:
    return float(np.mean(answers[0] == data.labels))


def test_timing_alone_is_destroyed() -> None:
    """Perfect on the data, at chance without times whether trained anew or not, wrong backwards."""
    data = order_task(400, 0)
    model = Ordered()
    assert share_right(model.predict(data.events).labels, data) == 1.0
    answers = PROBE.answers(BACKEND, model, data.events, seed=0)
    answers |= PROBE.retrained_answers(BACKEND, model, data, data, data.events, seed=0)
    # 400 guesses are right 50 ± 2.5 % of the time; 12 % is almost five standard deviations.
    assert share_right(answers["uniform_times"], data) == pytest.approx(0.5, abs=0.12)
    assert share_right(answers["uniform_times_retrained"], data) == pytest.approx(0.5, abs=0.12)
    assert share_right(answers["reversed"], data) == 0.0
    assert share_right(answers["jitter_0ms"], data) == 1.0
    assert share_right(answers["jitter_1ms"], data) == 1.0
    assert share_right(answers["event_loss_0pct"], data) == 1.0
    # A channel's four spikes lie within 0.3 s: long silences are moved about, and with them what came when.
    assert share_right(answers["shuffled_intervals"], data) < 0.95


def test_counts_alone_are_untouched() -> None:
    """A model that counts answers the same whatever happens to times, and another way to fewer spikes."""
    data = order_task(200, 1)
    # Uneven counts, so that there is something to count.
    kept = np.random.default_rng(0).random(len(data.events.times)) < 0.7
    offsets = np.concatenate([[0], np.cumsum(np.bincount(data.events.sample_of_event[kept], minlength=200))])
    events = SpikeEvents(data.events.times[kept], data.events.units[kept], offsets, CHANNELS)
    expected = Counted().predict(events).labels
    for name, labels in PROBE.answers(BACKEND, Counted(), events, seed=3).items():
        if name == "event_loss_50pct":
            assert np.mean(labels == expected) < 0.7
        else:
            np.testing.assert_array_equal(labels, expected, err_msg=name)


def test_support_vector_machine_on_counts_is_invariant(
    make_record: Callable[..., Any],
) -> None:
    """The real count-based baseline: equal accuracy on real speech with and without its times."""
    record = make_record(probe="timing", model="linear_svm")
    intact = record.metrics["accuracy"].value
    for name in ("uniform_times", "shuffled_intervals", "reversed", "jitter_100ms"):
        assert record.metrics[f"accuracy_{name}"].value == intact
    assert record.metrics["accuracy_uniform_times_retrained"].value == intact


def test_streams_do_not_hang_on_other_treatments() -> None:
    """A probe of jitter alone gives the same answers for it as one of everything."""
    data = order_task(100, 2)
    alone = TimingProbe("timing", 1.0, (100,), (), ()).answers(BACKEND, Ordered(), data.events, seed=5)
    everything = PROBE.answers(BACKEND, Ordered(), data.events, seed=5)
    np.testing.assert_array_equal(alone["jitter_100ms"], everything["jitter_100ms"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": 0.0}, "window"),
        ({"jitter_ms": (-1.0,)}, "jitter_ms"),
        ({"event_loss": (1.5,)}, "event_loss"),
    ],
)
def test_wrong_settings_are_refused(change: dict[str, Any], message: str) -> None:
    """Each is named."""
    settings = {"name": "timing", "window": 1.0, "jitter_ms": (), "event_loss": (), "retrain": (), **change}
    with pytest.raises(InputError, match=message):
        TimingProbe(**settings)
