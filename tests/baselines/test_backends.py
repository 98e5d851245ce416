"""A backend refuses what it cannot run before training, and its chips answer as chips do."""

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import nir
import numpy as np
import pytest

from hearspike.baselines import backends
from hearspike.baselines.backends import EmulatedChips, Software
from hearspike.baselines.interface import Operations, Predictions
from hearspike.baselines.operation_energy import OperationEnergy
from hearspike.baselines.recurrent_network import FittedRecurrentNetwork
from hearspike.baselines.support_vector_machine import SupportVectorMachine
from hearspike.datasets import SpikeDataset, SpikeEvents
from hearspike.emulator import (
    ChipProfile,
    ConstantPower,
    Noise,
    Targets,
    Variation,
    calibrate_chips,
    place,
)
from hearspike.errors import InputError

Data = tuple[SpikeDataset, SpikeDataset]

IDEAL = ChipProfile(name="ideal", variation=Variation(), noise=Noise())
REAL = ChipProfile(
    name="real",
    variation=Variation(tau_mem=0.06, tau_syn=0.05, gain=0.05, threshold=0.03, leak=0.05),
    noise=Noise(membrane=0.01),
)
CHIPS = EmulatedChips(
    chips=3,
    chip_seed=7,
    profile=REAL,
    time_scale=2000.0,
    step_us=0.5,
    energy=ConstantPower(power_W=0.2, source="test"),
)


def test_network_larger_than_the_chip_is_refused_before_training(fitted: FittedRecurrentNetwork) -> None:
    """700 inputs and 128 recurrent neurons take more circuits than there are; the budget is shown."""
    wide = replace(fitted.settings.input, most_channels=700)
    with pytest.raises(InputError, match=r"700 inputs \+ 128 recurrent = 828 signed inputs.*at most 256"):
        CHIPS.check(replace(fitted.settings, input=wide, hidden=128), channels=700, classes=20)
    CHIPS.check(fitted.settings, channels=70, classes=20)


def test_model_without_spikes_is_refused() -> None:
    """The chip runs spiking networks only."""
    machine = SupportVectorMachine(kernel="linear", penalties=(1.0,), iterations=10)
    with pytest.raises(InputError, match="SupportVectorMachine"):
        CHIPS.check(machine, channels=70, classes=20)


def test_trained_network_runs_on_chips(fitted: FittedRecurrentNetwork, timed: Data) -> None:
    """An ideal chip answers nearly as software does; chips that differ answer differently."""
    _, test = timed
    software = Software(energy=OperationEnergy("x", 4.6, 0.9, "test")).predict(fitted, test.events, seed=0)
    ideal = dataclasses.replace(CHIPS, profile=IDEAL, chips=2).predict(fitted, test.events, seed=0)
    # Continuous time and 6-bit weights may turn a few close decisions; 128 samples, 10 % allowed.
    assert np.mean(ideal.labels[0] == software.labels[0]) > 0.9
    np.testing.assert_array_equal(ideal.labels[0], ideal.labels[1])
    real = CHIPS.predict(fitted, test.events, seed=0)
    assert real.labels.shape == (3, 128)
    assert (real.layer_spikes["hidden"][0] != real.layer_spikes["hidden"][1]).any()
    assert np.mean(real.labels == test.labels) > 0.7


