"""Corpora of any layout become lists of utterances, and every cut works on all of them."""

import csv
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hearspike.datasets import Cuts, Recording
from hearspike.datasets.audio_folder import AudioFolder
from hearspike.datasets.heidelberg_digits import HeidelbergDigits
from hearspike.datasets.manifest import Manifest
from hearspike.datasets.speech_commands import SpeechCommands, speaker_part
from hearspike.errors import InputError

RATE = 8000


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def audio_folder(root: Path, speaker_from: str) -> AudioFolder:
    return AudioFolder(root=root, name="x", licence="none", citation="none", speaker_from=speaker_from)


@pytest.mark.parametrize(
    ("speaker_from", "speakers"),
    [
        ("folder", ["anna", "bert", "anna"]),
        ("prefix", ["a", "a", "b"]),
        ("file", ["no/anna/a_1.wav", "no/bert/a_2.wav", "yes/anna/b_1.FLAC"]),
    ],
)
def test_folders_are_classes(tmp_path: Path, speaker_from: str, speakers: list[str]) -> None:
    """Labels follow the sorted folders; speakers are read off as asked for; other files do not count."""
    touch(tmp_path / "yes" / "anna" / "b_1.FLAC", tmp_path / "no" / "anna" / "a_1.wav")
    touch(tmp_path / "no" / "bert" / "a_2.wav", tmp_path / "no" / "list.txt", tmp_path / "_noise" / "n.wav")
    corpus = audio_folder(tmp_path, speaker_from)
    found = corpus.recordings(tmp_path)
    assert corpus.classes == ("no", "yes")
    assert [(item.key, item.label) for item in found] == [
        ("no/anna/a_1.wav", 0),
        ("no/bert/a_2.wav", 0),
        ("yes/anna/b_1.FLAC", 1),
    ]
    assert [item.speaker for item in found] == speakers


def test_wrong_folders_are_named(tmp_path: Path) -> None:
    """No folder, no audio, no speaker's folder: each error says what was looked for."""
    with pytest.raises(InputError, match=r"corpus\.root"):
        audio_folder(tmp_path / "none", "file").recordings(tmp_path)
    with pytest.raises(InputError, match="audio files in one folder for each class"):
        audio_folder(tmp_path, "file").recordings(tmp_path)
    touch(tmp_path / "no" / "a.wav")
    with pytest.raises(InputError, match="a folder for its speaker between"):
        audio_folder(tmp_path, "folder").recordings(tmp_path)
    with pytest.raises(InputError, match=r"corpus\.speaker_from: got who"):
        audio_folder(tmp_path, "who")


def speech_commands(root: Path, assignment: str = "lists") -> SpeechCommands:
    return SpeechCommands(root=root, assignment=assignment, validation_percent=10.0, test_percent=10.0)


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    root = tmp_path / "speech_commands"
    for name in ("yes/0a7c2a8d_nohash_0.wav", "yes/0a7c2a8d_nohash_1.wav", "no/bb05582b_nohash_0.wav"):
        touch(root / name)
    touch(root / "_background_noise_" / "pink.wav")
    (root / "validation_list.txt").write_text("no/bb05582b_nohash_0.wav\n")
    (root / "testing_list.txt").write_text("yes/0a7c2a8d_nohash_1.wav\n")
    return root


def test_speech_commands_keep_speaker_and_published_part(commands: Path, tmp_path: Path) -> None:
    """The hash is the speaker, the lists give the part, what no list names is trained on."""
    corpus = speech_commands(commands)
    assert corpus.classes == ("no", "yes")
    assert [(item.key, item.speaker, item.part) for item in corpus.recordings(tmp_path)] == [
        ("no/bb05582b_nohash_0.wav", "bb05582b", "validation"),
        ("yes/0a7c2a8d_nohash_0.wav", "0a7c2a8d", "train"),
        ("yes/0a7c2a8d_nohash_1.wav", "0a7c2a8d", "test"),
    ]


def test_speech_commands_lists_must_fit(commands: Path) -> None:
    """A list that is missing, names a file twice or one that is not there is an error."""
    (commands / "validation_list.txt").write_text("no/cccccccc_nohash_0.wav")
    with pytest.raises(InputError, match="no file no/cccccccc_nohash_0"):
        speech_commands(commands).recordings(commands)
    shutil.copy(commands / "testing_list.txt", commands / "validation_list.txt")
    with pytest.raises(InputError, match="which the other list has too"):
        speech_commands(commands).recordings(commands)
    (commands / "testing_list.txt").unlink()
    with pytest.raises(InputError, match=r"testing_list\.txt: got no such file"):
        speech_commands(commands).recordings(commands)
    touch(commands / "no" / "hello.wav")
    with pytest.raises(InputError, match=r"hello\.wav"):
        speech_commands(commands, "hash").recordings(commands)


