"""Read a NIR graph as a chain of layers, refusing what the chip cannot do."""

from dataclasses import dataclass

import nir
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hearspike.errors import InputError

Array = NDArray[np.float64]

STRUCTURE = "Input → Linear → CubaLIF [→ Linear → the same CubaLIF] → … → Linear → CubaLI → Output"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One population of neurons with all synapses onto it, in the network's own units.

    The equations are NIR's: tau_syn dI/dt = −I + w_in x, tau_mem dv/dt = v_leak − v + r I, where x is the
    weighted input; a spike when v exceeds v_threshold sets v to v_reset.

    Parameters
    ----------
    name
        Name of the neuron node.
    weight
        Synapses from the layer before, with w_in in it [neuron, source].
    recurrent
        Synapses within the layer, with w_in in it [neuron, neuron], or None.
    bias
        Constant input, with w_in in it [neuron].
    tau_mem, tau_syn
        Time constants [neuron, s of network time].
    resistance, leak
        r and v_leak [neuron].
    threshold, reset
        v_threshold and v_reset [neuron]; None for a readout, which does not spike.
    """

    name: str
    weight: Array
    recurrent: Array | None
    bias: Array
    tau_mem: Array
    tau_syn: Array
    resistance: Array
    leak: Array
    threshold: Array | None
    reset: Array | None

    @property
    def size(self) -> int:
        """Number of neurons."""
        return len(self.weight)


def read_layers(graph: nir.NIRGraph) -> list[Layer]:
    """Return the layers of a network from input to readout.

    Parameters
    ----------
    graph
        A chain ``Input → Linear → CubaLIF → … → Linear → CubaLI → Output``; a CubaLIF may feed itself
        through a Linear, and an Affine may stand for any Linear.

    Returns
    -------
    list of Layer
        The spiking layers in order, then the readout.

    Raises
    ------
    InputError
        Naming the node that is of another kind, wired otherwise, or holds values that are not finite or out
        of their domain.
    """
    for name, node in graph.nodes.items():
        if not isinstance(node, nir.Input | nir.Output | nir.Linear | nir.Affine | nir.CubaLIF | nir.CubaLI):
            raise InputError(f"node {name!r}", type(node).__name__, f"a network of the form {STRUCTURE}")
    successors: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for source, target in dict.fromkeys(tuple(edge) for edge in graph.edges):
        successors[source].append(target)

    inputs = [name for name, node in graph.nodes.items() if isinstance(node, nir.Input)]
    if len(inputs) != 1:
        raise InputError("network", f"{len(inputs)} Input nodes", "one Input node")
    current, sources = inputs[0], int(np.prod(graph.nodes[inputs[0]].input_type["input"]))
    layers: list[Layer] = []
    visited = {current}
    while not (layers and layers[-1].threshold is None):
        synapses = _onward(graph, successors, current, visited)
        population = _only(graph, successors[synapses], after=synapses, kinds=(nir.CubaLIF, nir.CubaLI))
        loops = [name for name in successors[population] if successors[name] == [population]]
        if len(loops) > 1:
            raise InputError(f"node {population!r}", f"recurrent synapses {loops}", "at most one such node")
        visited.update((synapses, population, *loops))
        layers.append(_read_layer(graph, synapses, population, loops[0] if loops else None, sources))
        current, sources = population, layers[-1].size
    outputs = [_only(graph, successors[current], after=current, kinds=(nir.Output,))]
    unreached = set(graph.nodes) - visited - set(outputs)
    if unreached:
        raise InputError(f"node {min(unreached)!r}", "a node beside the chain", f"the form {STRUCTURE}")
    return layers


def _onward(graph: nir.NIRGraph, successors: dict[str, list[str]], current: str, visited: set[str]) -> str:
    """Return the Linear or Affine node that leads from ``current`` to the next population."""
    onward = [name for name in successors[current] if name not in visited]
    return _only(graph, onward, after=current, kinds=(nir.Linear, nir.Affine))


def _only(graph: nir.NIRGraph, names: list[str], *, after: str, kinds: tuple[type, ...]) -> str:
    expected = " or ".join(kind.__name__ for kind in kinds)
    if len(names) != 1 or not isinstance(graph.nodes[names[0]], kinds):
        found = ", ".join(f"{name!r} ({type(graph.nodes[name]).__name__})" for name in names) or "nothing"
        raise InputError(f"after node {after!r}", found, f"one {expected} node ({STRUCTURE})")
    return names[0]


def _read_layer(
    graph: nir.NIRGraph, synapses: str, population: str, recurrence: str | None, sources: int
) -> Layer:
    node = graph.nodes[population]
    weight = _weight(graph, synapses, columns=sources)
    size = len(weight)

    def values(field: str, *, positive: bool = False) -> Array:
        return _per_neuron(getattr(node, field), size, f"node {population!r}: {field}", positive=positive)

    bias = _bias(graph, synapses, size)
    recurrent = None
    if recurrence is not None:
        recurrent = _weight(graph, recurrence, columns=size, rows=size)
        bias = bias + _bias(graph, recurrence, size)
    spiking = isinstance(node, nir.CubaLIF)
    input_weight, leak = values("w_in"), values("v_leak")
    threshold = values("v_threshold") if spiking else None
    reset = values("v_reset") if spiking else None
    if threshold is not None and reset is not None:
        for field, value in (("v_leak", leak), ("v_reset", reset)):
            if (value >= threshold).any():
                at = int(np.argmax(value >= threshold))
                raise InputError(f"node {population!r}: {field}[{at}]", float(value[at]), "below v_threshold")
    return Layer(
        name=population,
        weight=weight * input_weight[:, None],
        recurrent=None if recurrent is None else recurrent * input_weight[:, None],
        bias=bias * input_weight,
        tau_mem=values("tau_mem", positive=True),
        tau_syn=values("tau_syn", positive=True),
        resistance=values("r", positive=True),
        leak=leak,
        threshold=threshold,
        reset=reset,
    )


def _weight(graph: nir.NIRGraph, name: str, *, columns: int, rows: int | None = None) -> Array:
    node = graph.nodes[name]
    weight = np.asarray(node.weight, np.float64)
    if weight.ndim != 2 or weight.shape[1] != columns or (rows is not None and weight.shape[0] != rows):
        expected = f"[{'neurons' if rows is None else rows}, {columns}]"
        raise InputError(f"node {name!r}: weight", f"shape {list(weight.shape)}", expected)
    _refuse_not_finite(weight, f"node {name!r}: weight")
    return weight


def _bias(graph: nir.NIRGraph, name: str, size: int) -> Array:
    node = graph.nodes[name]
    if isinstance(node, nir.Linear):
        return np.zeros(size)
    return _per_neuron(node.bias, size, f"node {name!r}: bias")


def _per_neuron(value: ArrayLike, size: int, subject: str, *, positive: bool = False) -> Array:
    values = np.asarray(value, np.float64).reshape(-1)
    if values.size not in (1, size):
        raise InputError(subject, f"{values.size} values", f"one value or {size}, one per neuron")
    _refuse_not_finite(values, subject)
    if positive and (values <= 0).any():
        raise InputError(subject, float(values.min()), "values above 0")
    return np.broadcast_to(values, size)


def _refuse_not_finite(values: Array, subject: str) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        at = [int(k) for k in np.argwhere(~finite)[0]]
        raise InputError(f"{subject}{at}", float(values[tuple(at)]), "a finite number")
