"""Few voices or many: as many recordings, other strangers, none on two sides."""

from collections import Counter
from pathlib import Path

import pytest

from hearspike.datasets import Recording
from hearspike.datasets.fewer_speakers import FewerSpeakers
from hearspike.errors import InputError

TAKES, CLASSES = 20, 5
RECORDINGS = [
    Recording(f"{label}_{speaker}_{take}", Path("x"), label, speaker)
    for label in range(CLASSES)
    for speaker in "abcdef"
    for take in range(TAKES)
]


def split(speakers: int, rotation: int = 0, recordings: int = 90) -> FewerSpeakers:
    return FewerSpeakers(speakers, rotation, recordings, 0.1, validation=("d",), test=("e", "f"))


@pytest.mark.parametrize("speakers", [1, 2, 3])
@pytest.mark.parametrize("rotation", [0, 1, 2, 5])
def test_only_the_number_of_voices_differs(speakers: int, rotation: int) -> None:
    """As many recordings of every class, equally of every voice; strangers and validation stay the same."""
    parts = split(speakers, rotation).parts(RECORDINGS)
    voices = Counter(recording.speaker for recording in parts["train"])
    assert len(voices) == speakers
    assert len(parts["train"]) == 90
    assert max(voices.values()) - min(voices.values()) <= 1
    classes = Counter(recording.label for recording in parts["train"])
    assert max(classes.values()) - min(classes.values()) <= 1
    assert {recording.speaker for recording in parts["validation"]} == {"d"}
    strangers = [recording for recording in parts["test"] if recording.speaker in "ef"]
    assert len(strangers) == 2 * TAKES * CLASSES
    known = Counter(recording.speaker for recording in parts["test"] if recording.speaker not in "ef")
    assert known == dict.fromkeys(voices, round(0.1 * TAKES) * CLASSES)


def test_no_recording_is_in_two_parts() -> None:
    """Known speakers are tested on recordings that were not trained on."""
    parts = split(3).parts(RECORDINGS)
    keys = [recording.key for part in parts.values() for recording in part]
    assert len(keys) == len(set(keys))


def test_the_known_are_tested_on_the_same_recordings_however_many_they_are() -> None:
    """A curve over speakers compares like with like."""
    alone = {recording.key for recording in split(1).parts(RECORDINGS)["test"]}
    together = {recording.key for recording in split(3).parts(RECORDINGS)["test"]}
    assert alone < together


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ((4, 0, 90), "speakers"),
        ((1, 0, 91), "recordings"),
        ((0, 0, 90), "speakers"),
        ((1, -1, 90), "rotation"),
    ],
)
def test_too_much_is_refused(wrong: tuple[int, int, int], message: str) -> None:
    """More voices or recordings than there are."""
    with pytest.raises(InputError, match=message):
        split(*wrong).parts(RECORDINGS)
