"""Yin-Yang, images and Iris: the figures, codes and splits of the papers, from closed forms."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from hearspike.datasets import SpikeDataset
from hearspike.datasets.images import ImageTask, read_idx, shrink
from hearspike.datasets.iris import Iris
from hearspike.datasets.latency import linear_latency, logarithmic_latency, one_spike_per_channel
from hearspike.datasets.yin_yang import YinYang
from hearspike.errors import InputError

TIMES = {"window": 3.0, "time_scale": 1.0}


def yin_yang(r_small: float = 0.1) -> YinYang:
    return YinYang("yin_yang", r_small=r_small, r_big=0.5, t_early=0.15, t_late=2.0, **TIMES)


def assert_contract(dataset: SpikeDataset, channels: int) -> None:
    events = dataset.events
    steps = np.diff(events.times)
    steps[events.offsets[1:-1] - 1] = 0
    assert (steps >= 0).all()
    assert np.isfinite(events.times).all()
    assert (events.times >= 0).all()
    assert events.channels == channels
    assert (events.units < channels).all()
    assert len(dataset) == len(events) == len(dataset.speakers)
    assert (dataset.labels < len(dataset.classes)).all()


def test_yin_yang_has_the_published_sizes_and_is_balanced() -> None:
    """5000, 1000 and 1000 points, four spikes each, classes with equal probability."""
    task = yin_yang().task()
    assert [len(part) for part in (task.train, task.validation, task.test)] == [5000, 1000, 1000]
    assert task.split == yin_yang().task().split
    assert task.sha256 != yin_yang(r_small=0.12).task().sha256
    for part in (task.train, task.validation, task.test):
        assert_contract(part, channels=4)
        assert (np.diff(part.events.offsets) == 4).all()
        counts = np.bincount(part.labels, minlength=3)
        # Multinomial: five standard deviations of each count.
        assert (np.abs(counts - len(part) / 3) < 5 * np.sqrt(len(part) * 2 / 9)).all()


def test_yin_yang_draws_as_the_published_code_does() -> None:
    """The generator's first draw names the class of the first point, the next hit is the point."""
    points, labels = yin_yang().points(50, seed=42)
    rng = np.random.RandomState(42)  # as published
    for point, label in zip(points, labels, strict=True):
        assert label == rng.randint(3)
        drawn = rng.rand(2)
        while not np.array_equal(drawn, point):
            inside = np.hypot(*(drawn - 0.5)) <= 0.5
            assert not inside or yin_yang().classify(drawn[np.newaxis])[0] != label
            drawn = rng.rand(2)


def test_yin_yang_figure_is_point_symmetric() -> None:
    """Turned by half a turn, classes 0 and 1 change places and dots stay dots; areas are as computed."""
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 1, (200_000, 2))
    points = points[np.hypot(*(points - 0.5).T) <= 0.5]
    shape = yin_yang()
    classes, turned = shape.classify(points), shape.classify(1.0 - points)
    np.testing.assert_array_equal(turned, np.array([1, 0, 2])[classes])
    # Two dots of radius 0.1 in a disc of radius 0.5: 8 % of the area; 157,000 points scatter by 0.07 %.
    assert abs((classes == 2).mean() - 0.08) < 0.0035


def test_latency_codes_are_the_formulas_and_their_inverse() -> None:
    """The membrane equation x (1 − exp(−t/τ)) is at the threshold when the spike comes."""
    values = np.linspace(0, 1, 11)
    times = logarithmic_latency(values, tau=2.0, threshold=0.25)
    assert np.isinf(times[values <= 0.25]).all()
    driven = values > 0.25
    np.testing.assert_allclose(values[driven] * (1 - np.exp(-times[driven] / 2.0)), 0.25, rtol=1e-12)
    np.testing.assert_allclose(linear_latency(np.array([0.0, 1.0]), t_early=0.15, t_late=2.0), [0.15, 2.0])
    events = one_spike_per_channel(np.array([[0.3, np.inf, 0.1], [np.inf] * 3]))
    assert events.units.tolist() == [2, 0]
    assert events.offsets.tolist() == [0, 2, 2]


def test_shrinking_is_exact_on_linear_pictures() -> None:
    """A ramp stays a ramp with its ends, a constant a constant; the border does not count."""
    row, column = np.mgrid[0:28, 0:28].astype(float)
    ramp = np.stack([2 * row + 3 * column, np.ones((28, 28))])
    small = shrink(ramp, crop=2, size=16)
    place = np.linspace(2, 25, 16)
    np.testing.assert_allclose(small[0], 2 * place[:, np.newaxis] + 3 * place, rtol=1e-12)
    np.testing.assert_allclose(small[1], 1.0, rtol=1e-12)
    with pytest.raises(InputError, match="crop, size"):
        shrink(ramp, crop=14, size=16)


def write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


