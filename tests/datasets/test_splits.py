"""Held-out speakers are heard in one part only."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hearspike.datasets import HeldOutSpeakers, Recording, Split
from hearspike.datasets.more_splits import KFold, LeaveOneSpeakerOut, MatchingKeys, Published, RandomSplit
from hearspike.datasets.splits import describe_split
from hearspike.errors import InputError

RECORDINGS = [
    Recording(f"{speaker}/{take}", Path("x"), take, speaker) for take in range(3) for speaker in "abcd"
]


def test_parts_share_no_speaker_and_lose_no_recording() -> None:
    """Every recording is in the part of its speaker, in the given order."""
    parts = HeldOutSpeakers(validation=("c",), test=("a", "d")).parts(RECORDINGS)
    assert [item.key for item in parts["train"]] == ["b/0", "b/1", "b/2"]
    assert {item.speaker for item in parts["validation"]} == {"c"}
    assert {item.speaker for item in parts["test"]} == {"a", "d"}
    assert sum(map(len, parts.values())) == len(RECORDINGS)


@pytest.mark.parametrize(
    ("validation", "test", "message"),
    [
        (("a",), ("a",), "each speaker in one part only"),
        (("e",), ("a",), r"split.validation: got e, expected one of the speakers a, b, c, d"),
        ((), ("a",), "split.validation: got no speaker"),
        (("a", "b"), ("c", "d"), "at least one speaker to train on"),
    ],
)
def test_wrong_split_is_refused(validation: tuple[str, ...], test: tuple[str, ...], message: str) -> None:
    """Overlap, unknown names and empty parts are errors that name the speakers."""
    with pytest.raises(InputError, match=message):
        HeldOutSpeakers(validation=validation, test=test).parts(RECORDINGS)


CORPUS = [
    Recording(f"{speaker}/{label}/{take}", Path("x"), label, speaker)
    for speaker in "abcde"
    for label in range(3)
    for take in range(4)
]


@pytest.mark.parametrize(
    "split",
    [
        HeldOutSpeakers(validation=("c",), test=("a", "d")),
        LeaveOneSpeakerOut(fold=4),
        MatchingKeys(validation="/3$", test="^a/.*/[01]$"),
        RandomSplit(validation=0.1, test=0.2, seed=1),
        KFold(folds=5, fold=4, seed=1),
    ],
)
def test_every_recording_is_in_exactly_one_part(split: Split) -> None:
    """No split loses or doubles a recording, changes it, or leaves a part empty."""
    parts = split.parts(CORPUS)
    assert list(parts) == ["train", "validation", "test"]
    assert all(parts.values())
    together = [item for part in parts.values() for item in part]
    assert sorted(item.key for item in together) == sorted(item.key for item in CORPUS)
    for part in parts.values():
        assert part == [item for item in CORPUS if item in part]


def test_leaving_one_speaker_out_tests_everybody_once() -> None:
    """Over all folds each speaker is tested on once and selected on once, never in two parts."""
    tested, selected = [], []
    for fold in range(5):
        parts = LeaveOneSpeakerOut(fold=fold).parts(CORPUS)
        speakers = [{item.speaker for item in part} for part in parts.values()]
        assert sum(map(len, speakers)) == 5
        tested += sorted(speakers[2])
        selected += sorted(speakers[1])
    assert tested == sorted(selected) == list("abcde")


def test_folds_test_every_recording_once_and_are_balanced() -> None:
    """The test parts of all folds make up the corpus; each has an equal share of every class."""
    folds = [KFold(folds=5, fold=fold, seed=3).parts(CORPUS)["test"] for fold in range(5)]
    assert sorted(item.key for part in folds for item in part) == sorted(item.key for item in CORPUS)
    for part in folds:
        assert Counter(item.label for item in part) == {0: 4, 1: 4, 2: 4}


def test_random_split_hangs_on_seed_and_keys_only() -> None:
    """The order of the recordings changes nothing, the seed does; shares are exact in every class."""
    split = RandomSplit(validation=0.1, test=0.2, seed=1)
    parts = split.parts(CORPUS)
    assert {name: len(part) for name, part in parts.items()} == {"train": 42, "validation": 6, "test": 12}
    shuffled = split.parts(CORPUS[::-1])
    assert {item.key for item in shuffled["test"]} == {item.key for item in parts["test"]}
    other = RandomSplit(validation=0.1, test=0.2, seed=2).parts(CORPUS)
    assert {item.key for item in other["test"]} != {item.key for item in parts["test"]}


def test_published_split_is_kept() -> None:
    """Parts are those of the recordings; validation speakers are taken from training only."""
    published = [
        replace(item, part="test" if item.speaker == "a" or item.key.endswith("3") else "train")
        for item in CORPUS
    ]
    parts = Published(validation=("b",)).parts(published)
    assert {item.key for item in parts["test"]} == {item.key for item in published if item.part == "test"}
    assert {item.speaker for item in parts["validation"]} == {"b"}
    assert {item.speaker for item in parts["train"]} == {"c", "d", "e"}
    with pytest.raises(InputError, match="since the corpus has no validation part"):
        Published().parts(published)
    with pytest.raises(InputError, match=r"split\.validation: got a"):
        Published(validation=("a",)).parts(published)
    with pytest.raises(InputError, match="no published part of"):
        Published().parts(CORPUS)
    own = [replace(item, part="validation" if item.speaker == "e" else item.part) for item in published]
    assert {item.speaker for item in Published().parts(own)["validation"]} == {"e"}
    with pytest.raises(InputError, match="since the corpus has a validation part"):
        Published(validation=("b",)).parts(own)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomSplit(validation=0.5, test=0.5, seed=0), "below 1 together"),
        (lambda: RandomSplit(validation=0.0, test=0.5, seed=0), "above 0"),
        (lambda: RandomSplit(validation=0.01, test=0.5, seed=0).parts(CORPUS[:4]), "no recording for valid"),
        (lambda: KFold(folds=2, fold=0, seed=0), r"split\.folds"),
        (lambda: KFold(folds=3, fold=3, seed=0), r"split\.fold: got 3, expected 0 to 2"),
        (lambda: LeaveOneSpeakerOut(fold=5).parts(CORPUS), r"split\.fold: got 5, expected 0 to 4"),
        (lambda: LeaveOneSpeakerOut(fold=0).parts(CORPUS[:4]), "1 speakers"),
    ],
)
def test_impossible_split_is_refused(make: Callable[[], object], message: str) -> None:
    """Shares and folds that do not exist, or leave a part empty, are errors."""
    with pytest.raises(InputError, match=message):
        make()


def test_split_is_described_by_name_settings_and_content() -> None:
    """The checksum changes with the content of a part and with nothing else."""
    split = HeldOutSpeakers(validation=("c",), test=("a",))
    described = json.loads(describe_split(split, split.parts(CORPUS)))
    assert described["name"] == "HeldOutSpeakers"
    assert described["test"] == ["a"]
    fewer = json.loads(describe_split(split, split.parts(CORPUS[:-1])))
    assert fewer["sha256"] != described["sha256"]
    assert json.loads(describe_split(split, split.parts(CORPUS))) == described


def test_keys_name_the_parts() -> None:
    """An expression is looked for anywhere in the key; what fits none is training."""
    parts = MatchingKeys(validation="/3$", test="/0$").parts(CORPUS)
    assert {item.key.rpartition("/")[2] for item in parts["validation"]} == {"3"}
    assert {item.key.rpartition("/")[2] for item in parts["test"]} == {"0"}
    assert len(parts["train"]) == len(CORPUS) // 2
    with pytest.raises(InputError, match="a/0/3 in both parts"):
        MatchingKeys(validation="/3$", test="^a").parts(CORPUS)
    with pytest.raises(InputError, match="no recording for test"):
        MatchingKeys(validation="/3$", test="x").parts(CORPUS)
    with pytest.raises(InputError, match=r"split\.test: got \(, expected a regular expression"):
        MatchingKeys(validation="a", test="(")
