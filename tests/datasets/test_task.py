"""A task of arrays: its checksums follow its content, and its times are sane."""

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


@pytest.mark.parametrize(("name", "value"), [("window", 0.0), ("time_scale", np.inf), ("window", np.nan)])
def test_times_are_above_zero(name: str, value: float) -> None:
    """Window and time scale are finite and positive."""
    with pytest.raises(InputError, match=rf"dataset\.{name}"):
        task(**{name: value})
