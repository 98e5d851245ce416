"""How fast the converter is: time per second of audio, memory, and the published converter's time."""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np

from hearspike.converter.audio import Waveform
from hearspike.converter.pipeline import preset

Result = TypeVar("Result")


@dataclass(frozen=True)
class Measurement:
    """One row of the benchmark.

    Attributes
    ----------
    preset, channels, threads
        What was measured.
    wall_per_audio_second, cpu_per_audio_second
        Median time per second of audio, s.
    first_call_s
        Time of the first call of the process, s: kernels loaded or compiled, transfer table built.
    peak_memory_mib
        Most memory of the process above what it held with everything imported, MiB.
    runs
        Number of timed runs.
    times_published
        How many times the CPU time that the published converter (lauscher) takes in the same run; None where
        it is not installed.
    """

    preset: str
    channels: int
    threads: int
    wall_per_audio_second: float
    cpu_per_audio_second: float
    first_call_s: float
    peak_memory_mib: float
    runs: int
    times_published: float | None = None


def synthetic_voice(seconds: float, sample_rate: int = 48_000) -> Waveform:
    """Return a sound somewhat like a voice: harmonics of 120 Hz, formants, syllables of 0.2 s, weak noise.

    Parameters
    ----------
    seconds
        Duration, s.
    sample_rate
        Hz.
    """
    moment = np.arange(round(seconds * sample_rate)) / sample_rate
    samples = np.random.default_rng(0).normal(scale=0.01, size=len(moment))
    for harmonic in 120.0 * np.arange(1, 40):
        gain = sum(np.exp(-(((harmonic - formant) / 200) ** 2)) for formant in (500, 1500, 2500)) + 0.02
        samples += gain * np.sin(2 * np.pi * harmonic * moment)
    samples *= np.sin(np.pi * moment / 0.2) ** 2
    return Waveform(samples=samples.astype(np.float32), sample_rate=sample_rate)


def benchmark(
    waveform: Waveform,
    *,
    presets: tuple[str, ...] = ("heidelberg", "causal"),
    channels: int = 700,
    threads: tuple[int, ...] = (1, 2),
    runs: int = 11,
) -> list[Measurement]:
    """Time presets on a recording, each row in a process of its own.

    Parameters
    ----------
    waveform
        The recording.
    presets, threads
        Each preset is timed with each number of threads.
    channels
        Number of channels.
    runs
        Timed conversions of each row, after one that is not timed with them.
    """
    published = published_cpu_per_audio_second(waveform, channels=channels)
    rows = [_alone(_measure, waveform, name, channels, count, runs) for name in presets for count in threads]
    if published is None:
        return rows
    return [replace(row, times_published=published / row.cpu_per_audio_second) for row in rows]


def published_cpu_per_audio_second(
    waveform: Waveform, *, channels: int = 700, measured: int = 4
) -> float | None:
    """CPU time of the published converter (lauscher) per second of audio, s; None where it is not installed.

    Its work is the same for every channel: it is run with 2 and ``2 + measured`` channels, and the difference
    scaled to ``channels``, so that it neither takes its hours nor counts its start.

    Parameters
    ----------
    waveform
        The recording; its first second is used.
    channels
        Number of channels to state the time for.
    measured
        Number of channels that the difference is made of.
    """
    if find_spec("lauscher") is None:
        return None
    second = Waveform(waveform.samples[: waveform.sample_rate], waveform.sample_rate)
    few, more = (_published_cpu(second, count) for count in (2, 2 + measured))
    return (more - few) * channels / measured / second.duration


def _measure(waveform: Waveform, name: str, channels: int, threads: int, runs: int) -> Measurement:
    preset(name, channels=1)(waveform.samples[:100], waveform.sample_rate, seed=0)
    before = _peak_mib()
    converter = preset(name, channels=channels)

    def convert() -> tuple[float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        converter(waveform.samples, waveform.sample_rate, seed=0, threads=threads)
        return time.perf_counter() - wall, time.process_time() - cpu

    first, _ = convert()
    walls, cpus = zip(*(convert() for _ in range(runs)), strict=True)
    return Measurement(
        preset=name,
        channels=channels,
        threads=threads,
        wall_per_audio_second=statistics.median(walls) / waveform.duration,
        cpu_per_audio_second=statistics.median(cpus) / waveform.duration,
        first_call_s=first,
        peak_memory_mib=_peak_mib() - before,
        runs=runs,
    )


def _peak_mib() -> float:
    """Peak resident memory of this process, MiB; the system counts KiB on Linux and bytes on macOS."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _published_cpu(waveform: Waveform, channels: int) -> float:
    """CPU time of one run of the published converter's own command, s."""
    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        audio, spikes = Path(folder) / "audio.wav", Path(folder) / "spikes.npz"
        soundfile.write(audio, waveform.samples, waveform.sample_rate, subtype="FLOAT")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "lauscher", str(audio), str(spikes), "--num_channels", str(channels)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603  # our own arguments
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _alone(function: Callable[..., Result], *arguments: object) -> Result:
    """Call a function in a fresh process, so that its memory and its caches are its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)