def image_task(root: Path, name: str = "mnist", validation: int = 4) -> ImageTask:
    return ImageTask(name, root, tau=1.0, threshold=0.2, crop=2, size=16, validation=validation, **TIMES)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_images_become_a_task(tmp_path: Path, name: str) -> None:
    """256 channels, brighter pixels earlier, the last training images for validation."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (14, 28, 28))
    labels = np.arange(14) % 10
    for prefix, chosen in (("train", slice(0, 10)), ("t10k", slice(10, 14))):
        write_idx(tmp_path / f"{prefix}-images-idx3-ubyte.gz", images[chosen])
        write_idx(tmp_path / f"{prefix}-labels-idx1-ubyte.gz", labels[chosen])
    task = image_task(tmp_path, name).task()
    assert [len(part) for part in (task.train, task.validation, task.test)] == [6, 4, 4]
    assert task.validation.labels.tolist() == [6, 7, 8, 9]
    assert len(set(task.sha256.values())) == 3
    for part in (task.train, task.validation, task.test):
        assert_contract(part, channels=256)
    pixels = shrink(images[:1] / 255.0, crop=2, size=16).ravel()
    units = task.train.events.select(np.array([0])).units
    assert (np.diff(pixels[units]) <= 0).all()
    assert sorted(units) == np.flatnonzero(pixels > 0.2).tolist()
    with pytest.raises(InputError, match=r"dataset\.validation"):
        image_task(tmp_path, name, validation=10).task()


def test_real_mnist_is_read(data_folder: Path, tmp_path: Path) -> None:
    """The published test set has 10,000 digits, 980 of them zeros, the first a seven."""
    folder = data_folder / "mnist"
    labels = read_idx(folder / "t10k-labels-idx1-ubyte.gz", dimensions=1)
    assert len(labels) == 10_000
    assert labels[0] == 7
    assert np.count_nonzero(labels == 0) == 980
    dataset = image_task(folder).part("test")
    assert_contract(dataset, channels=256)
    assert (np.diff(dataset.events.offsets) > 0).all()


def test_packed_images_are_those_of_the_distributed_files(tmp_path: Path) -> None:
    """The same images and labels in one file of numpy make the same part; other content is refused."""
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    labels = np.arange(5, dtype=np.uint8)
    np.savez(tmp_path / "mnist_train_60k.npz", x=images, y=labels)
    packed = image_task(tmp_path).part("train")
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", images)
    write_idx(tmp_path / "train-labels-idx1-ubyte.gz", labels)
    distributed = image_task(tmp_path).part("train")
    np.testing.assert_array_equal(packed.events.times, distributed.events.times)
    np.testing.assert_array_equal(packed.labels, distributed.labels)
    np.savez(tmp_path / "mnist_test_10k.npz", x=images, y=labels[:4])
    with pytest.raises(InputError, match=r"mnist_test_10k\.npz: got x uint8 \(5, 28, 28\), y \(4,\)"):
        image_task(tmp_path).part("test")
    np.savez(tmp_path / "mnist_test_10k.npz", x=images, y=labels + 6)
    with pytest.raises(InputError, match="got label 10, expected labels below 10"):
        image_task(tmp_path).part("test")


def test_damaged_image_file_is_named(tmp_path: Path) -> None:
    """Missing, cut short, of another kind: the file stands in the error."""
    path = tmp_path / "x.gz"
    with pytest.raises(InputError, match="no such file"):
        read_idx(path, dimensions=1)
    write_idx(path, np.arange(10))
    with pytest.raises(InputError, match="another header"):
        read_idx(path, dimensions=3)
    whole = path.read_bytes()
    path.write_bytes(whole[:-12])
    with pytest.raises(InputError, match="cannot be unpacked"):
        read_idx(path, dimensions=1)
    path.write_bytes(gzip.compress(gzip.decompress(whole)[:-2]))
    with pytest.raises(InputError, match="got 8 bytes, expected 10"):
        read_idx(path, dimensions=1)
    with pytest.raises(InputError, match=r"dataset\.name"):
        image_task(tmp_path, "emnist")


def test_iris_receptors_prefer_their_place() -> None:
    """A measure at a receptor's centre makes it spike at once, its neighbours later, far ones never."""
    iris = Iris("iris", receptors=5, width=1.0, t_late=1.0, weakest=0.1, seed=0, **TIMES)
    times = iris.encode(np.array([[0.5, 0.0, 1.0, 0.25]])).reshape(4, 5)
    assert times[0, 2] == 0.0
    assert times[1, 0] == 0.0
    assert times[2, 4] == 0.0
    np.testing.assert_allclose(times[0, [1, 3]], 1 - np.exp(-0.5))  # one distance is one width
    assert np.isinf(times[1, 3:]).all()
    task = iris.task()
    assert [len(part) for part in (task.train, task.validation, task.test)] == [90, 30, 30]
    for part in (task.train, task.validation, task.test):
        assert_contract(part, channels=20)
        assert len(set(np.bincount(part.labels))) == 1
    assert sum(len(part) for part in (task.train, task.validation, task.test)) == 150