def test_hash_rule_gives_its_shares_and_is_monotonic() -> None:
    """Of many speakers a tenth each, and who was held out stays so when the shares grow.

    4,000 speakers at 10 % scatter by sqrt(4000 · 0.1 · 0.9) = 19; five of these are allowed.
    """
    speakers = [hashlib.sha256(bytes([i % 256, i // 256])).hexdigest()[:8] for i in range(4000)]
    parts = [speaker_part(name, validation_percent=10, test_percent=10) for name in speakers]
    for part in ("validation", "test"):
        assert abs(parts.count(part) - 400) < 5 * 19
    wider = [speaker_part(name, validation_percent=20, test_percent=10) for name in speakers]
    assert all(after == "validation" for before, after in zip(parts, wider, strict=True) if before != "train")
    # SHA-1("abc") = a9993e36…9cd0d89d (FIPS 180): its last 27 bits are 0x4d0d89d = 60.2 % of 2**27.
    assert speaker_part("abc", validation_percent=60.1, test_percent=0.2) == "test"
    assert speaker_part("abc", validation_percent=60.3, test_percent=0) == "validation"


def test_heidelberg_digits_have_the_labels_of_shd(tmp_path: Path) -> None:
    """English digits are 0 to 9, German ones 10 to 19, and the archive's lists give the parts."""
    audio = tmp_path / "audio"
    touch(
        audio / "lang-german_speaker-04_trial-12_digit-7.flac",
        audio / "lang-english_speaker-00_trial-2_digit-0.flac",
        audio / "lang-english_speaker-00_trial-10_digit-0.flac",
    )
    (tmp_path / "train_filenames.txt").write_text(
        "lang-english_speaker-00_trial-2_digit-0.flac\nlang-english_speaker-00_trial-10_digit-0.flac\n"
    )
    (tmp_path / "test_filenames.txt").write_text("lang-german_speaker-04_trial-12_digit-7.flac\n")
    corpus = HeidelbergDigits(root=tmp_path)
    found = corpus.recordings(tmp_path)
    assert [(item.label, item.speaker, item.part) for item in found] == [
        (0, "00", "train"),
        (0, "00", "train"),
        (17, "04", "test"),
    ]
    assert found[0].key.endswith("trial-2_digit-0")
    assert corpus.classes[17] == "sieben"
    touch(audio / "seven.flac")
    with pytest.raises(InputError, match=r"seven\.flac"):
        corpus.recordings(tmp_path)


def write_manifest(path: Path, rows: list[dict[str, object]]) -> Manifest:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return Manifest(file=path, name="x", licence="none", citation="none")


ROW: dict[str, object] = {"path": "a.wav", "start": "", "end": "", "label": "ja", "speaker": "anna"}


def test_manifest_lists_stretches_of_files(tmp_path: Path) -> None:
    """Several utterances of one file have keys of their own; empty times mean the whole file."""
    rows = [{**ROW, "start": 0.5, "end": 1.25, "label": "nein"}, {**ROW, "start": 1.25}, ROW]
    corpus = write_manifest(tmp_path / "m.csv", rows)
    found = corpus.recordings(tmp_path)
    assert corpus.classes == ("ja", "nein")
    assert [(item.start, item.end, item.label) for item in found] == [
        (0.5, 1.25, 1),
        (1.25, None, 0),
        (0.0, None, 0),
    ]
    assert len({item.key for item in found}) == 3
    assert found[0].path == tmp_path / "a.wav"


def test_manifest_may_tell_genders(tmp_path: Path) -> None:
    """They are read where they stand; two for one speaker are an error that names the row."""
    rows = [{**ROW, "gender": "female"}, {**ROW, "gender": ""}, {**ROW, "speaker": "bert", "gender": "male"}]
    assert write_manifest(tmp_path / "m.csv", rows).genders() == {"anna": "female", "bert": "male"}
    assert write_manifest(tmp_path / "n.csv", [ROW]).genders() == {}
    rows[1]["gender"] = "male"
    with pytest.raises(InputError, match="row 2, gender: got male, expected female"):
        write_manifest(tmp_path / "m.csv", rows).genders()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": "x"}, "row 2, start: got x"),
        ({"start": "nan"}, "row 2, start: got nan"),
        ({"start": "-1"}, "row 2, start: got -1"),
        ({"start": "2", "end": "1"}, "end 1 after start 2"),
        ({"label": ""}, "row 2: got no label"),
        ({"speaker": " "}, "row 2: got no speaker"),
        ({"part": "dev"}, "row 2, part: got dev"),
    ],
)
def test_wrong_line_of_a_manifest_is_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    """The error has the number of the row, the value and what was expected."""
    row = {**ROW, "part": "train"}
    with pytest.raises(InputError, match=message):
        write_manifest(tmp_path / "m.csv", [row, {**row, **change}]).recordings(tmp_path)


@pytest.mark.parametrize("content", ["", "path,label\na,b\n", "path,start,end,label,speaker\n", "\xff", None])
def test_wrong_manifest_is_refused(tmp_path: Path, content: str | None) -> None:
    """No file, no header, a missing column, no lines, no text."""
    path = tmp_path / "m.csv"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=r"m\.csv"):
        Manifest(file=path, name="x", licence="", citation="").recordings(tmp_path)


RECORDINGS = [Recording(f"{s}{c}", Path("x"), label, s) for s in "ab" for label, c in enumerate("xyz")]


def test_cut_classes_are_numbered_anew() -> None:
    """Kept classes keep their order; labels still point to the same words."""
    kept, classes = Cuts(classes=("z", "x"), speakers=("b",)).select(RECORDINGS, "xyz")
    assert classes == ("x", "z")
    assert [(item.key, classes[item.label]) for item in kept] == [("bx", "x"), ("bz", "z")]
    assert Cuts().select(RECORDINGS, "xyz") == (RECORDINGS, ("x", "y", "z"))


@pytest.mark.parametrize(
    ("cuts", "message"),
    [
        ({"classes": ("w",)}, r"cuts\.classes: got w, expected one of x, y, z"),
        ({"speakers": ("c",)}, r"cuts\.speakers: got c, expected one of a, b"),
        ({"classes": ()}, r"cuts\.classes: got an empty list"),
        ({"trim_db": 0.0}, r"cuts\.trim_db"),
        ({"longest_s": float("nan")}, r"cuts\.longest_s"),
    ],
)
def test_wrong_cut_is_refused(cuts: dict[str, object], message: str) -> None:
    """Unknown names and numbers that cut everything are errors."""
    with pytest.raises(InputError, match=message):
        Cuts(**cuts).select(RECORDINGS, "xyz")  # type: ignore[arg-type]  # wrong on purpose


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Half a second of silence, one second of a tone, half a second of silence."""
    time = np.arange(RATE) / RATE
    samples = np.concatenate([np.zeros(RATE // 2), 0.5 * np.sin(2 * np.pi * 440 * time), np.zeros(RATE // 2)])
    soundfile.write(tmp_path / "tone.wav", samples, RATE, subtype="FLOAT")
    return tmp_path / "tone.wav"


def test_utterance_is_cut_in_time(tone: Path) -> None:
    """Start and end select samples exactly; a maximum length keeps the beginning."""
    whole = Cuts().read(Recording("k", tone, 0, "s")).samples
    part = Cuts().read(Recording("k", tone, 0, "s", 0.6, 0.9)).samples
    np.testing.assert_array_equal(part, whole[4800:7200])
    np.testing.assert_array_equal(
        Cuts(longest_s=0.7).read(Recording("k", tone, 0, "s")).samples, whole[:5600]
    )
    with pytest.raises(InputError, match=r"an utterance from 1\.5 to 2\.5 s"):
        Cuts().read(Recording("k", tone, 0, "s", 1.5, 2.5))


def test_only_the_stretch_of_a_long_file_is_read(
    tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand utterances of one file decode their own samples, and the file's checksum is made once."""
    from hearspike.datasets import conversion

    decoded: list[int] = []
    read = soundfile.SoundFile.read

    def counting(self: soundfile.SoundFile, frames: int = -1, **options: object) -> object:
        decoded.append(frames)
        return read(self, frames, **options)

    monkeypatch.setattr(soundfile.SoundFile, "read", counting)
    utterances = [Recording(str(n), tone, 0, "s", 0.55 + n * 0.005, 0.57 + n * 0.005) for n in range(100)]
    for utterance in utterances:
        Cuts().read(utterance)
    assert decoded == [160] * 100
    conversion._file_sha256.cache_clear()
    sums = {conversion.audio_sha256(utterance) for utterance in utterances}
    assert sums == {hashlib.sha256(tone.read_bytes()).hexdigest()}
    assert conversion._file_sha256.cache_info().misses == 1


def test_silence_is_trimmed(tone: Path) -> None:
    """What is left is the tone, to within the analysis frame of 2048 samples at each end."""
    trimmed = Cuts(trim_db=40.0).read(Recording("k", tone, 0, "s")).samples
    assert RATE <= len(trimmed) <= RATE + 2 * 2048
    shorter = Cuts(trim_db=40.0, longest_s=0.1).read(Recording("k", tone, 0, "s")).samples
    np.testing.assert_array_equal(shorter, trimmed[: RATE // 10])
