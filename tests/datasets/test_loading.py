"""Flat copies, batches and torch's loaders give exactly the spikes of the file."""

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hearspike.datasets import SpikeDataset, SpikeEvents, bin_events, read_spike_file, write_spike_file
from hearspike.datasets.batches import batches
from hearspike.datasets.event_cache import open_spike_file
from hearspike.datasets.torch_dataset import TorchFrames, torch_loader
from hearspike.errors import InputError

needs_tonic = pytest.mark.skipif(find_spec("tonic") is None, reason="tonic is not installed")


def write(path: Path, *, samples: int = 700, seed: int = 0, time_type: str = "float16") -> Path:
    """More samples than a block; some have no spikes, some spikes lie after 1.4 s."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 60, samples)
    write_spike_file(
        path,
        [np.sort(rng.uniform(0, 1.6, count)) for count in counts],
        [rng.integers(0, 700, count) for count in counts],
        labels=rng.integers(0, 20, samples).tolist(),
        speakers=rng.integers(0, 12, samples).tolist(),
        classes=[str(label) for label in range(20)],
        sources=[str(sample) for sample in range(samples)],
        speaker_info={},
        attributes={},
        time_type=time_type,
    )
    return path


def assert_equal(one: SpikeDataset, other: SpikeDataset) -> None:
    for name in ("times", "units", "offsets"):
        np.testing.assert_array_equal(getattr(one.events, name), getattr(other.events, name))
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_array_equal(one.speakers, other.speakers)
    assert (one.classes, one.events.channels) == (other.classes, other.events.channels)


@pytest.mark.parametrize("time_type", ["float16", "float32"])
def test_flat_copy_is_the_file(tmp_path: Path, time_type: str) -> None:
    """Made and opened again, it holds what the file holds, and cannot be written to."""
    path = write(tmp_path / "a.h5", time_type=time_type)
    for _ in range(2):
        opened = open_spike_file(path, cache=tmp_path / "cache")
        assert_equal(opened, read_spike_file(path))
    assert isinstance(opened.events.times, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        opened.events.times[0] = 1.0


def test_changed_file_is_copied_again(tmp_path: Path) -> None:
    """A file of the same name and size is not taken for the old one; the old copy goes."""
    path = write(tmp_path / "a.h5")
    open_spike_file(path, cache=tmp_path / "cache")
    path.unlink()
    write(path, seed=1)
    os.utime(path, ns=(0, 0))
    assert_equal(open_spike_file(path, cache=tmp_path / "cache"), read_spike_file(path))
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_bad_file_leaves_no_copy(tmp_path: Path) -> None:
    """A breach is an error here as in the reader, and a damaged copy is not used."""
    import h5py

    path = write(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        file["labels"][600] = 99
    with pytest.raises(InputError, match=r"labels\[600\]"):
        open_spike_file(path, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    with pytest.raises(InputError, match="no file"):
        open_spike_file(tmp_path / "none.h5", cache=tmp_path / "cache")
    good = write(tmp_path / "b.h5")
    open_spike_file(good, cache=tmp_path / "cache")
    (copy,) = (tmp_path / "cache").iterdir()
    (copy / "times").write_bytes((copy / "times").read_bytes()[:-4])
    with pytest.raises(InputError, match="damaged copy"):
        open_spike_file(good, cache=tmp_path / "cache")


@pytest.mark.parametrize(("count_type", "threads"), [("float32", 1), ("uint8", 2), ("uint16", 3)])
def test_batches_are_the_whole_set_once(tmp_path: Path, count_type: str, threads: int) -> None:
    """In the data set's order or a shuffled one, every sample comes once, binned as all at once."""
    dataset = open_spike_file(write(tmp_path / "a.h5"), cache=tmp_path / "cache")
    whole = bin_events(dataset.events, bins=100, window=1.4)
    assert whole.outside > 0
    for shuffle in (None, np.random.default_rng(0)):
        found = list(
            batches(
                dataset,
                size=64,
                bins=100,
                window=1.4,
                shuffle=shuffle,
                count_type=count_type,
                threads=threads,
            )
        )
        order = np.concatenate([batch.samples for batch in found])
        assert sorted(order) == list(range(len(dataset)))
        assert (shuffle is None) == (order.tolist() == sorted(order))
        np.testing.assert_array_equal(np.concatenate([b.frames.counts for b in found]), whole.counts[order])
        np.testing.assert_array_equal(np.concatenate([b.labels for b in found]), dataset.labels[order])
        assert sum(batch.frames.outside for batch in found) == whole.outside


