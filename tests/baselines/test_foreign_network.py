"""Networks that go to other frameworks and come from them: the same spikes and membranes on both sides."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import nir
import numpy as np
import pytest
import torch

from hearspike.baselines.foreign_graph import (
    Convention,
    flatten,
    for_framework,
    in_data_time,
    read_graph,
)
from hearspike.baselines.foreign_network import ForeignNetwork, run_layer
from hearspike.baselines.input_frames import InputFrames
from hearspike.emulator import place
from hearspike.emulator.network import read_layers
from hearspike.errors import InputError

SNNTORCH = Convention(step=1e-4, spike="held", scheme="euler", reset="at_once")
EXACT = replace(SNNTORCH, spike="impulse", scheme="exact")
STEPS, SAMPLES, INPUTS, HIDDEN, CLASSES = 60, 4, 12, 9, 5


def frames(rng: np.random.Generator) -> np.ndarray:
    """Random input [sample, step, input]."""
    return (rng.random((SAMPLES, STEPS, INPUTS)) < 0.15).astype(np.float64)


def simulate(network: ForeignNetwork, spikes: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Spikes of every layer and membranes of the last."""
    fired = []
    for layer in network.layers:
        spikes, traces = run_layer(layer, spikes, step=network.step, convention=network.convention)
        fired.append(spikes)
    return fired, traces


def foreign(file: Path, convention: Convention, step: float) -> ForeignNetwork:
    """The network in a file."""
    return ForeignNetwork(
        file, convention, InputFrames(window=step * STEPS, bins=STEPS, channels=INPUTS), "maximum"
    )


