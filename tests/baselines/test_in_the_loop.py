"""Training meets the chip: what is quantised, recorded and differentiated, and what it is good for."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hearspike.baselines.backends import EmulatedChips, silenced
from hearspike.baselines.chip_input import ChipInput
from hearspike.baselines.chip_network import ChipNetwork, FittedChipNetwork
from hearspike.baselines.deployment import WeightTransfer
from hearspike.baselines.in_the_loop import InTheLoop, as_shown
from hearspike.baselines.noise_aware import NoiseAware, quantised
from hearspike.baselines.training import Training
from hearspike.baselines.two_layer_network import Activity, Grid, Weights, graph, nominal_neurons, run
from hearspike.datasets import SpikeDataset, SpikeEvents
from hearspike.datasets.augmentation import Augmentation
from hearspike.datasets.latency import one_spike_per_channel
from hearspike.emulator import (
    BSS2,
    ChipProfile,
    ConstantPower,
    Emulation,
    Noise,
    Variation,
    draw_chips,
    emulate,
    place,
)

READ = BSS2.cadc_period
STEPS, INPUTS, HIDDEN, CLASSES, SAMPLES = 20, 40, 30, 4, 25
GRID = Grid(steps=STEPS, window=STEPS * READ, tau_mem=6e-6, tau_syn=6e-6, slope=50.0)
NOMINAL = nominal_neurons(GRID, HIDDEN, CLASSES)
IDEAL = ChipProfile(name="ideal", variation=Variation(), noise=Noise())
MISMATCHED = ChipProfile(
    name="mismatched",
    variation=Variation(tau_mem=0.5, tau_syn=0.5, gain=0.5, synapse=0.1, threshold=0.3, leak=0.2),
    noise=Noise(membrane=0.02),
)


def events(seed: int = 0) -> SpikeEvents:
    """One spike per channel, a fifth of the way into a step: model and chip both count it to that step."""
    rng = np.random.default_rng(seed)
    return one_spike_per_channel(np.asarray(rng.integers(0, 12, size=(SAMPLES, INPUTS)) + 0.2) * READ)


def weights(seed: int = 0, *, recurrent: bool = False) -> Weights:
    generator = torch.Generator().manual_seed(seed)

    def draw(scale: float, *shape: int) -> torch.Tensor:
        return (scale * torch.randn(*shape, generator=generator)).requires_grad_()

    square = draw(0.05, HIDDEN, HIDDEN) if recurrent else None
    return Weights(draw(0.15, HIDDEN, INPUTS), square, draw(0.1, CLASSES, HIDDEN))


def on_ideal_chip(of: Weights, seen: SpikeEvents) -> Emulation:
    """Run the network on an ideal chip whose time step is the model's."""
    return emulate(
        place(graph(of, GRID), time_scale=1.0),
        draw_chips(IDEAL, chips=1, seed=0),
        seen.times,
        seen.units,
        seen.offsets,
        duration=GRID.window,
        noise_seed=0,
        step=READ,
        record="all",
    )


@pytest.mark.parametrize("recurrent", [False, True])
def test_quantised_model_is_the_ideal_chip(recurrent: bool) -> None:
    """Spike by spike; readout by readout within half a code of the converter.

    On the chip a hidden spike reaches the readout in the step after it, in the model in the same step.
    """
    seen, ideal = events(), weights(recurrent=recurrent)
    model = run(quantised(ideal), seen, NOMINAL)
    chip = on_ideal_chip(ideal, seen)
    shown = as_shown(chip)
    assert 0.005 < model.spikes.mean() < 0.2
    torch.testing.assert_close(shown.hidden.spikes, model.spikes.detach(), rtol=0, atol=0)
    expected, found = model.traces[:, :-1].detach(), shown.traces[:, 1:]
    inside = (expected > -1.1) & (expected < 2.4)
    assert inside.float().mean() > 0.8
    # half a code of 70 per threshold, and float32
    assert (found - expected)[inside].abs().max() <= 0.5 / 70 + 1e-4


def test_without_quantisation_it_is_not() -> None:
    """The test above can fail: unrounded weights give other spikes."""
    seen, ideal = events(), weights()
    assert (as_shown(on_ideal_chip(ideal, seen)).hidden.spikes != run(ideal, seen, NOMINAL).spikes).any()


def gradients(of: Weights, activity: Activity) -> NDArray[np.float64]:
    """Gradient of a smooth function of all spikes and traces, as one vector."""
    generator = torch.Generator().manual_seed(9)
    value = (activity.spikes * torch.randn(activity.spikes.shape, generator=generator)).sum()
    value = value + (activity.traces * torch.randn(activity.traces.shape, generator=generator)).sum()
    return np.concatenate([g.flatten().numpy() for g in torch.autograd.grad(value, [of.input, of.readout])])


def test_gradients_on_an_ideal_chip_are_those_of_the_model() -> None:
    """Of the quantised model, whose codes an ideal chip holds.

    The readout hears a hidden spike a step later on the chip, which the gradient, taken through the model,
    does not: traces differ, gradients do not. Membranes are read in steps of 1/70 of the threshold, and the
    surrogate of slope 50 changes by (1 + 50/70/2)^2 within half of one: single gradients next to the
    threshold differ, their sum over 25 samples hardly does.
    """
    seen, ideal = events(), weights()
    model = gradients(ideal, run(quantised(ideal), seen, NOMINAL))
    loop = gradients(ideal, run(ideal, seen, NOMINAL, as_shown(on_ideal_chip(ideal, seen))))
    assert np.linalg.norm(loop - model) < 0.05 * np.linalg.norm(model)


