"""Nobody sees the labels of the test set before the scorer, and every reading counts."""

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hearspike.baselines import FittedModel, Predictions
from hearspike.baselines.backends import Software
from hearspike.baselines.operation_energy import OperationEnergy
from hearspike.datasets import SpikeDataset, SpikeEvents
from hearspike.leaderboard.sealed_test import SealedTest
from hearspike.leaderboard.standings import standings


def dataset(samples: int = 40) -> SpikeDataset:
    rng = np.random.default_rng(0)
    events = SpikeEvents(
        np.linspace(0, 1, samples, dtype=np.float32), np.zeros(samples, np.uint16), np.arange(samples + 1), 3
    )
    return SpikeDataset(
        events, rng.integers(10, size=samples), np.zeros(samples, np.int64), tuple("0123456789")
    )


def arrays_within_reach(*arguments: object, limit: int = 20_000) -> list[np.ndarray]:
    """Every array that can be found by following references from the arguments, but not through classes."""
    seen: set[int] = set()
    found: list[np.ndarray] = []
    queue = list(arguments)
    while queue and len(seen) < limit:
        item = queue.pop()
        if id(item) in seen or isinstance(item, type) or type(item).__name__ == "module":
            continue
        seen.add(id(item))
        if isinstance(item, np.ndarray):
            found.append(item)
        if not callable(item):
            queue += gc.get_referents(item)
    return found


class Cheat:
    """A model that searches what it is given for something that looks like labels of the test samples."""

    def __init__(self, labels: np.ndarray) -> None:
        self.hash = labels.tobytes()
        self.found = False
        self.parameters: dict[str, np.ndarray] = {}

    def predict(self, events: SpikeEvents) -> Predictions:
        arrays = arrays_within_reach(events)
        self.found = any(array.tobytes() == self.hash for array in arrays)
        assert arrays, "the search finds at least the spikes"
        return Predictions(np.zeros((1, len(events)), np.int64))


def test_cheating_model_finds_no_labels() -> None:
    """From the events that a model gets, no reference leads to the labels; from the data set one does."""
    data = dataset()
    sealed, cheat = SealedTest(data), Cheat(data.labels)
    backend = Software(OperationEnergy("none", 0.0, 0.0, "none"))
    backend.predict(cheat, sealed.events, seed=0)
    assert not cheat.found
    assert sealed.reads == 0
    assert any(array.tobytes() == cheat.hash for array in arrays_within_reach(*vars(data).values()))


def test_labels_are_no_attribute() -> None:
    """Neither by its usual name, nor by listing or printing, do labels come out."""
    sealed = SealedTest(dataset())
    with pytest.raises(AttributeError):
        sealed.labels  # type: ignore[attr-defined]  # noqa: B018
    public = [getattr(sealed, name) for name in dir(sealed) if not name.startswith("_") and name != "open"]
    assert not any(isinstance(item, np.ndarray) and item.size == 40 and item.max() > 0 for item in public)
    assert "labels read 0 times" in repr(sealed)


def test_every_reading_counts() -> None:
    """The second one shows; what is handed out is a copy, so that nobody can change the truth."""
    data = dataset()
    sealed = SealedTest(data)
    labels = sealed.open()
    np.testing.assert_array_equal(labels, data.labels)
    assert sealed.reads == 1
    labels[:] = 0
    np.testing.assert_array_equal(sealed.open(), data.labels)
    assert sealed.reads == 2


def test_second_reading_is_in_the_record_and_in_the_table(
    task_config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number in a record comes from the seal: a run that reads twice says 2 and is not ranked."""
    from hearspike.leaderboard import evaluation

    once = evaluation.evaluate(task_config, tmp_path / "once")
    assert once.test_reads == 1

    class Curious(SealedTest):
        def open(self) -> Any:
            super().open()
            return super().open()

    monkeypatch.setattr(evaluation, "SealedTest", Curious)
    assert evaluation.evaluate(task_config, tmp_path / "twice").test_reads == 2
    (row,) = standings(tmp_path / "twice")[0].rows
    assert row.unranked == "the labels of the test set were read 2 times in one run"
    (row,) = standings(tmp_path / "once")[0].rows
    assert row.unranked == "1 seed; a ranked row needs 5"


def test_labels_are_read_after_the_last_answer(
    task_config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While any model answers, the probe's among them, the seal is whole."""
    from hearspike.leaderboard import evaluation

    seals: list[SealedTest] = []
    reads: list[int] = []

    class Watched(SealedTest):
        def __init__(self, data: SpikeDataset) -> None:
            super().__init__(data)
            seals.append(self)

    def predict(self: Software, fitted: FittedModel, events: SpikeEvents, *, seed: int) -> Predictions:
        reads.extend(seal.reads for seal in seals)
        return fitted.predict(events)

    monkeypatch.setattr(evaluation, "SealedTest", Watched)
    monkeypatch.setattr(Software, "predict", predict)
    probe = {
        "_target_": "hearspike.leaderboard.timing_probe.TimingProbe",
        "name": "timing",
        "window": 1.0,
        "jitter_ms": [5],
        "event_loss": [0.5],
        "retrain": ["uniform_times"],
    }
    record = evaluation.evaluate({**task_config, "probe": probe}, tmp_path / "run")
    assert len(reads) > 6
    assert set(reads) == {0}
    assert record.test_reads == 1
    assert record.metrics["accuracy_uniform_times_retrained"].value is not None
