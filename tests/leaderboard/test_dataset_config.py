"""Every file in conf/dataset and conf/split makes a task."""

from pathlib import Path

import pytest

import hearspike.conf
from hearspike.datasets import SpikeFiles, Task
from hearspike.errors import InputError
from hearspike.leaderboard.config import build, compose, plain

CONF = Path(hearspike.conf.__file__).parent
DATASETS = sorted(path.stem for path in (CONF / "dataset").glob("*.yaml"))
FSDD_PAIRS = {"theo", "yweweler"}, {"george", "jackson"}, {"lucas", "nicolas"}


def load(*words: str) -> Task:
    task = build(plain(compose("evaluate", list(words)))["dataset"], "dataset").task()
    assert isinstance(task, Task)
    return task


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_can_be_built(name: str) -> None:
    """All settings are there and of the right type; its name is the file's."""
    config = plain(compose("evaluate", [f"dataset={name}"]))["dataset"]
    source = build(config, "dataset")
    expected = name.replace("converted", config["converter"]["name"]) if "converter" in config else name
    assert source.name == expected
    assert callable(source.task)


def test_tasks_that_need_no_files_are_made() -> None:
    """Yin-Yang and Iris lie within their windows, in microseconds of chip time."""
    for name, channels in (("yin_yang", 4), ("iris", 64)):
        task = load(f"dataset={name}")
        assert task.name == name
        assert task.time_scale == 1.0
        assert task.train.events.channels == channels
        assert 5e-6 < task.train.events.times.max() < task.window < 1e-4


@pytest.mark.slow
def test_mnist_is_whole(data_folder: Path) -> None:
    """50,000 digits to train on, 10,000 each for validation and test; nearly all spikes in the window."""
    task = load("dataset=mnist", f"dataset.root={data_folder}/mnist")
    assert [len(part) for part in (task.train, task.validation, task.test)] == [50_000, 10_000, 10_000]
    assert (task.test.events.times < task.window).mean() > 0.99


def test_pairs_of_speakers_rotate_over_one_folder(task_folder: Path) -> None:
    """Each pair of FSDD's speakers is tested on once, none of them heard in training or validation."""
    hashes, tested = set(), []
    for pair in FSDD_PAIRS:
        split = f"fsdd_{'_'.join(sorted(pair))}"
        task = load("dataset=fsdd", f"dataset.root={task_folder}", f"split@dataset.split={split}")
        assert [len(part) for part in (task.train, task.validation, task.test)] == [60, 20, 40]
        parts = [set(part.speakers.tolist()) for part in (task.train, task.validation, task.test)]
        assert len(set.union(*parts)) == sum(map(len, parts)) == 6
        assert task.split["name"] == "HeldOutSpeakers"
        assert set(task.split["test"]) == pair
        hashes.add(task.split["sha256"])
        tested += sorted(parts[2])
    assert len(hashes) == 3
    assert sorted(tested) == list(range(6))


def test_split_of_generation_and_the_same_split_of_loading_are_one(task_folder: Path) -> None:
    """The files' own split has the checksum that it gets when it is applied anew."""
    own = load("dataset=fsdd", f"dataset.root={task_folder}")
    anew = load("dataset=fsdd", f"dataset.root={task_folder}", "split@dataset.split=fsdd_theo_yweweler")
    assert own.split == anew.split
    assert (own.test.events.times == anew.test.events.times).all()


def test_a_split_can_be_written_on_the_command_line(task_folder: Path) -> None:
    """Any split is a class and its settings; a wrong one names its key."""
    words = ["dataset=fsdd", f"dataset.root={task_folder}"]
    target = "_target_:hearspike.datasets.more_splits.KFold"
    task = load(*words, f"dataset.split={{{target},folds:4,fold:1,seed:0}}")
    assert task.split["name"] == "KFold"
    assert len(task.test) == 30
    with pytest.raises(InputError, match=r"dataset\.split\.folds: got many"):
        load(*words, f"dataset.split={{{target},folds:many,fold:1,seed:0}}")
    with pytest.raises(InputError, match=r"dataset\.split: got"):
        load(*words, "dataset.split={_target_:hearspike.datasets.Cuts}")


def test_fsdds_own_split_tests_on_the_first_five_takes() -> None:
    """Takes 0 to 4 for test, 5 to 9 for validation, whatever has more digits is training."""
    from hearspike.datasets import Recording

    node = plain(compose("evaluate", ["dataset=fsdd", "split@dataset.split=fsdd_takes"]))["dataset"]
    source = build(node, "dataset")
    assert isinstance(source, SpikeFiles)
    assert source.split is not None
    takes = [Recording(f"3_theo_{take}", Path("x"), 3, "theo") for take in range(50)]
    parts = source.split.parts(takes)
    assert [item.key for item in parts["test"]] == [f"3_theo_{take}" for take in range(5)]
    assert [item.key for item in parts["validation"]] == [f"3_theo_{take}" for take in range(5, 10)]
    assert len(parts["train"]) == 40
