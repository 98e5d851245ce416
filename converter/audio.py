"""Sound from files, at the rate and the level that the ear model wants."""

import re
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hearspike.converter.outer_ear import EARS, pre_emphasised, through_ear
from hearspike.converter.ranges import require_choice, require_number
from hearspike.errors import InputError, Notice

SHORTEST = 2
"""Fewest samples that a recording may have: one has no duration and no spectrum."""

_LOGGED_FORMATS = ("AU", "CAF", "W64", "RF64")
_SHORTFALL = re.compile(r": (\d+) \(should be (\d+)\)")
# libsndfile reads these short without an error, but logs the length in the header and the true one.

WINDOWS = ("hann", "ramps", "none")
LEVELS = ("recording", "active")


@dataclass(frozen=True)
class Waveform:
    """Mono sound pressure, in the arbitrary unit of the file.

    Attributes
    ----------
    samples
        Samples [time], full scale ±1 for files of integers.
    sample_rate
        Samples per second, Hz.
    """

    samples: npt.NDArray[np.float32]
    sample_rate: int

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True)
class Conditioning:
    """What is done to the sound before it enters the ear.

    Attributes
    ----------
    level_rms
        Root mean square that the recording is scaled to, of full scale, above 0; None keeps its level. 0.3:
        the published converter (Cramer et al. 2022).
    window
        ``"hann"``: a Hann window over the whole recording (the reference); ``"ramps"``: raised-cosine
        onset and offset of `ramp_ms`; ``"none"``.
    ramp_ms
        Length of each ramp, ms, above 0; only used by ``"ramps"``. 30: assumed.
    ear
        ``"none"``, or ``"bs1387"``: outer and middle ear of ITU-R BS.1387 (`ear_gain_db`), before the level.
    emphasis_corner_hz
        Corner of a pre-emphasis of 6 dB per octave (`pre_emphasised`), Hz, above 0; None: no pre-emphasis.
    level_over
        What `level_rms` is the level of: the ``"recording"``, or its ``"active"`` frames (`active_rms`).
    active_frame_ms
        Length of the frames, ms, above 0. 25: about the 25.6 ms of Taal et al. (IEEE TASLP 19, 2011).
    active_range_db
        How far below the loudest frame an active one may lie, dB, above 0. 40: what Taal et al. 2011 remove
        silent frames by.
    """

    level_rms: float | None = 0.3
    window: str = "hann"
    ramp_ms: float = 30.0
    ear: str = "none"
    emphasis_corner_hz: float | None = None
    level_over: str = "recording"
    active_frame_ms: float = 25.0
    active_range_db: float = 40.0

    def __post_init__(self) -> None:
        if self.level_rms is not None:
            require_number(self, "level_rms", above=0)
        require_choice(self, "window", WINDOWS)
        require_number(self, "ramp_ms", above=0)
        require_choice(self, "ear", EARS)
        if self.emphasis_corner_hz is not None:
            require_number(self, "emphasis_corner_hz", above=0)
        require_choice(self, "level_over", LEVELS)
        require_number(self, "active_frame_ms", above=0)
        require_number(self, "active_range_db", above=0)


