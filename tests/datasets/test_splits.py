"""Held-out speakers are heard in one part only."""

from pathlib import Path

import pytest

from hearspike.datasets import HeldOutSpeakers, Recording
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