def test_batches_do_not_change_answers(
    fitted: FittedRecurrentNetwork, timed: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample has its own noise, whatever the batch it comes in; another seed is other noise."""
    events = timed[1].events
    together = CHIPS.predict(fitted, events, seed=0)
    monkeypatch.setattr(backends, "EMULATION_BATCH", 50)
    apart, other = CHIPS.predict(fitted, events, seed=0), CHIPS.predict(fitted, events, seed=1)
    np.testing.assert_array_equal(together.layer_spikes["hidden"], apart.layer_spikes["hidden"])
    np.testing.assert_array_equal(together.labels, apart.labels)
    assert (together.layer_spikes["hidden"] != other.layer_spikes["hidden"]).any()


def test_thresholds_drift_from_one_batch_of_a_chip_to_the_next(
    fitted: FittedRecurrentNetwork, timed: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without drift any size gives the same bits; with it, the batches after the first are others."""
    events = timed[1].events.select(np.arange(6))

    def spikes(samples_per_batch: int | None, drift: float) -> np.ndarray:
        profile = replace(REAL, noise=Noise(membrane=0.01, threshold_drift=drift))
        chips = replace(CHIPS, profile=profile, samples_per_batch=samples_per_batch)
        return chips.predict(fitted, events, seed=0).layer_spikes["hidden"]

    whole = spikes(None, 0.0)
    for size in (1, 2, 5):
        np.testing.assert_array_equal(spikes(size, 0.0), whole)
    drifting, one = spikes(3, 0.2), spikes(None, 0.2)
    np.testing.assert_array_equal(drifting[:, :3], one[:, :3])
    assert (drifting[:, 3:] != one[:, 3:]).any()
    monkeypatch.setattr(backends, "EMULATION_BATCH", 4)  # what is emulated at once is no batch of the chip
    np.testing.assert_array_equal(spikes(3, 0.2), drifting)
    with pytest.raises(InputError, match="samples_per_batch: got 99, expected 1 to"):
        spikes(99, 0.0)
    with pytest.raises(InputError, match=r"backend\.samples_per_batch: got 0"):
        replace(CHIPS, samples_per_batch=0)


def test_energy_is_power_times_time_on_the_chip(fitted: FittedRecurrentNetwork, timed: Data) -> None:
    """0.2 s of speech at 2000-fold speed take 100 µs; times 0.2 W that is 20 µJ."""
    predictions = CHIPS.predict(fitted, timed[1].events.select(np.arange(2)), seed=0)
    assert predictions.time_on_chip == pytest.approx(100e-6)
    assert CHIPS.energy_per_sample(predictions) == pytest.approx(20e-6)


def test_energy_in_software_is_the_sum_over_operations() -> None:
    """1,000 MACs of 4.6 pJ and 10,000 ACs of 0.9 pJ are 13.6 nJ; without counts there is no number."""
    software = Software(energy=OperationEnergy("x", 4.6, 0.9, "test"))
    labels = np.zeros((1, 1), dtype=np.int64)
    assert software.energy_per_sample(
        Predictions(labels, operations=Operations(1000.0, 10_000.0))
    ) == pytest.approx(13.6e-9)
    assert software.energy_per_sample(Predictions(labels)) is None


def test_calibrated_chips_stand_in_for_the_profile(
    fitted: FittedRecurrentNetwork, timed: Data, tmp_path: Path
) -> None:
    """The chips of the file run; a file of fewer or other chips is refused."""
    network = place(fitted.network(), time_scale=2000.0).layers[0]
    targets = Targets(
        tau_mem=float(network.tau_mem[0]),
        tau_syn=float(network.tau_syn[0]),
        refractory=fitted.refractory_period / 2000.0,
    )
    file = tmp_path / "chips.npz"
    calibrated = calibrate_chips(REAL, targets, chips=1, seed=7)
    calibrated.save(file)
    chips = replace(CHIPS, chips=1, calibration=file)
    np.testing.assert_array_equal(chips.population().leak, calibrated.pattern().leak)
    assert chips.predict(fitted, timed[1].events, seed=0).labels.shape == (1, len(timed[1].events))
    with pytest.raises(InputError, match="chips: got 3, expected 1 to 1, as many as were calibrated"):
        replace(chips, chips=3).population()
    with pytest.raises(InputError, match="chip_seed: got 8, expected 7, as was calibrated"):
        replace(chips, chip_seed=8).population()


def test_chips_say_what_they_did_and_when_they_decided(fitted: FittedRecurrentNetwork, timed: Data) -> None:
    """Activity is a mean over chips, and equals the counts; decisions fall within the time on the chip."""
    predictions = CHIPS.predict(fitted, timed[1].events, seed=0)
    assert predictions.activity is not None
    assert predictions.activity.spikes == pytest.approx(
        sum(spikes.mean() for spikes in predictions.layer_spikes.values())
    )
    assert predictions.activity.time == predictions.time_on_chip
    assert predictions.decision_times is not None
    assert predictions.decision_times.shape == predictions.labels.shape
    assert (
        0 <= predictions.decision_times.min() <= predictions.decision_times.max() <= predictions.time_on_chip
    )


class Wide:
    """A fitted network of 300 hidden neurons, more than a chip has."""

    window, step, readout = 0.05, 1e-3, "maximum"
    refractory_period = None
    parameters: ClassVar[dict[str, np.ndarray]] = {}

    def network(self) -> nir.NIRGraph:
        generator = np.random.default_rng(0)

        def neurons(count: int) -> dict[str, np.ndarray]:
            one = np.ones(count)
            return {"tau_mem": 20e-3 * one, "tau_syn": 10e-3 * one, "r": one, "v_leak": 0 * one}

        nodes = {
            "input": nir.Input({"input": np.array([70])}),
            "a": nir.Linear(0.02 * generator.normal(size=(300, 70))),
            "hidden": nir.CubaLIF(**neurons(300), v_threshold=np.ones(300)),
            "b": nir.Linear(0.01 * generator.normal(size=(4, 300))),
            "readout": nir.CubaLI(**neurons(4)),
            "output": nir.Output({"output": np.array([4])}),
        }
        return nir.NIRGraph(nodes, list(zip(nodes, list(nodes)[1:], strict=False)))

    def encode(self, events: SpikeEvents) -> SpikeEvents:
        return events


def test_a_network_larger_than_a_chip_takes_several_runs_whose_times_add_up() -> None:
    """Two groups of 150 hidden neurons, then the readout: three times 25 us."""
    generator = np.random.default_rng(1)
    events = SpikeEvents(
        times=np.sort(generator.uniform(0, 0.05, (2, 200))).ravel().astype(np.float32),
        units=generator.integers(0, 70, 400).astype(np.uint16),
        offsets=np.array([0, 200, 400]),
        channels=70,
    )
    predictions = CHIPS.predict(Wide(), events, seed=0)  # type: ignore[arg-type]  # no labels to predict in software
    assert predictions.time_on_chip == pytest.approx(3 * 25e-6)
    assert predictions.labels.shape == (3, 2)
    assert predictions.layer_spikes["hidden"].sum() > 0
    assert CHIPS.energy_per_sample(predictions) == pytest.approx(0.2 * 75e-6)
