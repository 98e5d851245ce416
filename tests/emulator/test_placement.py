"""A network on the chip: budget, codes, potentials and times."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import nir
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hearspike.emulator import BSS2, check_budget, place
from hearspike.errors import InputError

Chain = Callable[..., nir.NIRGraph]

FITS = [
    (256, [246, 10], False),  # MNIST of Cramer et al. 2022
    (70, [186, 20], True),  # SHD of the same: fills rows, and 206 of 256 neurons
    (256, [10], False),
    (4, [120, 3], False),
    (128, [128, 128], True),
    (100, [100, 100, 20], [True, False]),
    (257, [123, 10], False),  # two circuit pairs for each hidden neuron
    (700, [78, 20], False),
    (700, [58, 20], True),
]
DOES_NOT_FIT = [
    (
        700,
        [128, 20],
        True,
        r"got 128 neurons × 4 pairs \(700 inputs \+ 128 recurrent = 828 signed inputs\) \+ "
        r"20 neurons × 1 pair = 532 circuit pairs, expected at most 256 circuit pairs of 256 signed inputs "
        r"each \(one chip\)",
    ),
    (257, [124, 10], False, r"got 124 neurons × 2 pairs \(257 inputs\) [+] 10 neurons × 1 pair = 258 "),
    (71, [186, 20], True, r".*\(71 inputs [+] 186 recurrent = 257 signed inputs"),
    (256, [247, 10], False, "got 247 neurons × 1 pair [+] 10 neurons × 1 pair = 257 circuit pairs"),
    (10, [100, 157, 20], [False, True], r".*\(100 neurons before [+] 157 recurrent = 257 signed inputs"),
]


@pytest.mark.parametrize(("inputs", "layers", "recurrent"), FITS)
def test_published_and_full_shapes_fit(inputs: int, layers: list[int], recurrent: bool | list[bool]) -> None:
    check_budget(inputs=inputs, layers=layers, recurrent=recurrent)


@pytest.mark.parametrize(("inputs", "layers", "recurrent", "message"), DOES_NOT_FIT)
def test_one_more_than_the_chip_holds_is_refused_with_the_budget(
    inputs: int, layers: list[int], recurrent: bool | list[bool], message: str
) -> None:
    with pytest.raises(InputError, match="network: " + message):
        check_budget(inputs=inputs, layers=layers, recurrent=recurrent)


def test_placing_refuses_what_the_budget_refuses(chain: Chain) -> None:
    graph = chain(np.ones((128, 700)), np.ones((20, 128)), recurrent=[np.ones((128, 128))])
    with pytest.raises(InputError, match=r"700 inputs \+ 128 recurrent = 828 signed inputs"):
        place(graph, BSS2, time_scale=1000)


weight_matrices = arrays(np.float64, (3, 5), elements=st.floats(-10, 10, width=32))


@settings(max_examples=50, deadline=None)
@given(weights=weight_matrices, loop=arrays(np.float64, (3, 3), elements=st.floats(-10, 10, width=32)))
def test_codes_times_scale_are_the_weights_to_half_a_code(
    chain: Chain, weights: np.ndarray, loop: np.ndarray
) -> None:
    """Input and recurrent weights of a layer share one scale; signs are kept; the largest code is 63."""
    layer = place(chain(weights, np.ones((2, 3)), recurrent=[loop]), time_scale=1000).layers[0]
    jumps = np.vstack([weights.T, loop.T])
    assert np.abs(layer.weights / layer.scale - jumps).max() <= 0.5 / layer.scale * (1 + 1e-9)
    assert (np.sign(layer.weights) * np.sign(jumps) >= 0).all()
    assert layer.clipped_share == 0
    if np.abs(jumps).max() > 0:
        assert np.abs(layer.weights).max() == 63


def test_a_share_of_the_weights_is_clipped_for_a_finer_resolution(chain: Chain) -> None:
    weights = np.ones((10, 10))
    weights[0, 0] = -100.0
    coarse = place(chain(weights, np.ones((2, 10))), time_scale=1000).layers[0]
    fine = place(chain(weights, np.ones((2, 10))), time_scale=1000, clipped_share=0.02).layers[0]
    assert coarse.weights[1, 1] == 1  # 63 / 100 rounded
    assert fine.weights[1, 1] == 63
    assert fine.weights[0, 0] == -63
    assert fine.clipped_share == pytest.approx(0.01)


def test_units_of_the_network_do_not_matter(chain: Chain) -> None:
    """Scaling all potentials, or time with time_scale, places the same network."""
    generator = np.random.default_rng(1)
    first, last = generator.normal(size=(6, 4)), generator.normal(size=(2, 6))
    plain = place(chain(first, last, v_reset=-0.2), time_scale=1000)
    shifted = place(chain(10 * first, last, v_leak=-65.0, v_threshold=-55.0, v_reset=-67.0), time_scale=1000)
    slower = place(chain(first, last, v_reset=-0.2, tau_mem=20e-3, tau_syn=10e-3), time_scale=2000)
    for other in (shifted, slower):
        for one, two in zip(plain.layers, other.layers, strict=True):
            np.testing.assert_array_equal(one.weights, two.weights)
            np.testing.assert_allclose(one.tau_mem, two.tau_mem)
            np.testing.assert_allclose(one.tau_syn, two.tau_syn)
    assert plain.layers[0].reset is not None
    assert shifted.layers[0].reset is not None
    np.testing.assert_allclose(plain.layers[0].reset, shifted.layers[0].reset)


def test_a_bias_is_a_shifted_leak(chain: Chain) -> None:
    graph = chain(np.ones((2, 3)), np.ones((2, 2)), bias=[np.array([0.5, -0.25])])
    np.testing.assert_allclose(place(graph, time_scale=1000).layers[0].leak, [0.5, -0.25])


def test_another_readout_unit_is_as_placing_with_it(chain: Chain) -> None:
    graph = chain(np.ones((4, 3)), np.arange(8.0).reshape(2, 4), bias=[None, np.array([0.1, -0.1])])
    changed = place(graph, time_scale=1000).with_readout_unit(3.0)
    direct = place(graph, time_scale=1000, readout_unit=3.0)
    assert changed.layers[-1].scale == pytest.approx(direct.layers[-1].scale)
    np.testing.assert_allclose(changed.layers[-1].leak, direct.layers[-1].leak)
    np.testing.assert_array_equal(changed.layers[-1].weights, direct.layers[-1].weights)


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "tau_mem too long": ({"tau_mem": 61e-3}, {}, "'hidden_0': tau_mem: got 6.1e-05, expected 5e-07 to 6e-05"),
    "tau_mem too short": ({"tau_mem": 0.4e-3}, {}, "'hidden_0': tau_mem: got 4e-07"),
    "tau_syn too long": ({"tau_syn": 31e-3}, {}, "'hidden_0': tau_syn: got 3.1e-05, expected 3e-07 to 3e-05"),
    "reset too low": (
        {"v_reset": -0.5},
        {},
        "v_reset, as a potential on the chip: got 45, expected 50 to 160",
    ),
    "bias too high": (
        {"bias": [np.array([2.0, 0.0])]},
        {},
        "bias, as a potential on the chip: got 220, expected 50 to 160 converter codes",
    ),
    "time scale": ({}, {"time_scale": 0.0}, "time_scale: got 0.0, expected a finite number above 0"),
    "refractory period": ({}, {"refractory_period": 1e-3}, "refractory_period: got 0.001, expected 4e-08 to"),
    "readout unit": ({}, {"readout_unit": -1.0}, "readout_unit: got -1.0"),
    "clipped share": ({}, {"clipped_share": 1.0}, "clipped_share: got 1.0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_chip_cannot_be_set_to_is_refused(chain: Chain, case: str) -> None:
    network, options, message = REFUSED[case]
    graph = chain(np.ones((2, 3)), np.ones((2, 2)), **network)
    with pytest.raises(InputError, match=message):
        place(graph, **{"time_scale": 1000, **options})


def test_the_ends_of_a_range_are_within_it(chain: Chain) -> None:
    for tau in (0.5e-6, 60e-6):
        place(chain(np.ones((2, 3)), np.ones((2, 2)), tau_mem=tau * 2000), time_scale=2000)


def test_codes_beyond_six_bits_are_refused(chain: Chain) -> None:
    layer = place(chain(np.ones((2, 3)), np.ones((2, 2))), time_scale=1000).layers[0]
    codes = layer.weights.copy()
    codes[2, 1] = -64
    with pytest.raises(
        InputError, match=r"weights of layer 'hidden_0'\[2, 1\]: got -64, expected codes of −63 to 63"
    ):
        replace(layer, weights=codes)
