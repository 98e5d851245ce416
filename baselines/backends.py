"""Where a fitted model runs: in software, or on emulated chips."""

import functools
import itertools
import operator
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import nir
import numpy as np

from hearspike.baselines.interface import FittedModel, Model, Predictions, SpikingModel, SpikingNetwork
from hearspike.baselines.operation_energy import OperationEnergy
from hearspike.datasets import SpikeEvents
from hearspike.emulator import (
    BSS2,
    Activity,
    ActivityEnergy,
    ChipProfile,
    ConstantPower,
    FixedPattern,
    Placement,
    Schedule,
    check_budget,
    count_runs,
    cut,
    draw_chips,
    emulate,
    emulate_runs,
    load_calibration,
    place,
)
from hearspike.errors import InputError

EMULATION_BATCH = 4096
"""Samples that are on an emulated chip at once: bounds the memory."""


class EnergyModel(Protocol):
    """What turns counts or times into joules; its name travels with the number."""

    @property
    def name(self) -> str:
        """Name of the model, for records and tables."""


class Backend(Protocol):
    """Something that runs fitted models and knows what energy that would take."""

    @property
    def energy(self) -> EnergyModel:
        """The energy model."""

    def check(self, model: Model, channels: int, classes: int) -> None:
        """Raise `InputError` if the backend cannot run the model; called before training."""

    def predict(self, fitted: FittedModel, events: SpikeEvents, *, seed: int) -> Predictions:
        """Label samples."""

    def energy_per_sample(self, predictions: Predictions) -> float | None:
        """Return modelled energy in joules, None where there is no model for it."""


@dataclass(frozen=True)
class Software:
    """The model as it is, on this computer.

    Parameters
    ----------
    energy
        Energy of the operations that the model counted.
    """

    energy: OperationEnergy

    def check(self, model: Model, channels: int, classes: int) -> None:
        """Every model runs in software."""

    def predict(self, fitted: FittedModel, events: SpikeEvents, *, seed: int) -> Predictions:
        """Let the model predict; ``seed`` is not needed."""
        return fitted.predict(events)

    def energy_per_sample(self, predictions: Predictions) -> float | None:
        """Add up the energy of all operations."""
        operations = predictions.operations
        if operations is None:
            return None
        return self.energy.energy(
            multiply_accumulates=operations.multiply_accumulates, accumulates=operations.accumulates
        )


