"""The recurrent network learns from timing, is reproducible, and is one in discrete and continuous time."""

import dataclasses

import nir
import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from hearspike.baselines.interface import SpikingModel, SpikingNetwork
from hearspike.baselines.recurrent_network import (
    FittedRecurrentNetwork,
    psp_amplitude,
)
from hearspike.baselines.spiking_layer import leaky_readout
from hearspike.datasets import SpikeDataset
from hearspike.errors import InputError

Data = tuple[SpikeDataset, SpikeDataset]


def test_it_learns_what_only_times_tell(fitted: FittedRecurrentNetwork, timed: Data) -> None:
    """The order of two bursts, which no machine on counts can tell, is learnt."""
    _, test = timed
    assert np.mean(fitted.predict(test.events).labels[0] == test.labels) > 0.9


def test_same_seed_same_weights(fitted: FittedRecurrentNetwork, timed: Data) -> None:
    """Training depends on its seed and on nothing else."""
    train, test = timed
    again, other = fitted.settings.fit(train, test, seed=0), fitted.settings.fit(train, test, seed=1)
    for name, weights in fitted.parameters.items():
        np.testing.assert_array_equal(weights, again.parameters[name])
        assert (weights != other.parameters[name]).any()


def test_dynamics_are_exact_between_spikes(fitted: FittedRecurrentNetwork, timed: Data) -> None:
    """Sums of closed-form potentials, neuron by neuron, give the same spikes and traces.

    Spikes arrive at the beginnings of steps and potentials are read at their ends.
    """
    inputs = fitted.in_steps(timed[1].events.select(np.arange(3)))
    with torch.no_grad():
        traces, fired_in_all = fitted.module(inputs)
    weights = {name: values.astype(np.float64) for name, values in fitted.parameters.items()}
    step = fitted.settings.input.step
    amplitude = psp_amplitude(fitted.settings.tau_mem, fitted.settings.tau_syn)
    decay_mem, decay_syn = np.exp(-step / fitted.settings.tau_mem), np.exp(-step / fitted.settings.tau_syn)
    for sample, sample_frames in enumerate(inputs.dense().numpy().astype(np.float64)):
        membrane, current, fired, total = np.zeros(32), np.zeros(32), np.zeros(32), np.zeros(32)
        readout = np.zeros((fitted.settings.input.steps, 2))
        for index, counts in enumerate(sample_frames):
            current = decay_syn * current
            current += weights["input_weights"] @ counts + weights["recurrent_weights"] @ fired
            # Over one step a current I adds K (e^(-step/tau_mem) - e^(-step/tau_syn)) I.
            free = decay_mem * membrane + amplitude * (decay_mem - decay_syn) * current
            membrane = np.where(fired > 0, 0.0, free)
            # Rounding must not decide whether a neuron spikes.
            assert (np.abs(membrane - 1) > 1e-5).all()
            fired = (membrane > 1).astype(np.float64)
            total += fired
            age = step * np.arange(1, fitted.settings.input.steps - index + 1)[:, np.newaxis]
            psp = amplitude * (
                np.exp(-age / fitted.settings.tau_mem) - np.exp(-age / fitted.settings.tau_syn)
            )
            readout[index:] += psp * (weights["readout_weights"] @ fired)
        np.testing.assert_array_equal(fired_in_all[sample].numpy(), total)
        # float32 sums of some hundred terms of order one
        np.testing.assert_allclose(traces[sample].numpy(), readout, atol=1e-4)


def test_psp_of_weight_one_peaks_at_one() -> None:
    """On a fine grid the largest value of the potential is 1, whichever time constant is longer."""
    times = np.linspace(0, 0.1, 100_001)
    for tau_mem, tau_syn in ((0.02, 0.01), (0.005, 0.01)):
        psp = psp_amplitude(tau_mem, tau_syn) * (np.exp(-times / tau_mem) - np.exp(-times / tau_syn))
        assert psp.max() == pytest.approx(1, abs=1e-6)


