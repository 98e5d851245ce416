"""The recurrent network learns from timing, is reproducible, and is one in discrete and continuous time."""

import dataclasses
import math

import nir
import numpy as np
import pytest
import torch

from hearspike.baselines.interface import SpikingModel, SpikingNetwork
from hearspike.baselines.recurrent_network import (
    FittedRecurrentNetwork,
    RecurrentSpikingNetwork,
    _response_matrix,
    decide,
)
from hearspike.baselines.training import Training
from hearspike.datasets import SpikeDataset
from hearspike.errors import InputError

Data = tuple[SpikeDataset, SpikeDataset]

NETWORK = RecurrentSpikingNetwork(
    first_channel=0,
    channel_stride=1,
    hidden=32,
    window=0.2,
    bins=40,
    tau_mem=0.02,
    tau_syn=0.01,
    surrogate_slope=50.0,
    readout="sum",
    readout_gain=10.0,
    input_scale=1.0,
    recurrent_scale=0.5,
    spike_limit=20.0,
    spike_penalty=1e-3,
    training=Training(
        epochs=12,
        patience=12,
        batch_size=32,
        learning_rate=5e-3,
        learning_rate_decay=0.97,
        gradient_limit=1.0,
    ),
)


@pytest.fixture(scope="module")
def fitted(timed: Data) -> FittedRecurrentNetwork:
    train, test = timed
    return NETWORK.fit(train, test, seed=0)


def test_it_learns_what_only_times_tell(fitted: FittedRecurrentNetwork, timed: Data) -> None:
    """The order of two bursts, which no machine on counts can tell, is learnt."""
    _, test = timed
    assert np.mean(fitted.predict(test.events).labels[0] == test.labels) > 0.9


def test_same_seed_same_weights(fitted: FittedRecurrentNetwork, timed: Data) -> None:
    """Training depends on its seed and on nothing else."""
    train, test = timed
    again, other = NETWORK.fit(train, test, seed=0), NETWORK.fit(train, test, seed=1)
    for name, weights in fitted.parameters.items():
        np.testing.assert_array_equal(weights, again.parameters[name])
        assert (weights != other.parameters[name]).any()


def test_dynamics_are_those_of_the_equations(fitted: FittedRecurrentNetwork, timed: Data) -> None:
    """A plain loop over neurons and steps gives the same spikes and traces."""
    frames = fitted.frames(timed[1].events.select(np.arange(3)))
    with torch.no_grad():
        traces, spikes = fitted.module(frames)
    weights = fitted.parameters
    alpha, beta = math.exp(-0.005 / NETWORK.tau_syn), math.exp(-0.005 / NETWORK.tau_mem)
    for sample, sample_frames in enumerate(frames.numpy().astype(np.float64)):
        current, membrane, fired = np.zeros(32), np.zeros(32), np.zeros(32)
        readout_current, readout = np.zeros(2), np.zeros(2)
        for step, counts in enumerate(sample_frames):
            current = (
                alpha * current + weights["input_weights"] @ counts + weights["recurrent_weights"] @ fired
            )
            membrane = np.where(fired > 0, 0.0, beta * membrane + current)
            # The spike condition is compared only where rounding cannot decide it.
            clear = np.abs(membrane - 1) > 1e-4
            fired = (membrane > 1).astype(np.float64)
            np.testing.assert_array_equal(spikes[sample, step].numpy()[clear], fired[clear])
            readout_current = alpha * readout_current + weights["readout_weights"] @ fired
            readout = beta * readout + readout_current
            # float32 sums of some hundred terms of order one
            np.testing.assert_allclose(traces[sample, step].numpy(), readout, atol=1e-4)


def test_readout_matrix_is_the_response_to_single_spikes() -> None:
    """Its first column is the response to a spike at time 0, and nothing answers before its cause."""
    alpha, beta = 0.6, 0.8
    matrix = _response_matrix(alpha, beta, 30).numpy()
    current, membrane, response = 1.0, 1.0, [1.0]
    for _ in range(29):
        current *= alpha
        membrane = beta * membrane + current
        response.append(membrane)
    np.testing.assert_allclose(matrix[:, 0], response, rtol=1e-6)
    assert (np.triu(matrix, 1) == 0).all()


def test_readouts() -> None:
    """Maximum, mean and last value over time."""
    traces = torch.tensor([[[0.0, 1.0], [3.0, 1.0], [1.0, 2.0]]])
    assert decide(traces, "maximum").tolist() == [[3.0, 2.0]]
    assert decide(traces, "sum").tolist() == [[pytest.approx(4 / 3), pytest.approx(4 / 3)]]
    assert decide(traces, "last").tolist() == [[1.0, 2.0]]


def test_the_graph_has_the_same_weights_and_the_same_psp_integral(fitted: FittedRecurrentNetwork) -> None:
    """Integrating NIR's equations for one spike of weight 1 gives the sum of the discrete response."""
    graph = fitted.network()
    np.testing.assert_array_equal(graph.nodes["input_weights"].weight, fitted.parameters["input_weights"])
    neuron = graph.nodes["hidden"]
    assert isinstance(neuron, nir.CubaLIF)
    # In closed form: w_in S integrates to w_in, I passes it on to V times r.
    continuous = float(neuron.r[0] * neuron.w_in[0])
    step = NETWORK.window / NETWORK.bins
    discrete = step * float(fitted.module.readout_kernel[:, 0].double().sum())
    # The discrete response is cut after 0.2 s, 10 membrane time constants.
    assert continuous == pytest.approx(discrete, rel=1e-3)


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
    assert isinstance(NETWORK, SpikingModel)
    assert isinstance(fitted, SpikingNetwork)
    assert dataclasses.astuple(NETWORK.shape(20, 2)) == (20, (32,), 2, True)


def test_wrong_settings_are_refused() -> None:
    """Each names its key."""
    for change, message in (
        ({"readout": "mean"}, r"model\.readout: got mean, expected one of maximum, sum, last"),
        ({"hidden": 0}, r"model\.hidden"),
        ({"tau_mem": -0.1}, r"model\.tau_mem"),
        ({"tau_syn": 0.02}, r"model\.tau_syn"),
    ):
        with pytest.raises(InputError, match=message):
            dataclasses.replace(NETWORK, **change)  # type: ignore[arg-type]  # wrong on purpose