@pytest.fixture
def own_graph(rng: np.random.Generator) -> nir.NIRGraph:
    """A recurrent network as hearspike writes it, in seconds of speech."""
    tau_mem, tau_syn = np.full(HIDDEN, 0.02), np.full(HIDDEN, 0.01)
    nodes = {
        "input": nir.Input({"input": np.array([INPUTS])}),
        "hidden_weights": nir.Linear(rng.normal(0.3, 0.4, (HIDDEN, INPUTS))),
        "hidden": nir.CubaLIF(
            tau_mem=tau_mem,
            tau_syn=tau_syn,
            r=np.full(HIDDEN, 4.0),
            v_leak=np.zeros(HIDDEN),
            v_threshold=np.ones(HIDDEN),
            v_reset=np.zeros(HIDDEN),
            w_in=tau_syn,
        ),
        "recurrent": nir.Linear(rng.normal(0, 0.3, (HIDDEN, HIDDEN))),
        "readout_weights": nir.Linear(rng.normal(0, 0.5, (CLASSES, HIDDEN))),
        "readout": nir.CubaLI(
            tau_mem=np.full(CLASSES, 0.02),
            tau_syn=np.full(CLASSES, 0.01),
            r=np.full(CLASSES, 4.0),
            v_leak=np.zeros(CLASSES),
            w_in=np.full(CLASSES, 0.01),
        ),
        "output": nir.Output({"output": np.array([CLASSES])}),
    }
    chain = ["input", "hidden_weights", "hidden", "readout_weights", "readout", "output"]
    return nir.NIRGraph(
        nodes=nodes, edges=[*pairwise(chain), ("hidden", "recurrent"), ("recurrent", "hidden")]
    )


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers of the test."""
    return np.random.default_rng(7)


@pytest.mark.parametrize("delay", [False, True])
def test_network_of_snntorch_does_here_what_it_does_there(
    delay: bool, rng: np.random.Generator, tmp_path: Path
) -> None:
    """Spikes of the hidden layer are equal, membranes of the last agree to single precision."""
    snntorch = pytest.importorskip("snntorch")
    extract = pytest.importorskip("snntorch.export_nir")._extract_snntorch_module
    torch.manual_seed(3)
    hidden, last = (
        snntorch.Synaptic(
            alpha=torch.full((count,), alpha),
            beta=torch.full((count,), beta),
            threshold=torch.full((count,), threshold),
            reset_mechanism="zero",
            reset_delay=delay,
        )
        for count, alpha, beta, threshold in ((HIDDEN, 0.8, 0.9, 1.0), (CLASSES, 0.7, 0.95, 1e9))
    )
    first, second = torch.nn.Linear(INPUTS, HIDDEN), torch.nn.Linear(HIDDEN, CLASSES)
    with torch.no_grad():
        first.weight.add_(0.1)
    spikes = frames(rng)
    expected, membranes = [], []
    state = [torch.zeros(SAMPLES, HIDDEN)] * 2
    readout = [torch.zeros(SAMPLES, CLASSES)] * 2
    with torch.no_grad():
        for t in range(STEPS):
            fired, *state = hidden(first(torch.from_numpy(spikes[:, t]).float()), *state)
            _, *readout = last(second(fired), *readout)
            expected.append(fired)
            membranes.append(readout[1])
    modules = {"first": first, "hidden": hidden, "second": second, "last": last}
    nodes = {
        "input": nir.Input({"input": np.array([INPUTS])}),
        **{name: extract(module) for name, module in modules.items()},
        "output": nir.Output({"output": np.array([CLASSES])}),
    }
    nir.write(tmp_path / "network.nir", nir.NIRGraph(nodes=nodes, edges=list(pairwise(nodes))))

    convention = replace(SNNTORCH, reset="next_step" if delay else "at_once")
    network = foreign(tmp_path / "network.nir", convention, 0.01)
    here, traces = simulate(network, spikes)
    assert 50 < here[0].sum() < 0.5 * here[0].size
    np.testing.assert_array_equal(here[0], torch.stack(expected, dim=1).numpy())
    # Single precision there, double here, over 60 steps.
    np.testing.assert_allclose(traces, torch.stack(membranes, dim=1).numpy(), atol=1e-4)


def test_recurrent_neurons_of_snntorch_are_laid_open(tmp_path: Path) -> None:
    """The graph within the graph that an RSynaptic becomes is read as a layer with recurrent synapses."""
    snntorch = pytest.importorskip("snntorch")
    extract = pytest.importorskip("snntorch.export_nir")._extract_snntorch_module
    hidden = snntorch.RSynaptic(
        alpha=torch.full((HIDDEN,), 0.8),
        beta=torch.full((HIDDEN,), 0.9),
        threshold=torch.ones(HIDDEN),
        linear_features=HIDDEN,
    )
    last = snntorch.Leaky(beta=torch.full((CLASSES,), 0.9), threshold=torch.ones(CLASSES))
    modules = {"first": torch.nn.Linear(INPUTS, HIDDEN), "hidden": hidden}
    modules |= {"second": torch.nn.Linear(HIDDEN, CLASSES), "last": last}
    nodes = {
        "input": nir.Input({"input": np.array([INPUTS])}),
        **{name: extract(module) for name, module in modules.items()},
        "output": nir.Output({"output": np.array([CLASSES])}),
    }
    graph = nir.NIRGraph(nodes=nodes, edges=list(pairwise(nodes)))
    layers = read_layers(in_data_time(flatten(graph), SNNTORCH, step=0.01))
    assert [layer.size for layer in layers] == [HIDDEN, CLASSES]
    assert layers[0].recurrent is not None
    jump = (layers[0].resistance / layers[0].tau_syn / layers[0].tau_mem)[:, np.newaxis] * 0.01
    np.testing.assert_allclose(
        layers[0].recurrent * jump, hidden.recurrent.weight.detach().numpy(), rtol=1e-6
    )


def test_own_network_does_in_norse_what_it_does_here(
    own_graph: nir.NIRGraph, rng: np.random.Generator
) -> None:
    """Norse's imported neurons, wired by hand, give the spikes and membranes of the exported network."""
    importer = pytest.importorskip("norse.torch.utils.import_nir")
    convention = replace(SNNTORCH, step=1e-3)
    graph = for_framework(own_graph, convention, step=0.01)
    hidden, readout = (
        importer._import_norse_module(graph.nodes[name], dt=1e-3) for name in ("hidden", "readout")
    )
    matrices = {
        name: torch.from_numpy(np.asarray(graph.nodes[name].weight)).float()
        for name in ("hidden_weights", "hidden_recurrent", "readout_weights")
    }
    spikes = frames(rng)
    fired, traces = [], []
    with torch.no_grad():
        z, state, last = torch.zeros(SAMPLES, HIDDEN), None, None
        for t in range(STEPS):
            drive = torch.from_numpy(spikes[:, t]).float() @ matrices["hidden_weights"].T
            z, state = hidden(drive + z @ matrices["hidden_recurrent"].T, state)
            _, last = readout(z @ matrices["readout_weights"].T, last)
            fired.append(z)
            traces.append(last[1].v)
    here = [run_layer(read_layers(own_graph)[0], spikes, step=0.01, convention=EXACT)]
    here.append(run_layer(read_layers(own_graph)[1], here[0][0], step=0.01, convention=EXACT))
    assert here[0][0].sum() > 50
    np.testing.assert_array_equal(here[0][0], torch.stack(fired, dim=1).numpy())
    np.testing.assert_allclose(here[1][1], torch.stack(traces, dim=1).numpy(), atol=1e-4)


