"""Generation from real speech: the same bytes for any number of workers, and all or nothing."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest

from hearspike.converter import preset
from hearspike.datasets import HeldOutSpeakers, Recording, read_spike_file, validate_spike_file
from hearspike.datasets.fsdd import FSDD
from hearspike.datasets.generation import generate, recording_seed
from hearspike.errors import InputError

SPLIT = HeldOutSpeakers(validation=("lucas",), test=("theo", "yweweler"))


@dataclass(frozen=True)
class FewDigits:
    """A few recordings of every FSDD speaker."""

    inner: FSDD
    digits: int = 2

    name, classes, licence, citation = FSDD.name, FSDD.classes, FSDD.licence, FSDD.citation

    def recordings(self, folder: Path) -> list[Recording]:
        return [item for item in self.inner.recordings(folder) if item.label < self.digits]


def run(data_folder: Path, out: Path, workers: int) -> dict[str, int]:
    corpus = FewDigits(FSDD(root=data_folder / "fsdd", takes=1))
    converter = preset("heidelberg", channels=70)
    return generate(corpus, SPLIT, converter, out, seed=3, workers=workers, time_type="float16")


@pytest.fixture(scope="module")
def generated(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("generated") / "fsdd"
    assert run(data_folder, out, workers=1) == {"train": 6, "validation": 2, "test": 4}
    return out


def test_workers_do_not_change_a_byte(generated: Path, data_folder: Path, tmp_path: Path) -> None:
    """One process and two write the same files."""
    run(data_folder, tmp_path / "two", workers=2)
    for name in ("train.h5", "valid.h5", "test.h5"):
        assert (tmp_path / "two" / name).read_bytes() == (generated / name).read_bytes()


def test_files_keep_the_contract_and_say_how_they_were_made(generated: Path, data_folder: Path) -> None:
    """Valid, by held-out speakers, with converter, seed, licence and checksum of the audio."""
    for name in ("train.h5", "valid.h5", "test.h5"):
        assert validate_spike_file(generated / name) == []
    speakers = [
        set(read_spike_file(generated / name).speakers) for name in ("train.h5", "valid.h5", "test.h5")
    ]
    assert not speakers[0] & speakers[1]
    assert not speakers[0] & speakers[2]
    assert not speakers[1] & speakers[2]
    with h5py.File(generated / "valid.h5") as file:
        assert list(file["extra/source"]) == [b"0_lucas_0", b"1_lucas_0"]
        assert file.attrs["licence"] == "CC-BY-SA-4.0"
        assert json.loads(file.attrs["converter"])
        names = [name.decode() for name in file["extra/meta_info/name"]]
        assert names[file["extra/speaker"][0]] == "lucas"
        sums = [
            hashlib.sha256((data_folder / "fsdd" / f"{digit}_lucas_0.flac").read_bytes()).hexdigest()
            for digit in (0, 1)
        ]
        assert file.attrs["audio_sha256"] == hashlib.sha256("".join(sums).encode()).hexdigest()


def test_words_make_spikes(generated: Path) -> None:
    """Spoken digits of 0.3 to 0.7 s give on the order of 10,000 spikes per second over 700 channels."""
    dataset = read_spike_file(generated / "train.h5")
    counts = np.diff(dataset.events.offsets)
    # A tenth of the channels: about a tenth of the 2,000 to 7,300 spikes per recording.
    assert (counts > 100).all()
    assert (counts < 1000).all()


def test_existing_folder_is_refused(generated: Path, data_folder: Path) -> None:
    """Nothing is overwritten."""
    before = (generated / "train.h5").read_bytes()
    with pytest.raises(InputError, match="exists already"):
        run(data_folder, generated, workers=1)
    assert (generated / "train.h5").read_bytes() == before


def test_unreadable_recording_stops_the_job_and_leaves_nothing(data_folder: Path, tmp_path: Path) -> None:
    """The error comes out of the worker with the file's name, and no folder is left."""
    audio = tmp_path / "audio"
    audio.mkdir()
    for name in ("0_a_0", "0_b_0", "0_c_0"):
        (audio / f"{name}.wav").write_text("this is no audio")
    with pytest.raises(InputError, match=r"0_[abc]_0\.wav"):
        generate(
            FSDD(root=audio, takes=None),
            HeldOutSpeakers(validation=("b",), test=("c",)),
            preset("heidelberg", channels=20),
            tmp_path / "out",
            seed=0,
            workers=2,
            time_type="float16",
        )
    assert [path.name for path in tmp_path.iterdir()] == ["audio"]


def test_random_streams_hang_on_the_key() -> None:
    """Two recordings of one corpus differ; the same recording elsewhere in the list does not."""
    first, again, other = (recording_seed(1, key).generate_state(4).tolist() for key in ("a", "a", "b"))
    assert first == again != other
    assert first != recording_seed(2, "a").generate_state(4).tolist()
