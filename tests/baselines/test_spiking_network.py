"""Every member of the family learns timing and is reproducible; it is one in discrete and continuous time."""

import dataclasses
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from hearspike.baselines.backends import EmulatedChips
from hearspike.baselines.input_frames import InputFrames
from hearspike.baselines.interface import SpikingModel, SpikingNetwork
from hearspike.baselines.spiking_layer import leaky_readout
from hearspike.baselines.spiking_module import SpikingModule
from hearspike.baselines.spiking_network import FittedChipClassifier, SpikingClassifier
from hearspike.baselines.training import Training
from hearspike.datasets import SpikeDataset, SpikeEvents
from hearspike.datasets.augmentation import Augmentation
from hearspike.emulator import BSS2, ChipProfile, ConstantPower, Noise, Variation, place
from hearspike.errors import InputError

Data = tuple[SpikeDataset, SpikeDataset]
BASE = SpikingClassifier(
    frames=InputFrames(window=0.1, bins=20, channels=10),
    compress=False,
    hidden=(24,),
    recurrent=False,
    time_scale=2000.0,
    tau_mem_us=10.0,
    tau_syn_us=5.0,
    train_time_constants=False,
    time_constant_spread=0.0,
    tau_adaptation_us=50.0,
    adaptation_strength=0.0,
    largest_delay_us=0.0,
    axons=1,
    reset="zero",
    surrogate_slope=50.0,
    normalise=False,
    dropout=0.0,
    readout="sum",
    readout_gain=10.0,
    input_scale=1.0,
    recurrent_scale=0.5,
    readout_scale=0.3,
    lower_spikes=0.1,
    lower_penalty=1.0,
    upper_spikes=10.0,
    upper_penalty=0.01,
    implementation="fused",
    training=Training(
        epochs=5,
        patience=5,
        batch_size=32,
        optimiser="adamax",
        learning_rate=2e-2,
        schedule="exponential",
        final_rate=0.5,
        warm_up=0.0,
        weight_decay=0.0,
        gradient_limit=1.0,
        label_smoothing=0.0,
        augmentation=Augmentation(),
    ),
)
FAMILY: dict[str, dict[str, Any]] = {
    "one layer": {},
    "three layers": {"hidden": (24, 16, 8)},
    "recurrent": {"recurrent": True, "readout": "maximum"},
    "adaptive": {"adaptation_strength": 0.3, "reset": "subtract", "readout": "last"},
    "own time constants": {"train_time_constants": True, "time_constant_spread": 0.3},
    "delays": {"largest_delay_us": 20.0, "axons": 2},
    "normalised, dropout": {"compress": True, "normalise": True, "dropout": 0.2, "hidden": (24, 16)},
}
EVERY_MEMBER = pytest.mark.parametrize("changes", FAMILY.values(), ids=FAMILY.keys())


def member(changes: dict[str, Any]) -> SpikingClassifier:
    return dataclasses.replace(BASE, **changes)


@pytest.fixture(scope="module")
def plain(timed: Data) -> FittedChipClassifier:
    """The recurrent network, after training."""
    fitted = member(FAMILY["recurrent"] | {"hidden": (12, 8)}).fit(*timed, seed=0)
    assert isinstance(fitted, FittedChipClassifier)
    return fitted


@EVERY_MEMBER
def test_it_learns_what_only_times_tell(changes: dict[str, Any], timed: Data) -> None:
    """The order of two bursts, which no machine on counts can tell; and what it learnt is what it saves."""
    fitted = member(changes).fit(*timed, seed=0)
    assert np.mean(fitted.predict(timed[1].events).labels[0] == timed[1].labels) > 0.9
    assert isinstance(fitted, SpikingNetwork) == member(changes).fits_chips
    assert all(np.isfinite(values).all() for values in fitted.parameters.values())


