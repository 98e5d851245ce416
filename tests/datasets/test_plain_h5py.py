"""Our files through h5py alone, as a reader does who knows nothing but the layout of SHD."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from hearspike.datasets import bin_events, read_spike_file, write_spike_file

STEPS, LONGEST, CHANNELS = 100, 1.4, 700


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 200, 40)
    write_spike_file(
        tmp_path / "shd_train.h5",
        [np.sort(rng.uniform(0, 1.39, count)) for count in counts],
        [rng.integers(0, CHANNELS, count) for count in counts],
        labels=rng.integers(0, 3, 40).tolist(),
        speakers=rng.integers(0, 2, 40).tolist(),
        classes=["zero", "one", "fünf"],
        sources=[str(number) for number in range(40)],
        speaker_info={"name": ["jo", "al"], "gender": ["male", "female"]},
        attributes={"converter": "any"},
        time_type="float16",
    )
    return tmp_path / "shd_train.h5"


def sparse_batches(file: h5py.File, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Dense tensors [sample, step, channel] out of coordinates, batch by batch."""
    labels = np.array(file["labels"], dtype=int)
    times, units = file["spikes"]["times"], file["spikes"]["units"]
    edges = np.linspace(0, LONGEST, num=STEPS + 1)[1:]
    for start in range(0, len(labels), size):
        chosen = range(start, min(start + size, len(labels)))
        coordinates = np.concatenate(
            [
                [np.full(len(times[i]), i - start), np.digitize(times[i], edges), units[i].astype(int)]
                for i in chosen
            ],
            axis=1,
        )
        ones = torch.ones(coordinates.shape[1])
        shape = (len(chosen), STEPS, CHANNELS)
        frames = torch.sparse_coo_tensor(torch.from_numpy(coordinates), ones, shape, check_invariants=True)
        yield frames.to_dense(), torch.from_numpy(labels[start : start + size])


def test_batches_through_h5py_are_ours(path: Path) -> None:
    """Spikes indexed sample by sample and binned by numpy are the frames and labels of our own reader.

    The edges of bins are computed in another way there, so a spike may fall on the other side of one.
    """
    ours = read_spike_file(path)
    frames = bin_events(ours.events, bins=STEPS, window=LONGEST)
    with h5py.File(path, "r") as file:
        batches = list(sparse_batches(file, size=16))
    assert [len(labels) for _, labels in batches] == [16, 16, 8]
    np.testing.assert_array_equal(torch.cat([labels for _, labels in batches]).numpy(), ours.labels)
    theirs = torch.cat([batch for batch, _ in batches]).numpy()
    np.testing.assert_array_equal(theirs.sum(axis=1), frames.counts.sum(axis=1))
    assert np.abs(theirs.cumsum(axis=1) - frames.counts.cumsum(axis=1)).sum() < 0.001 * theirs.sum()


def test_what_is_extra_is_where_it_should_be(path: Path) -> None:
    """Names of the classes as bytes, a speaker for each sample, facts about speakers by their number."""
    with h5py.File(path, "r") as file:
        assert sorted(file) == ["extra", "labels", "spikes"]
        assert [key.decode("utf-8") for key in file["extra"]["keys"]] == ["zero", "one", "fünf"]
        speakers = np.array(file["extra"]["speaker"])
        assert speakers.shape == file["labels"].shape
        assert file["extra"]["meta_info"]["gender"][speakers.max()] == b"female"
        assert file["spikes"]["times"][3].dtype == np.float16
        assert file["spikes"]["units"][3].dtype == np.uint16