def test_readout_stays_in_the_range_of_a_converter(fitted: FittedRecurrentNetwork, timed: Data) -> None:
    """On the training data, 99 % of the samples keep all traces within 1, and some come near it."""
    with torch.no_grad():
        traces, _ = fitted.module(fitted.in_steps(timed[0].events))
    peaks = traces.abs().amax(dim=(1, 2)).numpy()
    assert np.quantile(peaks, 0.99) == pytest.approx(1, rel=1e-5)


def test_the_graph_has_the_same_weights_and_the_same_psp(fitted: FittedRecurrentNetwork) -> None:
    """Integrating NIR's equations numerically for one spike gives the potential of the network."""
    graph = fitted.network()
    np.testing.assert_array_equal(graph.nodes["input_weights"].weight, fitted.parameters["input_weights"])
    neuron = graph.nodes["hidden"]
    assert isinstance(neuron, nir.CubaLIF)
    tau_syn, tau_mem, resistance = neuron.tau_syn[0], neuron.tau_mem[0], neuron.r[0]

    def derivative(_: float, state: np.ndarray) -> list[float]:
        current, potential = state
        return [-current / tau_syn, (-potential + resistance * current) / tau_mem]

    step = fitted.settings.input.step
    times = step * np.arange(1, fitted.settings.input.steps + 1)
    start = [neuron.w_in[0] / tau_syn, 0.0]
    solution = solve_ivp(
        derivative, (0, fitted.settings.input.duration), start, t_eval=times, rtol=1e-8, atol=1e-10
    )
    network = fitted.module
    spike = torch.zeros(1, len(times), 1)
    spike[0, 0, 0] = 1
    response = leaky_readout(
        spike,
        torch.full((1, 1), network.gain),
        decay_syn=network.neurons.decay_syn,
        decay_mem=network.neurons.decay_mem,
    )
    np.testing.assert_allclose(response[0, :, 0].numpy(), solution.y[1], atol=1e-6)


def test_operations_follow_from_spikes_and_shapes(fitted: FittedRecurrentNetwork, timed: Data) -> None:
    """Each input spike meets 32 weights, each hidden spike 32 recurrent and 2 readout weights."""
    predictions = fitted.predict(timed[1].events)
    inputs = predictions.layer_spikes["input"].mean()
    hidden = predictions.layer_spikes["hidden"].mean()
    assert predictions.operations is not None
    assert predictions.operations.accumulates == pytest.approx(32 * inputs + 34 * hidden)
    assert predictions.operations.multiply_accumulates == 2 * 40 * 34


def test_batches_do_not_change_predictions(fitted: FittedRecurrentNetwork, timed: Data) -> None:
    """A sample is labelled the same alone and among others."""
    events = timed[1].events
    together = fitted.predict(events).labels[0]
    alone = [int(fitted.predict(events.select(np.array([index]))).labels[0, 0]) for index in range(8)]
    assert alone == together[:8].tolist()


def test_it_can_be_placed_on_a_chip(fitted: FittedRecurrentNetwork) -> None:
    """Model and fitted network keep the interfaces that backends ask for."""
    assert isinstance(fitted.settings, SpikingModel)
    assert isinstance(fitted, SpikingNetwork)
    assert dataclasses.astuple(fitted.settings.shape(20, 2)) == (20, (32,), 2, True)


def test_wrong_settings_are_refused(fitted: FittedRecurrentNetwork) -> None:
    """Each names its key."""
    for change, message in (
        ({"readout": "mean"}, r"model\.readout: got mean, expected one of maximum, sum, last"),
        ({"hidden": 0}, r"model\.hidden"),
        ({"tau_mem_us": -0.1}, r"model\.tau_mem_us"),
        ({"tau_syn_us": 10.0}, r"model\.tau_syn_us"),
    ):
        with pytest.raises(InputError, match=message):
            dataclasses.replace(fitted.settings, **change)