def read_audio(path: str | Path, *, start: float = 0.0, end: float | None = None) -> Waveform:
    """Read any file that libsndfile reads; several channels are averaged, with a `Notice`.

    Parameters
    ----------
    path
        WAV, FLAC, Ogg, MP3, AIFF and others; the content decides, not the suffix.
    start, end
        The stretch to read, s; None for the end of the file. Nothing else is decoded.

    Raises
    ------
    InputError
        If there is no such file, it is a folder, empty, no sound, cut short, has fewer than `SHORTEST`
        samples, or holds samples that are not finite; or the stretch does not lie in it.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(path, "a folder", "an audio file")
    if not path.is_file():
        raise InputError(path, "no such file", "an audio file")
    if path.stat().st_size == 0:
        raise InputError(path, "an empty file", "an audio file")
    if (loss := _missing_end(path)) is not None:
        raise InputError(path, f"a file cut short ({loss})", "the whole file")
    samples, sample_rate = _decoded(path, start, end)
    if len(samples) < SHORTEST:
        raise InputError(path, f"{len(samples)} samples", f"at least {SHORTEST} samples")
    if not np.all(np.isfinite(samples)):
        raise InputError(path, "samples that are NaN or infinite", "finite samples")
    if samples.shape[1] > 1:
        warnings.warn(Notice(f"{path}: {samples.shape[1]} channels, mixed down to mono"), stacklevel=2)
    mono = samples.mean(axis=1, dtype=np.float32)
    if not mono.any():
        warnings.warn(Notice(f"{path}: silent throughout, gives the spontaneous rate"), stacklevel=2)
    return Waveform(samples=mono, sample_rate=sample_rate)


def _decoded(path: Path, start: float, end: float | None) -> tuple[npt.NDArray[np.float32], int]:
    """Return samples [time, channel] and rate; raise where libsndfile fails or delivers too few."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            announced, rate = file.frames, int(file.samplerate)
            log = file.extra_info if file.format in _LOGGED_FORMATS else ""
            first = round(start * rate)
            stop = announced if end is None else round(end * rate)
            if not (0 <= first <= stop <= announced):
                found = f"an utterance from {start:g} to {stop / rate:g} s"
                raise InputError(path, found, f"a stretch within its {announced / rate:g} s")
            if first:
                file.seek(first)
            samples: npt.NDArray[np.float32] = file.read(stop - first, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        reason = str(error).rsplit(": ", 1)[-1].rstrip(".")
        raise InputError(path, f"what libsndfile cannot read ({reason})", "a whole audio file") from None
    for stated, there in _SHORTFALL.findall(log):
        if int(there) < int(stated):
            raise InputError(path, f"a file cut short ({there} of {stated} bytes)", "the whole file")
    if len(samples) < stop - first:
        found = f"a file cut short ({first + len(samples)} of {announced} samples)"
        raise InputError(path, found, "the whole file")
    return samples, rate


def _missing_end(path: Path) -> str | None:
    """Say what a truncated file lacks where libsndfile would read short without a word, else None.

    The header of WAV and AIFF gives the length of the sound data; the last page of an Ogg stream is marked.
    Lengths of 0 and 2³² − 1 are what programs write that stream to a pipe, and say nothing.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] in (b"RIFF", b"FORM") and head[8:12] in (b"WAVE", b"AIFF", b"AIFC"):
            order, wanted = ("<I", b"data") if head[:4] == b"RIFF" else (">I", b"SSND")
            while len(header := file.read(8)) == 8:
                (length,) = struct.unpack(order, header[4:])
                here = file.tell()
                if header[:4] == wanted:
                    if length not in (0, 2**32 - 1) and here + length > size:
                        return f"{size - here} of {length} bytes of sound"
                    return None
                file.seek(here + length + length % 2)
            return "no sound data"
        if head[:4] == b"OggS":
            file.seek(max(0, size - 2**17))
            tail = file.read()
            last = tail.rfind(b"OggS")
            segments = tail[last + 27 : last + 27 + tail[last + 26]] if 0 <= last < len(tail) - 27 else b""
            ends = last + 27 + len(segments) + sum(segments)
            if not segments or not tail[last + 5] & 4 or ends > len(tail):
                return "the last page of the Ogg stream is not whole"
    return None


def resample(
    samples: npt.NDArray[np.floating], sample_rate: int, target_rate: int
) -> npt.NDArray[np.float32]:
    """Change the rate by band-limited interpolation (soxr, high quality).

    Parameters
    ----------
    samples
        Samples [time].
    sample_rate, target_rate
        Rate of ``samples`` and of the result, Hz.
    """
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    if sample_rate == target_rate:
        return samples
    import soxr

    resampled: npt.NDArray[np.float32] = soxr.resample(samples, sample_rate, target_rate, quality="HQ")
    return resampled


def condition(
    samples: npt.NDArray[np.floating], sample_rate: int, parameters: Conditioning
) -> npt.NDArray[np.float64]:
    """Filter (if asked for), scale to the level, apply the window; silence stays silence.

    Equation: ``x ← x · level / sqrt(mean(x²))``, then ``x[n] ← x[n] · w[n]``, ``w`` rising over ``h``
    samples as ``(1 − cos(2π n / (2h − 1))) / 2`` and falling likewise at the end; ``h`` is half the
    recording for ``"hann"`` (the middle sample of an odd length keeps its value, as in the reference).

    Parameters
    ----------
    samples
        Samples [time].
    sample_rate
        Hz.
    parameters
        Filters, level and window.
    """
    conditioned = np.array(samples, dtype=np.float64)
    if parameters.emphasis_corner_hz is not None:
        conditioned = pre_emphasised(conditioned, sample_rate, parameters.emphasis_corner_hz)
    if parameters.ear != "none":
        conditioned = through_ear(conditioned, sample_rate)
    if parameters.level_rms is not None:
        rms = float(np.sqrt(np.mean(conditioned**2)))
        if parameters.level_over == "active":
            rms = active_rms(conditioned, sample_rate, parameters)
        if rms > 0:
            conditioned *= parameters.level_rms / rms
    half = len(conditioned) // 2
    rise = half if parameters.window == "hann" else min(half, round(parameters.ramp_ms * 1e-3 * sample_rate))
    if parameters.window != "none" and rise > 0:
        ramp = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(rise) / (2 * rise - 1))
        conditioned[:rise] *= ramp
        conditioned[-rise:] *= ramp[::-1]
    return conditioned


def active_rms(samples: npt.NDArray[np.floating], sample_rate: int, parameters: Conditioning) -> float:
    """Root mean square over the frames that are within a range of the loudest one.

    Frames of ``active_frame_ms`` lie side by side, the last one cut short by the end; a frame is active if
    its mean square is at most ``active_range_db`` below the greatest. Silence around a word does not count.

    Parameters
    ----------
    samples
        Samples [time].
    sample_rate
        Hz.
    parameters
        Length of the frames and range.
    """
    frame = max(1, round(parameters.active_frame_ms * 1e-3 * sample_rate))
    starts = np.arange(0, len(samples), frame)
    energy = np.add.reduceat(np.asarray(samples, dtype=np.float64) ** 2, starts)
    sizes = np.diff(starts, append=len(samples))
    power = energy / sizes
    active = power >= power.max() * 10 ** (-parameters.active_range_db / 10)
    return float(np.sqrt(energy[active].sum() / sizes[active].sum()))
