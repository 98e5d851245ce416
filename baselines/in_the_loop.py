"""Train with an emulated chip in the loop.

Cramer et al., PNAS 119:e2109194119 (2022): in each batch the weights are rounded to the chip's codes, the
chip runs the samples, its spikes and sampled membranes are recorded, and the gradient is computed through
the ideal model with the recorded values put in place of its own. What the chip does differently, the weights
learn to live with.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.baselines.backends import chip_population
from hearspike.baselines.deployment import Course, random_generator
from hearspike.baselines.event_layer import Recorded
from hearspike.baselines.two_layer_network import Activity, Grid, Neurons, Shown, Weights, graph, run
from hearspike.datasets import SpikeEvents
from hearspike.emulator import BSS2, ChipProfile, Emulation, FixedPattern, emulate, place
from hearspike.errors import InputError

VALIDATION_NOISE = 2**31
"""Seed of the noise in validation; those of training are below."""


@dataclass(frozen=True)
class InTheLoop:
    """Chips that see the training.

    Parameters
    ----------
    chips
        Number of chips; each batch runs on one of them.
    chip_seed
        Seed of their fixed pattern. With that of the backend, the network is judged on chips that it knows,
        as published; with another one, on chips that it never saw.
    profile
        How much the chips differ and how noisy they are.
    step_us
        Time step of the emulation in microseconds of chip time.
    calibration
        File of a calibration, whose chips take the place of the profile's.
    """

    chips: int
    chip_seed: int
    profile: ChipProfile
    step_us: float
    calibration: Path | None = None

    def __post_init__(self) -> None:
        for name, least in (("chips", 1), ("chip_seed", 0)):
            if getattr(self, name) < least:
                raise InputError(f"deployment.{name}", getattr(self, name), f"at least {least}")
        if not self.step_us > 0:
            raise InputError("deployment.step_us", self.step_us, "a positive number")

    def course(self, grid: Grid, nominal: Neurons) -> Course:
        """Begin a training; a step of the model is the time between two reads of the converter."""
        chips = chip_population(
            self.profile, chips=self.chips, chip_seed=self.chip_seed, calibration=self.calibration
        )
        return _OnChips(self, grid, nominal, [chips.part(k, k + 1) for k in range(self.chips)])


@dataclass(frozen=True)
class _OnChips:
    settings: InTheLoop
    grid: Grid
    nominal: Neurons
    chips: list[FixedPattern]

    def train(self, weights: Weights, events: SpikeEvents) -> Activity:
        rng = random_generator()
        chip, noise_seed = int(rng.integers(len(self.chips))), int(rng.integers(2**31))
        emulation = self._emulate(weights, events, chip, noise_seed)
        return run(weights, events, self.nominal, as_shown(emulation))

    def validate(self, weights: Weights, events: SpikeEvents) -> torch.Tensor:
        shares = np.array_split(np.arange(len(events)), len(self.chips))
        seen = [
            self._emulate(weights, events.select(share), chip, VALIDATION_NOISE)
            for chip, share in enumerate(shares)
        ]
        return torch.cat([as_shown(emulation).traces for emulation in seen])

    def _emulate(self, weights: Weights, events: SpikeEvents, chip: int, noise_seed: int) -> Emulation:
        time_scale = self.grid.step / BSS2.cadc_period
        return emulate(
            place(graph(weights, self.grid), specification=BSS2, time_scale=time_scale),
            self.chips[chip],
            events.times,
            events.units,
            events.offsets,
            duration=self.grid.window,
            noise_seed=noise_seed,
            step=self.settings.step_us * 1e-6,
            record="all",
        )


def as_shown(emulation: Emulation) -> Shown:
    """Bring what one chip returned into the units and the order of the model.

    Read n + 1 of the converter ends step n of the model. A potential is the code's distance from the nominal
    leak, of a readout that from its resting code, over the codes between leak and threshold.
    """
    assert emulation.spikes is not None
    spikes = _steps_first(emulation.spikes)
    hidden, classes = spikes.shape[-1], emulation.rest.shape[1]
    codes = _steps_first(emulation.cadc)
    per_threshold = BSS2.codes_per_threshold
    membrane = (codes[..., :hidden] - BSS2.leak_code) / per_threshold
    rest = torch.from_numpy((emulation.rest[0] - emulation.bias).astype(np.float32))
    traces = (codes[..., -classes:] - rest).transpose(0, 1) / per_threshold
    return Shown(hidden=Recorded(spikes, membrane.contiguous()), traces=traces)


def _steps_first(array: NDArray[np.uint8]) -> torch.Tensor:
    """Turn [chip, sample, read, neuron] of one chip into [step, sample, neuron]."""
    return torch.from_numpy(array[0, :, 1:].swapaxes(0, 1).astype(np.float32, order="C"))