@EVERY_MEMBER
def test_a_stopped_fit_goes_on_to_the_same_bits(changes: dict[str, Any], timed: Data, tmp_path: Path) -> None:
    """Also with dropout, running averages and delays; another seed gives other weights."""
    train = timed[0].select(np.arange(64))
    model = member(changes)
    model = dataclasses.replace(model, training=dataclasses.replace(model.training, epochs=3))

    def stop(stage: str, done: int, total: int, note: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(train, train, seed=0, checkpoint=tmp_path, progress=stop)
    resumed, undisturbed = (
        model.fit(train, train, seed=0, checkpoint=tmp_path),
        model.fit(train, train, seed=0),
    )
    assert resumed.history == undisturbed.history
    for name, array in undisturbed.parameters.items():
        np.testing.assert_array_equal(array, resumed.parameters[name])


def test_learnt_constants_move(timed: Data) -> None:
    """Time constants, adaptation and delays differ after training, and start alike for the same seed."""
    changes = FAMILY["own time constants"] | FAMILY["adaptive"] | FAMILY["delays"]
    model = member(changes)
    still = dataclasses.replace(
        model, training=dataclasses.replace(model.training, epochs=1, learning_rate=1e-12)
    )
    train = timed[0].select(np.arange(64))
    before, after = still.fit(train, train, seed=0).parameters, model.fit(train, train, seed=0).parameters
    for name in ("time_constants.log_tau_mem", "time_constants.log_tau_syn", "adaptation_strength", "delays"):
        assert np.abs(after[f"hidden.0.{name}"] - before[f"hidden.0.{name}"]).max() > 1e-3, name


def test_batches_do_not_change_predictions(plain: FittedChipClassifier, timed: Data) -> None:
    """A sample is labelled the same alone and among others, and no sample gives no label."""
    events = timed[1].events
    together = plain.predict(events).labels[0]
    alone = [int(plain.predict(events.select(np.array([index]))).labels[0, 0]) for index in range(8)]
    assert alone == together[:8].tolist()
    assert plain.predict(events.select(np.arange(0))).labels.shape == (1, 0)


def test_spikes_and_operations_are_counted(plain: FittedChipClassifier, timed: Data) -> None:
    """Input spikes are those in the window; each meets its targets, each hidden spike its own."""
    events = timed[1].events
    predictions = plain.predict(events)
    inside = np.bincount(events.sample_of_event[events.times < 0.1], minlength=len(events))
    np.testing.assert_array_equal(predictions.layer_spikes["input"][0], inside)
    first, second = (predictions.layer_spikes[f"hidden{number}"].mean() for number in (1, 2))
    assert predictions.operations is not None
    expected = 12 * inside.mean() + first * (12 + 8) + second * (8 + 2)
    assert predictions.operations.accumulates == pytest.approx(expected)
    assert predictions.operations.multiply_accumulates == 2 * 20 * (12 + 8 + 2)


def test_compression_is_the_logarithm_of_counts(timed: Data) -> None:
    """What enters is ln(1 + c) in every step and input; off, it is the counts."""
    events = timed[1].events.select(np.arange(4))
    counts = BASE.steps(events)
    compressed = member({"compress": True}).drive(counts)
    torch.testing.assert_close(compressed.dense(), torch.log1p(BASE.frames(events)))
    assert BASE.drive(counts) is counts


def test_penalties_are_those_of_the_formula() -> None:
    """Two neurons of 0 and 30 spikes: lower bound 0.1 for each, upper bound 10 for their mean."""
    counts = torch.zeros(4, 2)
    counts[:, 1] = 30.0
    expected = 1.0 * (0.1**2 + 0.0) / 2 + 0.01 * (15.0 - 10.0) ** 2
    assert float(BASE.penalty(counts)) == pytest.approx(expected)


def test_dynamics_are_those_of_the_graph(plain: FittedChipClassifier) -> None:
    """Integrating NIR's equations for one spike of weight 1 gives the potential of the network's readout."""
    graph = plain.network()
    neuron = graph.nodes["readout"]
    assert isinstance(neuron, nir.CubaLI)
    tau_syn, tau_mem, resistance = (float(value[0]) for value in (neuron.tau_syn, neuron.tau_mem, neuron.r))

    def derivative(_: float, state: np.ndarray) -> list[float]:
        current, potential = state
        return [-current / tau_syn, (-potential + resistance * current) / tau_mem]

    steps, window = plain.settings.frames.bins, plain.window
    times = window / steps * np.arange(1, steps + 1)
    start = [float(neuron.w_in[0]) / tau_syn, 0.0]
    solution = solve_ivp(derivative, (0, window), start, t_eval=times, rtol=1e-8, atol=1e-10)
    spikes = torch.zeros(1, steps, 8)
    spikes[0, 0, 3] = 1.0
    with torch.no_grad():
        readout = plain.module.readout()
        decays = {"decay_syn": readout.decay_syn, "decay_mem": readout.decay_mem}
        traces = leaky_readout(spikes, readout.weight, **decays)[0].numpy()
    weight = graph.nodes["readout_weights"].weight[:, 3]
    # float32 sums of some twenty terms of order one
    np.testing.assert_allclose(traces, np.outer(solution.y[1], weight), atol=1e-5)


def test_a_plain_network_can_be_placed_on_a_chip(plain: FittedChipClassifier) -> None:
    """Model and fitted network keep the interfaces that backends ask for, and the graph can be placed."""
    model = dataclasses.replace(plain.settings, hidden=(16,))
    assert isinstance(model, SpikingModel)
    assert isinstance(plain, SpikingNetwork)
    assert dataclasses.astuple(model.shape(20, 2)) == (10, (16,), 2, True)
    graph = plain.network()
    np.testing.assert_array_equal(
        graph.nodes["hidden2_weights"].weight, plain.parameters["hidden.1.weight"].T
    )
    place(graph, specification=BSS2, time_scale=plain.settings.time_scale)


IDEAL_CHIP = EmulatedChips(
    chips=1,
    chip_seed=0,
    profile=ChipProfile(name="ideal", variation=Variation(), noise=Noise()),
    time_scale=2000.0,
    step_us=0.5,
    energy=ConstantPower(power_W=0.2, source="test"),
)


def test_an_ideal_chip_answers_as_software_does(timed: Data) -> None:
    """Two layers, each neuron with its own time constants, in continuous time and with 6-bit weights."""
    changes = FAMILY["own time constants"] | {"hidden": (24, 16)}
    fitted = member(changes).fit(*timed, seed=0)
    assert isinstance(fitted, FittedChipClassifier)
    events = timed[1].events.select(np.arange(64))
    on_chip = IDEAL_CHIP.predict(fitted, events, seed=0).labels[0]
    # Rounded weights and spikes between steps may turn close decisions; 64 samples, 10 % allowed.
    assert np.mean(on_chip == fitted.predict(events).labels[0]) > 0.9


def test_no_neuron_fires_more_often_on_a_chip_than_steps_allow(timed: Data) -> None:
    """Strong constant drive, steps of 20 ms: held for a step after each spike, as in software."""
    model = member({"frames": InputFrames(window=0.1, bins=5, channels=10)})
    parameters = {name: values.numpy() for name, values in SpikingModule(model, 10, 2).state_dict().items()}
    parameters["hidden.0.weight"][:] = 3.0
    fitted = model.restore(parameters, channels=10, classes=2)
    times = np.tile(np.arange(0, 0.1, 1e-3, dtype=np.float32), (10, 1)).T.ravel()
    units = np.tile(np.arange(10, dtype=np.uint16), 100)
    events = SpikeEvents(times, units, np.array([0, 1000]), channels=10)
    in_software = fitted.predict(events).layer_spikes["hidden1"][0, 0] / 24
    on_chip = IDEAL_CHIP.predict(fitted, events, seed=0).layer_spikes["hidden1"][0, 0] / 24
    assert in_software == 3  # in every other of five steps
    assert 3 <= on_chip <= 5  # 100 ms, at least 20 ms from one spike to the next


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("compress", True),
        ("adaptation_strength", 0.1),
        ("largest_delay_us", 1.0),
        ("normalise", True),
        ("reset", "subtract"),
    ],
)
def test_what_no_chip_has_is_refused_before_training(key: str, value: Any) -> None:
    """The shape on a chip is asked for first."""
    with pytest.raises(InputError, match=rf"model\.{key}.*for a network on a chip"):
        member({key: value}).shape(20, 2)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hidden", ()),
        ("hidden", (0,)),
        ("axons", 0),
        ("tau_mem_us", 0.0),
        ("time_scale", -1.0),
        ("dropout", 1.0),
        ("adaptation_strength", -0.1),
        ("readout", "mean"),
        ("reset", "none"),
        ("implementation", "snntorch"),
    ],
)
def test_wrong_settings_are_refused(key: str, value: Any) -> None:
    """Each names its key."""
    with pytest.raises(InputError, match=rf"model\.{key}"):
        member({key: value})
