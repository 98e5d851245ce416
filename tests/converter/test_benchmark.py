"""The benchmark of the converter."""

import pytest

from hearspike.converter.benchmark import benchmark, published_cpu_per_audio_second, synthetic_voice


def test_a_row_says_what_was_measured() -> None:
    """Times and memory of a real conversion in a process of its own, in the order asked for."""
    voice = synthetic_voice(0.3)
    assert voice.duration == pytest.approx(0.3)
    rows = benchmark(voice, presets=("heidelberg",), channels=70, threads=(1, 2), runs=2)
    assert [(row.preset, row.channels, row.threads, row.runs) for row in rows] == [
        ("heidelberg", 70, 1, 2),
        ("heidelberg", 70, 2, 2),
    ]
    for row in rows:
        assert 0 < row.wall_per_audio_second < 60
        assert 0 < row.cpu_per_audio_second < 60
        assert row.peak_memory_mib < 512


def test_ratio_is_to_the_published_time_of_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """CPU time over CPU time, both per second of audio; nothing where the published one is not installed."""
    for published in (100.0, None):
        monkeypatch.setattr(
            "hearspike.converter.benchmark.published_cpu_per_audio_second",
            lambda waveform, *, channels, answer=published: answer,
        )
        (row,) = benchmark(synthetic_voice(0.1), presets=("heidelberg",), channels=8, threads=(1,), runs=1)
        if published is None:
            assert row.times_published is None
        else:
            assert row.times_published == pytest.approx(published / row.cpu_per_audio_second)


def test_without_the_published_converter_there_is_no_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearspike.converter.benchmark.find_spec", lambda name: None)
    assert published_cpu_per_audio_second(synthetic_voice(0.1)) is None


def test_a_minute_fits_into_half_a_gigabyte() -> None:
    """60 s at 48 kHz, a fifth of the channels: memory goes by blocks, so that more channels take no more."""
    (row,) = benchmark(synthetic_voice(60.0), presets=("heidelberg",), channels=140, threads=(2,), runs=1)
    assert row.peak_memory_mib < 512