def test_count_too_large_for_its_type_is_an_error() -> None:
    """256 spikes in one bin do not become 0 without a word, and wider types hold them, sample by sample."""
    times, units = np.zeros(260, np.float32), np.zeros(260, np.uint16)
    events = SpikeEvents(times, units, np.array([0, 2, 258, 260]), 3)
    with pytest.raises(InputError, match="count_type: got uint8"):
        bin_events(events, bins=2, window=1.0, count_type="uint8")
    for count_type in ("uint16", "float32"):
        counts = bin_events(events, bins=2, window=1.0, count_type=count_type).counts
        assert counts[:, 0, 0].tolist() == [2, 256, 2]
        assert counts.sum() == 260


@pytest.mark.parametrize(
    "arguments",
    [{"bins": 0}, {"window": 0.0}, {"window": float("inf")}, {"count_type": "int64"}],
)
def test_wrong_binning_is_refused(arguments: dict[str, Any]) -> None:
    """The argument is named."""
    events = SpikeEvents(np.zeros(1, np.float32), np.zeros(1, np.uint16), np.array([0, 1]), 3)
    with pytest.raises(InputError, match=next(iter(arguments))):
        bin_events(events, **{"bins": 10, "window": 1.0, **arguments})


def test_huge_times_are_outside() -> None:
    """The largest float is in no bin."""
    times = np.array([0.5, np.finfo(np.float32).max], np.float32)
    events = SpikeEvents(times, np.zeros(2, np.uint16), np.array([0, 2]), 1)
    frames = bin_events(events, bins=10, window=1.0)
    assert (frames.counts.sum(), frames.outside) == (1, 1)


@pytest.mark.parametrize("workers", [0, 2])
def test_torch_loader_gives_the_frames(tmp_path: Path, workers: int) -> None:
    """Through torch's DataLoader, in this process or others, frames and labels are the same."""
    dataset = open_spike_file(write(tmp_path / "a.h5", samples=90), cache=tmp_path / "cache")
    whole = bin_events(dataset.events, bins=20, window=1.4)
    frames = TorchFrames(dataset, bins=20, window=1.4)
    loader = torch.utils.data.DataLoader(
        frames, batch_size=40, num_workers=workers, multiprocessing_context="spawn" if workers else None
    )
    batch_frames, labels = (torch.cat(parts).numpy() for parts in zip(*loader, strict=True))
    np.testing.assert_array_equal(batch_frames, whole.counts)
    np.testing.assert_array_equal(labels, dataset.labels)
    np.testing.assert_array_equal(frames[-1][0].numpy(), whole.counts[-1])
    with pytest.raises(IndexError):
        frames[90]


def test_torch_loader_shuffles_by_its_seed(tmp_path: Path) -> None:
    """The same seed gives the same order of epochs, in which every sample comes once."""
    dataset = open_spike_file(write(tmp_path / "a.h5", samples=90), cache=tmp_path / "cache")
    loaders = [torch_loader(dataset, size=32, bins=2, window=1.4, seed=seed) for seed in (1, 1, None)]
    first, again, plain = ([torch.cat([y for _, y in loader]) for _ in range(2)] for loader in loaders)
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert not torch.equal(first[0], first[1])
    np.testing.assert_array_equal(np.sort(first[0].numpy()), np.sort(dataset.labels))
    np.testing.assert_array_equal(plain[0].numpy(), dataset.labels)


@needs_tonic
@pytest.mark.filterwarnings("ignore")  # of tonic's own imports
@pytest.mark.parametrize("name", ["SHD", "SSC"])
def test_tonic_reads_our_files(tmp_path: Path, name: str) -> None:
    """Its own reader finds all samples with our labels, speakers, channels, and times in microseconds."""
    datasets = import_module("tonic.datasets")
    part = {"SHD": "train", "SSC": "valid"}[name]
    path = write(tmp_path / name / f"{name.lower()}_{part}.h5", samples=30)
    path.with_suffix(".h5.zip").touch()  # tonic looks for the archive as well
    options: dict[str, Any] = {"train": True} if name == "SHD" else {"split": "valid"}
    theirs = getattr(datasets, name)(save_to=str(tmp_path), **options)
    ours = read_spike_file(path)
    assert len(theirs) == len(ours) == 30
    assert [key.decode() for key in theirs.classes] == list(ours.classes)
    if name == "SHD":  # its SSC knows no speakers
        np.testing.assert_array_equal(theirs.speaker, ours.speakers)
    for sample, (events, label) in enumerate(theirs):
        mine = ours.events.select(np.array([sample]))
        assert label == ours.labels[sample]
        np.testing.assert_array_equal(events["x"], mine.units)
        np.testing.assert_array_equal(events["t"], (mine.times.astype(np.float64) * 1e6).astype(int))
