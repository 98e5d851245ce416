"""Spikes from files of every kind become sound files; what cannot be heard is refused in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import soundfile

from hearspike.converter import preset, save_spike_table, save_spikes
from hearspike.errors import InputError
from hearspike.leaderboard.convert import convert_files
from hearspike.leaderboard.listen import AFTER_LAST_SPIKE_S, PAUSE_S, listen

RATE = 16_000
TONE = np.sin(2 * np.pi * 500 * np.arange(RATE // 4) / RATE)


def _strongest_hz(path: Path) -> float:
    sound, rate = soundfile.read(path)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(spectrum.argmax() * rate / len(sound))


def _spike_file(folder: Path, name: str) -> Path:
    """Two recordings of the tone, as `hearspike convert` writes them into one spike file."""
    for take in ("one", "two"):
        soundfile.write(folder / f"{take}.wav", TONE, RATE)
    target = folder / f"{name}.h5"
    convert_files(
        [folder / "one.wav", folder / "two.wav"],
        target,
        converter=preset(name, channels=100),
        seed=0,
        form="npz",
        plot=None,
        workers=1,
    )
    return target


@pytest.mark.parametrize(("suffix", "save"), [(".npz", save_spikes), (".csv", save_spike_table)])
def test_a_tone_comes_back_from_both_formats(tmp_path: Path, suffix: str, save: Callable[..., None]) -> None:
    """At its frequency and with its length."""
    save(tmp_path / f"a{suffix}", preset("causal", channels=100)(TONE, RATE, seed=0))
    seconds = listen(tmp_path / f"a{suffix}", tmp_path / "a.wav", converter="causal", sample_rate=8000)
    assert seconds == pytest.approx(0.25)
    assert _strongest_hz(tmp_path / "a.wav") == pytest.approx(500, abs=8)


@pytest.mark.parametrize("name", ["heidelberg", "speech"])
def test_samples_of_a_spike_file_follow_one_another(tmp_path: Path, name: str) -> None:
    """With a pause between, by the converter that the file names, in the order asked for."""
    path = _spike_file(tmp_path, name)
    seconds = listen(path, tmp_path / "a.flac", samples=(1, 0, 1))
    with h5py.File(path) as file:
        ends = [float(times[-1]) for times in file["spikes/times"][:]]
    expected = ends[0] + 2 * ends[1] + 3 * AFTER_LAST_SPIKE_S + 2 * PAUSE_S
    assert seconds == pytest.approx(expected, abs=1e-3)
    assert _strongest_hz(tmp_path / "a.flac") == pytest.approx(500, abs=8)


def test_a_file_that_names_no_converter_is_heard_as_heidelberg(tmp_path: Path) -> None:
    """As SHD and SSC."""
    path = _spike_file(tmp_path, "heidelberg")
    listen(path, tmp_path / "named.wav")
    with h5py.File(path, "r+") as file:
        del file.attrs["converter"]
    listen(path, tmp_path / "silent.wav")
    listen(path, tmp_path / "other.wav", converter="speech")
    named, silent, other = ((tmp_path / f"{name}.wav").read_bytes() for name in ("named", "silent", "other"))
    assert named == silent
    assert other != silent


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        ("a.mp3", {}, r"--output: got .*, expected a name that ends in \.wav"),
        ("one.wav", {}, "exists already"),
        ("b.wav", {"samples": (2,)}, "--sample: got 2, expected 0 to 1"),
        ("b.wav", {"samples": (-1,)}, "--sample: got -1"),
        ("b.wav", {"converter": "ear"}, "preset: got ear"),
        ("b.wav", {"sample_rate": 1}, "sample_rate: got 1, expected"),
    ],
)
def test_what_cannot_be_heard_is_refused(
    tmp_path: Path, output: str, options: dict[str, Any], message: str
) -> None:
    path = _spike_file(tmp_path, "heidelberg")
    with pytest.raises(InputError, match=message):
        listen(path, tmp_path / output, **options)
    assert not (tmp_path / "b.wav").exists()


def test_parameters_that_are_no_converter_are_refused(tmp_path: Path) -> None:
    path = _spike_file(tmp_path, "heidelberg")
    for said in ("Converter()", '{"sample_rate": "fast"}', '{"hair_cell": {"offset": -1}}'):
        with h5py.File(path, "r+") as file:
            file.attrs["converter"] = said
        with pytest.raises(InputError, match=r"converter of .*: got .*, expected parameters of a converter"):
            listen(path, tmp_path / "b.wav")


def test_a_recording_has_no_second_sample(tmp_path: Path) -> None:
    save_spikes(tmp_path / "a.npz", preset("causal", channels=2)(TONE, RATE, seed=0))
    with pytest.raises(InputError, match="--sample: got 1, expected 0"):
        listen(tmp_path / "a.npz", tmp_path / "a.wav", samples=(1,))


def test_command_says_how_much_there_is_to_hear(hearspike: Callable[..., Any], tmp_path: Path) -> None:
    path = _spike_file(tmp_path, "heidelberg")
    result = hearspike("listen", path, "-o", tmp_path / "c.wav", "--sample", 0, "--sample", 1)
    assert result.returncode == 0, result.stderr
    assert "s of sound from 2 of the recordings" in result.stdout
    assert (tmp_path / "c.wav").is_file()
