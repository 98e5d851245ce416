"""NIR graphs are read as chains of layers, and everything else is refused by name."""

from typing import Any

import nir
import numpy as np
import pytest
from numpy.typing import NDArray

from hearspike.emulator.network import read_layers
from hearspike.errors import InputError


def values(count: int, **changes: Any) -> dict[str, NDArray[np.float64]]:
    one = np.ones(count)
    return {"tau_syn": 5e-3 * one, "tau_mem": 10e-3 * one, "r": one, "v_leak": 0 * one, **changes}


def spiking(count: int, **changes: Any) -> nir.CubaLIF:
    return nir.CubaLIF(**{**values(count), "v_threshold": np.ones(count), **changes})


def source(count: int) -> nir.Input:
    return nir.Input({"input": np.array([count])})


def sink(count: int) -> nir.Output:
    return nir.Output({"output": np.array([count])})


def graph(edges: str, **nodes: Any) -> nir.NIRGraph:
    pairs = [tuple(edge.split(">")) for edge in edges.split()]
    return nir.NIRGraph(nodes, pairs, type_check=False)


ORDINARY = "input>a a>hidden hidden>b b>readout readout>output"


def ordinary(**changes: Any) -> dict[str, Any]:
    return {
        "input": source(3),
        "a": nir.Linear(np.ones((4, 3))),
        "hidden": spiking(4),
        "b": nir.Linear(np.ones((2, 4))),
        "readout": nir.CubaLI(**values(2)),
        "output": sink(2),
        **changes,
    }


def test_layers_come_in_the_order_of_the_chain_whatever_the_order_of_the_nodes() -> None:
    nodes = dict(reversed(ordinary().items()))
    hidden, readout = read_layers(graph(" ".join(reversed(ORDINARY.split())), **nodes))
    assert (hidden.name, hidden.weight.shape) == ("hidden", (4, 3))
    assert (readout.name, readout.weight.shape, readout.threshold) == ("readout", (2, 4), None)


def test_recurrence_and_depth_are_read() -> None:
    nodes = ordinary(loop=nir.Linear(2 * np.ones((4, 4))), c=nir.Linear(np.ones((5, 4))), second=spiking(5))
    nodes["b"] = nir.Linear(np.ones((2, 5)))
    edges = "input>a a>hidden hidden>loop loop>hidden hidden>c c>second second>b b>readout readout>output"
    layers = read_layers(graph(edges, **nodes))
    assert [layer.name for layer in layers] == ["hidden", "second", "readout"]
    assert layers[0].recurrent is not None
    np.testing.assert_array_equal(layers[0].recurrent, 2.0)
    assert layers[1].recurrent is None


def test_input_weight_of_the_neuron_multiplies_synapses_and_bias() -> None:
    nodes = ordinary(
        a=nir.Affine(np.ones((4, 3)), np.arange(4.0)), hidden=spiking(4, w_in=np.array([1.0, 2, 3, 4]))
    )
    hidden = read_layers(graph(ORDINARY, **nodes))[0]
    np.testing.assert_array_equal(hidden.weight[:, 0], [1, 2, 3, 4])
    np.testing.assert_array_equal(hidden.bias, [0, 2, 6, 12])


def test_graph_survives_a_round_trip_through_a_nir_file(tmp_path: Any, deep_network: nir.NIRGraph) -> None:
    nir.write(tmp_path / "network.nir", deep_network)
    before, after = read_layers(deep_network), read_layers(nir.read(tmp_path / "network.nir"))
    assert [layer.name for layer in before] == [layer.name for layer in after]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(one.weight, other.weight, rtol=1e-6)  # files may hold float32


NOT_FINITE = np.ones((4, 3))
NOT_FINITE[2, 1] = np.nan
REFUSED = {
    "another neuron": (
        ORDINARY,
        ordinary(hidden=nir.LIF(*(np.ones(4) for _ in range(4)))),
        "node 'hidden': got LIF, expected a network of the form Input → Linear → CubaLIF",
    ),
    "no readout": (
        "input>a a>hidden hidden>output",
        {k: v for k, v in ordinary(output=sink(4)).items() if k not in ("b", "readout")},
        r"after node 'hidden': got 'output' \(Output\), expected one Linear or Affine node",
    ),
    "two inputs": (
        ORDINARY,
        ordinary(other=source(1)),
        "network: got 2 Input nodes, expected one Input node",
    ),
    "a branch": (
        ORDINARY + " hidden>c c>readout",
        ordinary(c=nir.Linear(np.ones((2, 4)))),
        r"after node 'hidden': got 'b' \(Linear\), 'c' \(Linear\), expected one Linear or Affine",
    ),
    "a node beside": (
        ORDINARY,
        ordinary(c=nir.Linear(np.ones((2, 4)))),
        "node 'c': got a node beside the chain",
    ),
    "synapses to a synapse": (
        "input>a a>c c>hidden hidden>b b>readout readout>output",
        ordinary(c=nir.Linear(np.ones((4, 4)))),
        r"after node 'a': got 'c' \(Linear\), expected one CubaLIF or CubaLI node",
    ),
    "feedback from a later layer": (
        ORDINARY + " readout>c c>hidden",
        ordinary(c=nir.Linear(np.ones((4, 2)))),
        r"after node 'readout': got 'output' \(Output\), 'c' \(Linear\), expected one Output node",
    ),
    "two loops": (
        ORDINARY + " hidden>c c>hidden hidden>d d>hidden",
        ordinary(c=nir.Linear(np.ones((4, 4))), d=nir.Linear(np.ones((4, 4)))),
        r"node 'hidden': got recurrent synapses \['c', 'd'\], expected at most one",
    ),
    "NaN weight": (
        ORDINARY,
        ordinary(a=nir.Linear(NOT_FINITE)),
        r"node 'a': weight\[2, 1\]: got nan, expected a finite number",
    ),
    "NaN bias": (
        ORDINARY,
        ordinary(a=nir.Affine(np.ones((4, 3)), np.array([0, np.inf, 0, 0]))),
        r"node 'a': bias\[1\]: got inf, expected a finite number",
    ),
    "shape": (
        ORDINARY,
        ordinary(b=nir.Linear(np.ones((2, 5)))),
        r"node 'b': weight: got shape \[2, 5\], expected \[neurons, 4\]",
    ),
    "size": (
        ORDINARY,
        ordinary(hidden=spiking(3)),
        "node 'hidden': .*: got 3 values, expected one value or 4",
    ),
    "time constant": (
        ORDINARY,
        ordinary(hidden=spiking(4, tau_mem=np.array([1.0, 1.0, 0.0, 1.0]))),
        "node 'hidden': tau_mem: got 0.0, expected values above 0",
    ),
    "threshold": (
        ORDINARY,
        ordinary(hidden=spiking(4, v_threshold=np.array([1.0, -1.0, 1.0, 1.0]))),
        r"node 'hidden': v_leak\[1\]: got 0.0, expected below v_threshold",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_chain_or_holds_wrong_values_is_refused_by_name(case: str) -> None:
    edges, nodes, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        read_layers(graph(edges, **nodes))