def task(samples: int, seed: int) -> SpikeDataset:
    """Four patterns of spike times, each time moved by a normal distance, some spikes missing."""
    patterns = np.random.default_rng(0).uniform(1e-6, 15e-6, size=(CLASSES, INPUTS))
    rng = np.random.default_rng(seed)
    labels = rng.integers(CLASSES, size=samples)
    times = np.maximum(patterns[labels] + rng.normal(0.0, 4e-6, size=(samples, INPUTS)), 0.0)
    times[rng.random(times.shape) < 0.3] = np.inf
    names = tuple("abcd")
    return SpikeDataset(one_spike_per_channel(times), labels, np.zeros(samples, np.int64), names)


def model(deployment: WeightTransfer | NoiseAware | InTheLoop, epochs: int = 8) -> ChipNetwork:
    return ChipNetwork(
        input=ChipInput(
            window=GRID.window,
            time_scale=1.0,
            step_us=1.7,
            most_steps=STEPS,
            most_channels=INPUTS,
            left_out=0.0,
        ),
        hidden=HIDDEN,
        recurrent=False,
        tau_mem_us=6.0,
        tau_syn_us=6.0,
        surrogate_slope=50.0,
        readout="maximum",
        readout_gain=10.0,
        input_mean=0.0,
        input_scale=1.0,
        recurrent_scale=0.0,
        readout_scale=0.3,
        weight_limit=0.5,
        spike_penalty=0.0,
        weight_penalty=0.0,
        dropout=0.0,
        rotation=None,
        deployment=deployment,
        training=Training(
            epochs=epochs,
            patience=epochs,
            batch_size=50,
            optimiser="adam",
            learning_rate=5e-3,
            schedule="exponential",
            final_rate=0.9**epochs,
            warm_up=0.0,
            weight_decay=0.0,
            gradient_limit=1e3,
            label_smoothing=0.0,
            augmentation=Augmentation(),
        ),
    )


def on_chips(fitted: FittedChipNetwork, test: SpikeDataset, *, seed: int, chips: int) -> float:
    """Mean accuracy over strongly mismatched chips."""
    energy = ConstantPower(power_W=0.2, source="none needed")
    backend = EmulatedChips(chips, seed, MISMATCHED, 1.0, 0.85, energy)
    return float((backend.predict(fitted, test.events, seed=0).labels == test.labels).mean())


def test_training_in_the_loop_recovers_what_a_mismatched_chip_loses() -> None:
    """Most of what weight transfer loses on a chip comes back when that chip is in the loop."""
    train, validation, test = task(1000, 1), task(200, 2), task(500, 3)
    transferred = model(WeightTransfer()).fit(train, validation, seed=0)
    looped = model(InTheLoop(1, 0, MISMATCHED, 0.85)).fit(train, validation, seed=0)
    software = float((transferred.predict(test.events).labels == test.labels).mean())
    transfer = on_chips(transferred, test, seed=0, chips=1)
    loop = on_chips(looped, test, seed=0, chips=1)
    assert software > 0.9
    assert transfer < software - 0.1
    assert loop > transfer + 0.6 * (software - transfer)


@pytest.mark.parametrize(
    "deployment", [WeightTransfer(), NoiseAware(MISMATCHED, 1), InTheLoop(3, 1, MISMATCHED, 0.85)]
)
def test_a_seed_decides_every_weight(deployment: WeightTransfer | NoiseAware | InTheLoop) -> None:
    """Weights, order, dropout, chips and noise."""
    train, validation = task(200, 1), task(100, 2)
    settings = replace(model(deployment, epochs=2), dropout=0.2)
    first, again, other = (settings.fit(train, validation, seed=seed).parameters for seed in (0, 0, 1))
    for name, values in first.items():
        assert np.array_equal(values, again[name])
        assert not np.array_equal(values, other[name])


def test_silenced_neurons_reach_nothing() -> None:
    """The given share of neurons, in all layers, and nothing else."""
    whole = place(graph(weights(recurrent=True), GRID), time_scale=1.0)
    mute = silenced(whole, 0.2, seed=0)
    changed = set()
    for before, after in zip(whole.layers, mute.layers, strict=True):
        rows = (after.weights != before.weights).any(axis=1)
        assert (after.weights[rows] == 0).all()
        changed |= set(after.sources[rows].tolist())
    assert len(changed) == round(0.2 * HIDDEN)
    assert min(changed) >= INPUTS
    assert silenced(whole, 0.0, seed=0).layers[0].weights.tolist() == whole.layers[0].weights.tolist()


def test_a_shorter_presentation_takes_less_time_and_energy() -> None:
    """Half the window: half the time on the chip, half the energy of a constant power."""
    fitted = FittedChipNetwork(model(WeightTransfer()), weights(), ())
    power = ConstantPower(power_W=0.2, source="none needed")
    whole = EmulatedChips(1, 0, IDEAL, 1.0, 0.85, power)
    half = replace(whole, duration_us=17.0)
    seen = [(chips, chips.predict(fitted, events(), seed=0)) for chips in (whole, half)]
    times = [predictions.time_on_chip for _, predictions in seen]
    joules = [chips.energy_per_sample(predictions) for chips, predictions in seen]
    assert times == pytest.approx([34e-6, 17e-6])
    assert joules == pytest.approx([6.8e-6, 3.4e-6])
    spikes = [predictions.layer_spikes["hidden"].sum() for _, predictions in seen]
    assert 0 < spikes[1] < spikes[0]
