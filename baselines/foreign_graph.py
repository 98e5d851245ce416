r"""Networks of other frameworks: from a NIR file to one chain of current-based neurons in the data's time.

Frameworks compute in steps, NIR speaks of seconds, and each has its own way from one to the other. A
`Convention` states it: the length of a step in NIR's time, what a spike is, and how the exponentials were
approximated. With it, the neuron of NIR, :math:`\tau_{syn} \dot I = -I + w_{in} W S`,
:math:`\tau_{mem} \dot V = v_{leak} - V + r I`, is brought from steps of :math:`h` seconds to steps of
:math:`h'` seconds of the data with the same result in every step, by :math:`\tau' = s \tau`,
:math:`w_{in}' = s q w_{in}` and :math:`b' = b / (s q)`, where :math:`s = h' / h` and :math:`q` is the
integral of a spike. In the result a spike is an impulse of 1.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import nir
import numpy as np

from hearspike.emulator.dynamics import exact_rise
from hearspike.emulator.network import read_layers
from hearspike.errors import InputError

OUT_OF_REACH = 1e9
"""Threshold of a readout in frameworks that know only neurons that spike."""

Spike = Literal["held", "impulse"]
Scheme = Literal["euler", "exact"]
Reset = Literal["at_once", "next_step"]


@dataclass(frozen=True)
class Convention:
    """How a framework's steps stand in a NIR file.

    Parameters
    ----------
    step
        Seconds of NIR's time that the framework takes a step for; 1e-4 in what snnTorch writes.
    spike
        ``held``: a spike is the value 1 for the length of a step, as in snnTorch. ``impulse``: it has the
        integral 1, as in the equations of NIR and in what hearspike writes.
    scheme
        ``euler``: a step multiplies by 1 - step/tau. ``exact``: by exp(-step/tau).
    reset
        ``at_once``: in the step of the spike, as in NIR, norse, and snnTorch with ``reset_delay=False``.
        ``next_step``: the membrane is held at its reset in the step after, as in snnTorch by default, and in
        hearspike's own networks.

    Raises
    ------
    InputError
        If a word is unknown or the step is not above 0.
    """

    step: float
    spike: Spike
    scheme: Scheme
    reset: Reset

    def __post_init__(self) -> None:
        if not 0 < self.step < np.inf:
            raise InputError("model.convention.step", self.step, "seconds above 0")
        for name, choice in (("spike", Spike), ("scheme", Scheme), ("reset", Reset)):
            if getattr(self, name) not in get_args(choice):
                expected = f"one of {', '.join(get_args(choice))}"
                raise InputError(f"model.convention.{name}", getattr(self, name), expected)


def read_graph(file: Path) -> nir.NIRGraph:
    """Read a NIR file; graphs within the graph, as recurrent neurons of snnTorch make them, are laid open.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        graph = nir.read(file)
    except (OSError, KeyError, ValueError, TypeError, AttributeError, AssertionError) as error:
        raise InputError(file, f"a file that cannot be read ({error})", "a NIR graph") from error
    if not isinstance(graph, nir.NIRGraph):
        raise InputError(file, f"a node {type(graph).__name__}", "a NIR graph")
    return flatten(graph)


def flatten(graph: nir.NIRGraph) -> nir.NIRGraph:
    """Put the nodes of graphs within a graph beside the others, as ``graph.node``."""
    nodes: dict[str, nir.NIRNode] = {}
    edges: list[tuple[str, str]] = []
    ends: dict[str, tuple[str, str]] = {}
    for name, node in graph.nodes.items():
        if not isinstance(node, nir.NIRGraph):
            nodes[name] = node
            ends[name] = (name, name)
            continue
        inner = flatten(node)
        kinds = {key: type(item) for key, item in inner.nodes.items()}
        first = [b for a, b in inner.edges if kinds[a] is nir.Input]
        last = [a for a, b in inner.edges if kinds[b] is nir.Output]
        if len(first) != 1 or len(last) != 1:
            raise InputError(f"node {name!r}", f"{len(first)} ways in, {len(last)} ways out", "one of each")
        ends[name] = (f"{name}.{first[0]}", f"{name}.{last[0]}")
        border = (nir.Input, nir.Output)
        nodes |= {f"{name}.{key}": item for key, item in inner.nodes.items() if not isinstance(item, border)}
        edges += [
            (f"{name}.{a}", f"{name}.{b}")
            for a, b in inner.edges
            if kinds[a] is not nir.Input and kinds[b] is not nir.Output
        ]
    edges += [(ends[a][1], ends[b][0]) for a, b in graph.edges]
    return nir.NIRGraph(nodes=nodes, edges=edges)


def in_data_time(graph: nir.NIRGraph, convention: Convention, *, step: float) -> nir.NIRGraph:
    """Return the same network in the data's time, with a readout that does not spike.

    Neurons without synaptic current become neurons whose current lasts one step, which under ``euler`` is the
    same. The last population loses its threshold: its membrane is the readout.

    Parameters
    ----------
    graph
        A flat graph.
    convention
        How its framework counts.
    step
        Length of a step in seconds of the data's time.

    Raises
    ------
    InputError
        If neurons without synaptic current are to be computed ``exact``.
    """
    scale = step / convention.step
    integral = convention.step if convention.spike == "held" else 1.0
    last = {a for a, b in graph.edges if isinstance(graph.nodes[b], nir.Output)}
    nodes: dict[str, nir.NIRNode] = {}
    for name, node in graph.nodes.items():
        if isinstance(node, nir.LIF | nir.LI | nir.CubaLIF | nir.CubaLI):
            nodes[name] = _population(name, node, convention, scale, integral, spiking=name not in last)
        elif isinstance(node, nir.Affine):
            nodes[name] = nir.Affine(np.asarray(node.weight), np.asarray(node.bias) / (scale * integral))
        else:
            nodes[name] = node
    return nir.NIRGraph(nodes=nodes, edges=list(graph.edges))


