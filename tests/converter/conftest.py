"""A slow port of the reference's last two stages, fibre by fibre and step by step, to test the kernels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

Array = npt.NDArray[Any]


def hair_cell_euler(velocity: Array, rate: float) -> Array:
    """Firing probability [channel, time] by explicit Euler in double precision, from the equations."""
    step = 1 / rate
    y, g, loss, r, x, a, b, h, most = 5.05, 2000.0, 2500.0, 6580.0, 66.3, 5.0, 300.0, 50000.0, 1.0
    release = g * a / (a + b)
    cleft = most * y * release / (loss * release + y * (loss + r))
    q = np.full(len(velocity), cleft * (loss + r) / release)
    c, w = np.full_like(q, cleft), np.full_like(q, cleft * r / x)
    probability = np.empty(velocity.shape)
    for n, drive in enumerate(velocity.T.astype(float)):
        above = np.maximum(drive + a, 0)
        ejected = step * g * above / (above + b) * q
        made = np.where(q < most, step * y * (most - q), 0)
        returned = step * x * w
        q, c, w = (
            np.maximum(q + made - ejected + returned, 0),
            np.maximum(c + ejected - step * (loss + r) * c, 0),
            np.maximum(w + step * r * c - returned, 0),
        )
        probability[:, n] = h * step * c
    return probability


def bushy_cells(probability: Array, rate: float, generator: np.random.Generator, fibres: int = 40) -> Array:
    """Spikes [channel, time], true or false: every fibre drawn by itself, refractoriness by looking back."""
    channels, length = probability.shape
    step = 1 / rate
    keep_membrane, keep_synapse, gain = np.exp(-step / 1e-3), np.exp(-step / 5e-4), 13e3 / fibres * step
    last = np.full((channels, fibres), -np.inf)
    voltage, current, waiting = np.zeros(channels), np.zeros(channels), np.zeros(channels)
    spikes = np.zeros((channels, length), dtype=bool)
    for n in range(length):
        fire = generator.random((channels, fibres)) < probability[:, n, None]
        fire &= n - last >= 1e-3 * rate
        last[fire] = n
        free = waiting <= 0
        crossed = free & (voltage >= 1)
        if n:
            spikes[crossed, n - 1] = True
        voltage = np.where(free & ~crossed, voltage * keep_membrane, 0)
        waiting[crossed] = 1e-3 * rate
        current = current * keep_synapse + fire.sum(axis=1)
        voltage = np.minimum(np.where(waiting <= 0, voltage + current * gain, voltage), 1)
        waiting -= 1
    return spikes


class Port(NamedTuple):
    """The slow stages."""

    hair_cell: Callable[..., Array]
    bushy_cells: Callable[..., Array]


@pytest.fixture(scope="session")
def port() -> Port:
    return Port(hair_cell_euler, bushy_cells)


class Reference(NamedTuple):
    """What the published converter computed for a recording: arrays [channel, time] of some channels."""

    audio: Path
    channels: list[int]
    velocity: Array
    firing_probability: Array


@pytest.fixture(scope="session")
def reference(data_folder: Path) -> Callable[[str], Reference]:
    audio = {
        "spoken_digit": "heidelberg_digits/spoken_digit.flac",
        "fsdd_7_jackson_3": "fsdd/7_jackson_3.flac",
    }

    def load(name: str) -> Reference:
        with np.load(data_folder / "reference_converter" / f"{name}.npz") as arrays:
            return Reference(
                data_folder / audio[name],
                arrays["channel"].tolist(),
                arrays["velocity"],
                arrays["firing_probability"],
            )

    return load
