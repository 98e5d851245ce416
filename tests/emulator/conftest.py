"""Networks and events that the emulator's tests share."""

from collections.abc import Callable, Sequence
from typing import Any

import nir
import numpy as np
import pytest
from numpy.typing import NDArray

from hearspike.emulator import ChipProfile, Noise, Variation

Chain = Callable[..., nir.NIRGraph]


def build_chain(
    *weights: NDArray[Any],
    recurrent: Sequence[NDArray[Any] | None] = (),
    bias: Sequence[NDArray[Any] | None] = (),
    tau_mem: float = 10e-3,
    tau_syn: float = 5e-3,
    **neuron: float,
) -> nir.NIRGraph:
    """Input → Linear → CubaLIF → … → Linear → CubaLI → Output, weights [neuron, source] as jumps of r I."""
    sources = np.shape(weights[0])[1]
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array([sources])})}
    edges = []
    before = "input"
    for number, weight in enumerate(weights):
        size, last = len(weight), number == len(weights) - 1
        scaled = np.asarray(weight, float) * tau_syn  # NIR: a spike lifts I by w / tau_syn
        shift = bias[number] if number < len(bias) else None
        values = {
            "tau_syn": np.full(size, tau_syn),
            "tau_mem": np.full(size, tau_mem),
            "r": np.ones(size),
            "v_leak": np.full(size, neuron.get("v_leak", 0.0)),
        }
        synapses, population = f"synapses_{number}", "readout" if last else f"hidden_{number}"
        nodes[synapses] = nir.Linear(scaled) if shift is None else nir.Affine(scaled, np.asarray(shift))
        if last:
            nodes[population] = nir.CubaLI(**values)
        else:
            nodes[population] = nir.CubaLIF(
                **values,
                v_threshold=np.full(size, neuron.get("v_threshold", 1.0)),
                v_reset=np.full(size, neuron.get("v_reset", 0.0)),
            )
        edges += [(before, synapses), (synapses, population)]
        loop = recurrent[number] if number < len(recurrent) else None
        if loop is not None:
            nodes[f"loop_{number}"] = nir.Linear(np.asarray(loop, float) * tau_syn)
            edges += [(population, f"loop_{number}"), (f"loop_{number}", population)]
        before = population
    nodes["output"] = nir.Output({"output": np.array([len(weights[-1])])})
    return nir.NIRGraph(nodes, [*edges, (before, "output")])


@pytest.fixture(scope="session")
def chain() -> Chain:
    return build_chain


@pytest.fixture(scope="session")
def ideal() -> ChipProfile:
    return ChipProfile(name="ideal", variation=Variation(), noise=Noise())


@pytest.fixture(scope="session")
def everything() -> ChipProfile:
    """All mechanisms on, at sizes of an ordinary chip or above."""
    return ChipProfile(
        name="everything",
        variation=Variation(
            tau_mem=0.1,
            tau_syn=0.1,
            gain=0.1,
            synapse=0.1,
            threshold=0.05,
            leak=0.05,
            reset=0.05,
            cadc_gain=0.02,
            cadc_offset_lsb=5.0,
        ),
        noise=Noise(membrane=0.02, spike_jitter=0.4e-6, threshold_drift=0.02, cadc_lsb=1.0),
    )


@pytest.fixture(scope="session")
def deep_network() -> nir.NIRGraph:
    """12 inputs, 20 recurrent and 15 feed-forward spiking neurons, 4 readouts, all active."""
    generator = np.random.default_rng(5)
    return build_chain(
        generator.normal(0.6, 1.2, (20, 12)),
        generator.normal(0.4, 0.8, (15, 20)),
        generator.normal(0.0, 0.4, (4, 15)),
        recurrent=[generator.normal(0.0, 0.5, (20, 20))],
    )


Events = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]


@pytest.fixture(scope="session")
def some_events() -> Events:
    """7 samples of 0 to 120 events on 12 inputs in 100 ms, some later."""
    generator = np.random.default_rng(6)
    counts = np.array([60, 0, 120, 30, 80, 100, 40])
    total = int(counts.sum())
    return (
        generator.uniform(0, 0.12, total),
        generator.integers(0, 12, total),
        np.concatenate([[0], np.cumsum(counts)]),
    )