def test_export_and_import_are_inverse(
    own_graph: nir.NIRGraph, rng: np.random.Generator, tmp_path: Path
) -> None:
    """A network written for snnTorch and read again gives the same spikes and membranes."""
    nir.write(tmp_path / "network.nir", for_framework(own_graph, SNNTORCH, step=0.01))
    again = foreign(tmp_path / "network.nir", SNNTORCH, 0.01)
    spikes = frames(rng)
    fired, traces = simulate(again, spikes)
    first, last = read_layers(own_graph)
    expected, _ = run_layer(first, spikes, step=0.01, convention=EXACT)
    np.testing.assert_array_equal(fired[0], expected)
    np.testing.assert_allclose(traces, run_layer(last, expected, step=0.01, convention=EXACT)[1], atol=1e-9)


def test_network_in_the_data_time_fits_a_chip(own_graph: nir.NIRGraph, tmp_path: Path) -> None:
    """What came from snnTorch can be placed: its time constants lie in the chip's range at 2000 times."""
    nir.write(tmp_path / "network.nir", for_framework(own_graph, SNNTORCH, step=0.002))
    network = foreign(tmp_path / "network.nir", SNNTORCH, 0.002)
    placement = place(network.graph, time_scale=2000.0)
    # Euler's time constant for the same decay over 2 ms: 2/(1 - exp(-2/20)) = 21.0 ms, 10.5 µs there.
    np.testing.assert_allclose(placement.layers[0].tau_mem, 10.5e-6, rtol=2e-3)


def test_wrong_files_and_sizes_end_in_one_line(own_graph: nir.NIRGraph, tmp_path: Path) -> None:
    """No NIR file, unknown nodes, other numbers of inputs or classes, an unknown convention."""
    (tmp_path / "text.nir").write_text("no network")
    with pytest.raises(InputError, match=r"a NIR graph"):
        read_graph(tmp_path / "text.nir")
    nir.write(tmp_path / "network.nir", for_framework(own_graph, SNNTORCH, step=0.01))
    network = foreign(tmp_path / "network.nir", SNNTORCH, 0.01)
    with pytest.raises(InputError, match="12, as in"):
        network.shape(10, CLASSES)
    with pytest.raises(InputError, match="the classes of the data"):
        network.shape(INPUTS, 3)
    with pytest.raises(InputError, match="held, impulse"):
        Convention(step=1e-4, spike="long", scheme="euler", reset="at_once")  # type: ignore[arg-type]  # on purpose
    graph = nir.NIRGraph(
        nodes={
            "input": nir.Input({"input": np.array([2])}),
            "if": nir.IF(np.ones(2), np.ones(2)),
            "output": nir.Output({"output": np.array([2])}),
        },
        edges=[("input", "if"), ("if", "output")],
    )
    with pytest.raises(InputError, match="IF"):
        read_layers(in_data_time(graph, SNNTORCH, step=0.01))


def test_leaky_neurons_without_current_are_exact_under_euler(rng: np.random.Generator) -> None:
    """A neuron of snnTorch's Leaky kind follows v ← beta v + x, by its definition."""
    beta, tau = 0.9, 1e-4 / (1 - 0.9)
    nodes = {
        "input": nir.Input({"input": np.array([3])}),
        "w": nir.Linear(np.eye(3)),
        "leaky": nir.LIF(
            tau=np.full(3, tau), r=np.full(3, tau / 1e-4), v_leak=np.zeros(3), v_threshold=np.full(3, 1e9)
        ),
        "output": nir.Output({"output": np.array([3])}),
    }
    graph = nir.NIRGraph(nodes=nodes, edges=[("input", "w"), ("w", "leaky"), ("leaky", "output")])
    (layer,) = read_layers(in_data_time(graph, SNNTORCH, step=0.01))
    spikes = (rng.random((1, 20, 3)) < 0.3).astype(np.float64)
    _, traces = run_layer(layer, spikes, step=0.01, convention=SNNTORCH)
    membrane = np.zeros(3)
    for t in range(20):
        membrane = beta * membrane + spikes[0, t]
        np.testing.assert_allclose(traces[0, t], membrane, atol=1e-12)
