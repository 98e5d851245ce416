"""Mel bands put sound where its frequency belongs, at its time, whatever its level."""

from pathlib import Path

import numpy as np
import pytest

from hearspike.converter import Waveform
from hearspike.datasets import HeldOutSpeakers
from hearspike.datasets.fsdd import FSDD
from hearspike.datasets.graded_events import GradedEvents
from hearspike.datasets.log_mel import MelBands, MelTask
from hearspike.errors import InputError

BANDS = MelBands(40, 50.0, 4000.0, 0.025, 0.01, 50.0)
RATE = 8000


def tone(frequency_hz: float, seconds: float = 0.3) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(round(seconds * RATE)) / RATE).astype(np.float32)


@pytest.mark.parametrize("frequency_hz", [300.0, 1000.0, 3000.0])
def test_a_tone_is_in_its_band(frequency_hz: float) -> None:
    """The strongest band holds the tone on Slaney's mel scale, within one bin of 40 Hz."""
    power = BANDS.frames(Waveform(tone(frequency_hz), RATE))
    edges = _slaney_edges(40, 50.0, 4000.0)
    strongest = power[10].argmax()
    assert edges[strongest] - 40 < frequency_hz < edges[strongest + 2] + 40


def _slaney_edges(bands: int, low: float, high: float) -> np.ndarray:
    """Band edges, Hz: linear below 1 kHz in steps of 200/3 Hz per mel, logarithmic above (Slaney 1998)."""

    def mel(f: float) -> float:
        return f / (200 / 3) if f < 1000 else 15 + np.log(f / 1000) / (np.log(6.4) / 27)

    mels = np.linspace(mel(low), mel(high), bands + 2)
    return np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))


def test_level_does_not_matter_and_the_floor_is_where_it_should() -> None:
    """A sound 40 dB softer gives the same frames; the greatest value is the floor's distance."""
    sound = tone(700.0)
    loud, soft = (BANDS.frames(Waveform(sound * np.float32(gain), RATE)) for gain in (1.0, 0.01))
    np.testing.assert_allclose(soft, loud, rtol=1e-3, atol=1e-3)
    assert 10 * np.log10(loud.max()) == pytest.approx(50.0)
    assert not BANDS.frames(Waveform(np.zeros(4000, np.float32), RATE)).any()


def test_task_has_the_split_of_the_spikes(data_folder: Path) -> None:
    """Two takes of real speech: parts by speaker, one event train each, in frames of 10 ms."""
    split = HeldOutSpeakers(validation=("lucas",), test=("theo", "yweweler"))
    task = MelTask("mel", FSDD(data_folder / "fsdd", 2), BANDS, split, 1.0, 2000.0).task()
    assert [len(part) for part in (task.train, task.validation, task.test)] == [60, 20, 40]
    assert set(task.test.speakers) == {4, 5}
    assert isinstance(task.test.events, GradedEvents)
    assert task.test.events.channels == 40
    steps = task.test.events.times / 0.01 - 0.5
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
    assert task.split["name"] == "HeldOutSpeakers"


@pytest.mark.parametrize("wrong", [{"bands": 0}, {"lowest_hz": 5000.0}, {"step_s": 0.0}])
def test_wrong_settings_are_refused(wrong: dict[str, float]) -> None:
    """Each is named."""
    good = {
        "bands": 40,
        "lowest_hz": 50.0,
        "highest_hz": 4000.0,
        "window_s": 0.025,
        "step_s": 0.01,
        "floor_db": 50.0,
    }
    with pytest.raises(InputError, match="representation"):
        MelBands(**{**good, **wrong})  # type: ignore[arg-type]