@dataclass(frozen=True)
class EmulatedChips:
    """The network on a population of emulated BrainScaleS-2 chips.

    Parameters
    ----------
    chips
        Number of chips.
    chip_seed
        Seed of their fixed-pattern variation: the same seed is the same chips.
    profile
        How much the chips differ and how noisy they are.
    time_scale
        Seconds of the network's time in one second of the chip's.
    step_us
        Time step of the emulation in microseconds of chip time.
    energy
        Energy model.
    activity_energy
        Another energy model, named beside the first in the record.
    silenced_share
        Share of the hidden neurons whose spikes reach nothing: what dead neurons would do to a network that
        was trained with all of them. The same ones on all chips, drawn from the seed of the run.
    duration_us
        Microseconds of chip time after which the chip is reset and the next sample comes; the decision is
        made from what was read until then. None for the window of the network.
    calibration
        A file of ``hearspike calibrate``: its chips instead of chips drawn from the profile, with the noise
        that they were calibrated with. None for the profile.
    samples_per_batch
        Samples that a chip runs in one go, as many as its trace memory holds at most; its thresholds drift
        from batch to batch. None for one batch of all samples.
    """

    chips: int
    chip_seed: int
    profile: ChipProfile
    time_scale: float
    step_us: float
    energy: ConstantPower
    activity_energy: ActivityEnergy | None = None
    silenced_share: float = 0.0
    duration_us: float | None = None
    calibration: Path | None = None
    samples_per_batch: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("chips", 1), ("chip_seed", 0)):
            if getattr(self, name) < least:
                raise InputError(f"backend.{name}", getattr(self, name), f"at least {least}")
        if self.samples_per_batch is not None and self.samples_per_batch < 1:
            raise InputError("backend.samples_per_batch", self.samples_per_batch, "at least 1, or null")
        for name in ("time_scale", "step_us"):
            if not getattr(self, name) > 0:
                raise InputError(f"backend.{name}", getattr(self, name), "a positive number")
        if self.duration_us is not None and not self.duration_us > 0:
            raise InputError("backend.duration_us", self.duration_us, "a positive number, or null")
        if not 0 <= self.silenced_share < 1:
            raise InputError("backend.silenced_share", self.silenced_share, "a share from 0 to below 1")

    def check(self, model: Model, channels: int, classes: int) -> None:
        """Refuse models that do not spike and networks that do not fit on a chip."""
        if not isinstance(model, SpikingModel):
            raise InputError(
                "model",
                type(model).__name__,
                "a spiking network without shared weights, since backend=bss2 runs no other",
            )
        shape = model.shape(channels, classes)
        layers = [*shape.hidden, shape.outputs]
        if shape.recurrent:
            check_budget(inputs=shape.inputs, layers=layers, recurrent=True)
        else:
            count_runs(inputs=shape.inputs, layers=layers, recurrent=False)

    def population(self) -> FixedPattern:
        """Return the chips; see `chip_population`."""
        return chip_population(
            self.profile, chips=self.chips, chip_seed=self.chip_seed, calibration=self.calibration
        )

    def predict(self, fitted: FittedModel, events: SpikeEvents, *, seed: int) -> Predictions:
        """Place the network, run every sample on every chip, and read the labels off the CADC."""
        if not isinstance(fitted, SpikingNetwork):
            raise InputError("model", type(fitted).__name__, "a network that can be placed on a chip")
        inputs = fitted.encode(events)
        placement = self._placed(fitted, seed)
        chips = self.population()
        parts = [chips.part(k, k + 1) for k in range(self.chips)]
        by_chip = [self._run(chip, placement, fitted, inputs, seed) for chip in parts]
        return Predictions(
            labels=np.concatenate([one.labels for one in by_chip]),
            layer_spikes=_join([one.layer_spikes for one in by_chip], axis=0),
            time_on_chip=by_chip[0].time_on_chip,
            activity=_mean([one.activity for one in by_chip if one.activity is not None]),
            decision_times=np.concatenate(
                [one.decision_times for one in by_chip if one.decision_times is not None]
            ),
        )

    def _placed(self, fitted: SpikingNetwork, seed: int) -> Placement | Schedule:
        """Return the network on a chip, or cut into runs if it is larger than one.

        A neuron is held at its reset as long as in software, or as the chip can.
        """
        graph, period = fitted.network(), fitted.refractory_period
        hidden = [node for node in graph.nodes.values() if isinstance(node, nir.CubaLIF)]
        period = None if period is None else float(np.clip(period / self.time_scale, *BSS2.refractory_range))
        try:
            placement = place(graph, specification=BSS2, time_scale=self.time_scale, refractory_period=period)
        except InputError as error:
            if error.subject != "network" or not hidden or self.silenced_share > 0:
                raise
            if self.samples_per_batch is not None:
                expected = "null for a network that is larger than a chip"
                raise InputError("backend.samples_per_batch", self.samples_per_batch, expected) from error
            return cut(graph, BSS2, time_scale=self.time_scale, refractory_period=period)
        return silenced(placement, self.silenced_share, seed=seed)

    def _run(
        self,
        chip: FixedPattern,
        placement: Placement | Schedule,
        fitted: SpikingNetwork,
        inputs: SpikeEvents,
        seed: int,
    ) -> Predictions:
        """Run all samples on one chip, which costs less than many chips at once: a chip is set up once."""
        window = fitted.window if self.duration_us is None else self.duration_us * 1e-6 * self.time_scale
        parts = []
        for start, batch in zip(
            itertools.count(step=EMULATION_BATCH), inputs.batches(EMULATION_BATCH), strict=False
        ):
            given = (chip, batch.times, batch.units, batch.offsets)
            step = self.step_us * 1e-6
            if isinstance(placement, Schedule):
                emulation = emulate_runs(
                    placement, *given, duration=window, step=step, noise_seed=seed, first_sample=start
                )
            else:
                emulation = emulate(
                    placement,
                    *given,
                    duration=window,
                    step=step,
                    noise_seed=seed,
                    first_sample=start,
                    samples_per_batch=self.samples_per_batch,
                )
            parts.append(emulation)
        rule, share = fitted.readout, 1 / len(inputs)
        activities = [part.activity.scaled(part.cadc.shape[1] * share) for part in parts]
        return Predictions(
            labels=np.concatenate([part.decide(rule) for part in parts], axis=1),
            layer_spikes=_join([part.layer_spikes for part in parts], axis=1),
            time_on_chip=parts[0].time_on_chip,
            activity=functools.reduce(operator.add, activities),
            decision_times=np.concatenate([part.decision_times(rule) for part in parts], axis=1),
        )

    def energy_per_sample(self, predictions: Predictions) -> float | None:
        """Multiply the chip's power by the time that a sample occupies it."""
        return None if predictions.time_on_chip is None else self.energy.energy(predictions.time_on_chip)


def chip_population(
    profile: ChipProfile, *, chips: int, chip_seed: int, calibration: Path | None
) -> FixedPattern:
    """Return the chips: calibrated ones where a calibration is given, else drawn from the profile.

    Raises
    ------
    InputError
        If the calibration cannot be read, or is of fewer or other chips.
    """
    if calibration is None:
        return draw_chips(profile, specification=BSS2, chips=chips, seed=chip_seed)
    calibrated = load_calibration(calibration)
    if calibrated.seed != chip_seed:
        raise InputError("chip_seed", chip_seed, f"{calibrated.seed}, as was calibrated")
    return calibrated.pattern(chips)


def silenced(placement: Placement, share: float, *, seed: int) -> Placement:
    """Return the placement with the synapses that listen to a random share of the spiking neurons at 0."""
    count = round(share * placement.spiking)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(zlib.crc32(b"silenced"),)))
    silent = placement.inputs + rng.permutation(placement.spiking)[:count]
    layers = tuple(
        replace(layer, weights=np.where(np.isin(layer.sources, silent)[:, None], np.int8(0), layer.weights))
        for layer in placement.layers
    )
    return replace(placement, layers=layers)


def _mean(activities: Sequence[Activity]) -> Activity:
    return functools.reduce(operator.add, activities).scaled(1 / len(activities))


def _join(parts: Sequence[dict[str, np.ndarray]], *, axis: int) -> dict[str, np.ndarray]:
    return {layer: np.concatenate([part[layer] for part in parts], axis=axis) for layer in parts[0]}