def for_framework(graph: nir.NIRGraph, convention: Convention, *, step: float) -> nir.NIRGraph:
    """Return a network in the data's time as a framework that takes Euler steps and holds spikes wants it.

    Step for step the framework then does what exact exponentials do: a decay of alpha becomes the time
    constant step/(1 - alpha). What a spike lifts the membrane by goes into the weights, so that resistance
    and input weight are what every framework expects of itself. A readout becomes a population whose
    threshold is out of reach, as frameworks have no other.

    Parameters
    ----------
    graph
        A network of hearspike: a chain, in which a spike is an impulse of 1.
    convention
        ``held`` and ``euler``, with the framework's step.
    step
        Length of a step in seconds of the data's time.

    Raises
    ------
    InputError
        If the convention is another, or the graph has biases.
    """
    if (convention.spike, convention.scheme) != ("held", "euler"):
        raise InputError("convention", f"{convention.spike}, {convention.scheme}", "held, euler")
    nodes: dict[str, nir.NIRNode] = {}
    edges: list[tuple[str, str]] = []
    layers = read_layers(graph)
    nodes["input"] = nir.Input({"input": np.array([layers[0].weight.shape[1]])})
    before = "input"
    for layer in layers:
        if layer.bias.any():
            raise InputError(f"node {layer.name!r}", "a bias", "none")
        alpha, beta = np.exp(-step / layer.tau_syn), np.exp(-step / layer.tau_mem)
        tau_syn, tau_mem = convention.step / (1.0 - alpha), convention.step / (1.0 - beta)
        rise = exact_rise(step, layer.tau_mem, layer.tau_syn)
        lift = (layer.resistance * rise / (layer.tau_syn * layer.tau_mem))[:, np.newaxis]
        threshold = np.full(layer.size, OUT_OF_REACH) if layer.threshold is None else layer.threshold
        nodes[f"{layer.name}_weights"] = nir.Linear(layer.weight * lift)
        nodes[layer.name] = nir.CubaLIF(
            tau_mem=tau_mem,
            tau_syn=tau_syn,
            r=tau_mem / convention.step,
            w_in=tau_syn / convention.step,
            v_leak=layer.leak.copy(),
            v_threshold=np.array(threshold),
            v_reset=np.zeros(layer.size) if layer.reset is None else layer.reset.copy(),
        )
        edges += [(before, f"{layer.name}_weights"), (f"{layer.name}_weights", layer.name)]
        if layer.recurrent is not None:
            nodes[f"{layer.name}_recurrent"] = nir.Linear(layer.recurrent * lift)
            edges += [(layer.name, f"{layer.name}_recurrent"), (f"{layer.name}_recurrent", layer.name)]
        before = layer.name
    nodes["output"] = nir.Output({"output": np.array([layers[-1].size])})
    return nir.NIRGraph(nodes=nodes, edges=[*edges, (before, "output")])


def _population(
    name: str,
    node: Any,  # noqa: ANN401  # NIR's nodes are untyped
    convention: Convention,
    scale: float,
    integral: float,
    *,
    spiking: bool,
) -> nir.NIRNode:
    if isinstance(node, nir.LIF | nir.LI):
        if convention.scheme == "exact":
            expected = "a current-based one, or the euler scheme"
            raise InputError(f"node {name!r}", "a neuron without synaptic current", expected)
        tau_mem = np.atleast_1d(np.asarray(node.tau, np.float64))
        tau_syn, drive = np.full_like(tau_mem, convention.step), np.ones_like(tau_mem)
    else:
        tau_mem, tau_syn, drive = (
            np.atleast_1d(np.asarray(value, np.float64)) for value in (node.tau_mem, node.tau_syn, node.w_in)
        )
    constants = {
        "tau_mem": tau_mem * scale,
        "tau_syn": tau_syn * scale,
        "w_in": drive * scale * integral,
        "r": np.atleast_1d(np.asarray(node.r, np.float64)),
        "v_leak": np.atleast_1d(np.asarray(node.v_leak, np.float64)),
    }
    if not (spiking and isinstance(node, nir.LIF | nir.CubaLIF)):
        return nir.CubaLI(**_equal_lengths(constants))
    constants["v_threshold"] = np.atleast_1d(np.asarray(node.v_threshold, np.float64))
    reset = node.v_reset if node.v_reset is not None else np.zeros(1)
    constants["v_reset"] = np.atleast_1d(np.asarray(reset, np.float64))
    return nir.CubaLIF(**_equal_lengths(constants))


def _equal_lengths(constants: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    size = max(len(value) for value in constants.values())
    return {name: np.broadcast_to(value, (size,)).copy() for name, value in constants.items()}
