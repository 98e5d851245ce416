"""Reading and conditioning of sound."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from hearspike.converter import Conditioning, condition, read_audio, resample
from hearspike.converter.audio import active_rms
from hearspike.errors import InputError, Notice

Array = npt.NDArray[np.float32]


@pytest.fixture
def tone() -> Array:
    samples: Array = (0.5 * np.sin(2 * np.pi * 440 * np.arange(4800) / 48000)).astype(np.float32)
    return samples


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [("wav", "PCM_16"), ("wav", "PCM_U8"), ("wav", "FLOAT"), ("flac", "PCM_24"), ("aiff", "PCM_16")],
)
def test_a_file_reads_back_as_what_was_written(
    tmp_path: Path, tone: Array, suffix: str, subtype: str
) -> None:
    """Samples return within half a step of the coarsest format (8 bits: 1/256), and the rate as given."""
    soundfile.write(tmp_path / f"a.{suffix}", tone, 44100, subtype=subtype)
    waveform = read_audio(tmp_path / f"a.{suffix}")
    step = 1 / 128 if subtype == "PCM_U8" else 1 / 32768
    assert waveform.sample_rate == 44100
    assert waveform.samples.dtype == np.float32
    np.testing.assert_allclose(waveform.samples, tone, atol=step)
    assert waveform.duration == pytest.approx(4800 / 44100)


@pytest.mark.parametrize("suffix", ["ogg", "mp3"])
def test_lossy_formats_are_read(tmp_path: Path, tone: Array, suffix: str) -> None:
    """Ogg and MP3 keep the level of a tone within 5 % (they are lossy, and pad the ends)."""
    soundfile.write(tmp_path / f"a.{suffix}", np.tile(tone, 10), 48000)
    samples = read_audio(tmp_path / f"a.{suffix}").samples
    assert np.std(samples[5000:40000]) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


def test_stereo_is_mixed_down_with_a_notice(tmp_path: Path, tone: Array) -> None:
    """The mean of the channels is taken, and the notice names the file and says so."""
    soundfile.write(tmp_path / "a.wav", np.stack([tone, -0.5 * tone], axis=1), 48000, subtype="FLOAT")
    with pytest.warns(Notice, match=r"a\.wav: 2 channels, mixed down to mono"):
        waveform = read_audio(tmp_path / "a.wav")
    np.testing.assert_allclose(waveform.samples, tone / 4, atol=1e-6)


def test_a_silent_file_is_accepted_with_a_notice(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 8000)
    with pytest.warns(Notice, match=r"a\.wav: silent"):
        assert not read_audio(tmp_path / "a.wav").samples.any()


def _write_samples(samples: list[float]) -> Callable[[Path], object]:
    return lambda path: soundfile.write(
        path, np.array(samples, dtype=np.float32), 8000, "FLOAT", format="WAV"
    )


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "no such file"),
    "folder": (lambda path: path.mkdir(), "a folder"),
    "empty": (lambda path: path.touch(), "an empty file"),
    "text": (lambda path: path.write_text("hello " * 100), "cannot read"),
    "one sample": (_write_samples([0.5]), "1 samples, expected at least 2"),
    "no sample": (_write_samples([]), "0 samples, expected at least 2"),
    "NaN": (_write_samples([0.5, np.nan, 0.1]), "NaN or infinite"),
    "infinity": (_write_samples([0.5, np.inf, 0.1]), "NaN or infinite"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_refused_in_one_line_that_names_it(tmp_path: Path, kind: str) -> None:
    make, message = BAD_FILES[kind]
    make(tmp_path / "bad.wav")
    with pytest.raises(InputError, match=message) as caught:
        read_audio(tmp_path / "bad.wav")
    assert str(caught.value).startswith(str(tmp_path / "bad.wav"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "ogg", "mp3", "au", "caf", "w64", "rf64"])
@pytest.mark.parametrize("fraction", [0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str, fraction: float) -> None:
    """Also where libsndfile would deliver the first part and say nothing."""
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, 20000)
    whole, cut = tmp_path / f"whole.{suffix}", tmp_path / f"cut.{suffix}"
    soundfile.write(whole, noise, 16000, format=suffix.upper())
    content = whole.read_bytes()
    cut.write_bytes(content[: int(len(content) * fraction)])
    read_audio(whole)
    with pytest.raises(InputError, match=r"cut short|cannot read"):
        read_audio(cut)


def test_the_content_decides_not_the_suffix(tmp_path: Path, tone: Array) -> None:
    soundfile.write(tmp_path / "a.wav", tone, 48000)
    shutil.copy(tmp_path / "a.wav", tmp_path / "a.dat")
    assert len(read_audio(tmp_path / "a.dat").samples) == len(tone)


def test_a_tone_keeps_frequency_and_level_when_resampled() -> None:
    """A 440 Hz tone at 8 kHz is the same tone at 48 kHz: within −60 dB, away from the ends."""
    coarse = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    fine = resample(coarse, 8000, 48000)
    assert len(fine) == 48000
    expected = np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)
    np.testing.assert_allclose(fine[2000:-2000], expected[2000:-2000], atol=1e-3)


@given(
    scale=st.floats(1e-6, 1e6),
    length=st.integers(2, 300),
    window=st.sampled_from(["hann", "ramps", "none"]),
)
def test_conditioning_does_not_depend_on_the_level_of_the_recording(
    scale: float, length: int, window: str
) -> None:
    samples = np.random.default_rng(length).normal(size=length)
    parameters = Conditioning(window=window)
    np.testing.assert_allclose(
        condition(samples, 8000, parameters),
        condition(scale * samples, 8000, parameters),
        rtol=1e-9,
        atol=1e-12,
    )


def test_level_and_windows_are_what_they_say() -> None:
    """Without a window the RMS is the level; the Hann window is NumPy's; ramps leave the middle untouched."""
    samples = np.random.default_rng(0).normal(size=1001)
    level = condition(samples, 48000, Conditioning(window="none"))
    assert np.sqrt(np.mean(level**2)) == pytest.approx(0.3)
    hann = condition(samples, 48000, Conditioning())
    window = np.hanning(1000)
    np.testing.assert_allclose(hann[:500], level[:500] * window[:500], atol=1e-12)
    np.testing.assert_allclose(hann[501:], level[501:] * window[500:], atol=1e-12)
    assert hann[500] == level[500]
    ramps = condition(samples, 48000, Conditioning(window="ramps", ramp_ms=5))
    np.testing.assert_array_equal(ramps[240:-240], level[240:-240])
    assert np.all(np.abs(ramps[:240]) <= np.abs(level[:240]))
    np.testing.assert_array_equal(condition(samples, 48000, Conditioning(None, "none")), samples)


