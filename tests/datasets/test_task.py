"""A task of arrays: its checksums follow its content, and its times are sane."""

from dataclasses import replace

import numpy as np
import pytest

from hearspike.datasets import NO_SPEAKER, SpikeDataset, Task
from hearspike.datasets.latency import one_spike_per_channel
from hearspike.datasets.task import generated_task
from hearspike.errors import InputError


def part(time: float) -> SpikeDataset:
    nobody = np.array([NO_SPEAKER])
    return SpikeDataset(one_spike_per_channel(np.array([[time]])), np.array([0]), nobody, ("a",))


def task(test_time: float = 0.3, *, window: float = 1.0, time_scale: float = 1.0) -> Task:
    return generated_task(
        "t",
        train=part(0.1),
        validation=part(0.2),
        test=part(test_time),
        split={"name": "Published"},
        window=window,
        time_scale=time_scale,
    )


def test_checksums_follow_the_content() -> None:
    """The same spikes have the same checksums; another test part has its own and another split."""
    assert (task().sha256, task().split) == (task().sha256, task().split)
    assert task(0.4).sha256["train"] == task().sha256["train"]
    assert task(0.4).sha256["test"] != task().sha256["test"]
    assert task(0.4).split["sha256"] != task().split["sha256"]


def test_known_and_unseen_speakers_are_told_apart() -> None:
    """As in SHD: who is in validation only is not unseen, and what nobody spoke is neither."""

    def speakers(*numbers: int) -> SpikeDataset:
        events = one_spike_per_channel(np.full((len(numbers), 1), 0.1))
        return SpikeDataset(events, np.zeros(len(numbers), int), np.array(numbers), ("a",))

    test = speakers(0, 4, 3, NO_SPEAKER, 5)
    found = replace(task(), train=speakers(0, 1, 2), validation=speakers(3, 6), test=test).test_speakers()
    assert found["known"].tolist() == [True, False, True, False, False]
    assert found["unseen"].tolist() == [False, True, False, False, True]


@pytest.mark.parametrize(("name", "value"), [("window", 0.0), ("time_scale", np.inf), ("window", np.nan)])
def test_times_are_above_zero(name: str, value: float) -> None:
    """Window and time scale are finite and positive."""
    with pytest.raises(InputError, match=rf"dataset\.{name}"):
        task(**{name: value})