def test_silence_stays_silence() -> None:
    """No division by an RMS of zero."""
    np.testing.assert_array_equal(condition(np.zeros(10), 8000, Conditioning()), np.zeros(10))


@pytest.mark.parametrize("wrong", [{"level_rms": 0.0}, {"window": "hamming"}, {"ramp_ms": float("nan")}])
def test_conditioning_refuses_what_makes_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=rf"Conditioning\.{next(iter(wrong))}: got"):
        Conditioning(**wrong)


def test_active_level_does_not_depend_on_the_silence_around(tone: Array) -> None:
    """The level over the recording falls as silence is added, that over active frames does not.

    0.1 s of tone are four frames of 25 ms exactly; 0.3536 = 0.5 / sqrt(2).
    """
    around = np.concatenate([np.zeros(48000), tone, 1e-4 * np.ones(24000)])
    assert active_rms(tone, 48000, Conditioning()) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)
    assert active_rms(around, 48000, Conditioning()) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)
    levelled = condition(around, 48000, Conditioning(level_over="active", window="none"))
    assert np.sqrt(np.mean(levelled[48000:52800] ** 2)) == pytest.approx(0.3, rel=1e-3)
    whole = condition(around, 48000, Conditioning(window="none"))
    assert np.sqrt(np.mean(whole**2)) == pytest.approx(0.3, rel=1e-3)


def test_active_level_of_a_steady_sound_is_its_level(tone: Array) -> None:
    """The last frame may be short: it counts for its samples."""
    for length in (2, 1199, 1201, 4799):
        rms = float(np.sqrt(np.mean(np.ones(length) ** 2)))
        assert active_rms(np.ones(length), 48000, Conditioning()) == pytest.approx(rms)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ear": "cat"},
        {"emphasis_corner_hz": 0.0},
        {"level_over": "loud"},
        {"active_frame_ms": -1.0},
        {"active_range_db": 0.0},
    ],
)
def test_options_for_speech_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=rf"Conditioning\.{next(iter(wrong))}: got"):
        Conditioning(**wrong)


def test_silence_stays_silence_through_every_filter() -> None:
    everything = Conditioning(ear="bs1387", emphasis_corner_hz=77.6, level_over="active")
    assert not condition(np.zeros(2400), 24000, everything).any()
