"""Circuits for neurons: all different, and never one that was given up."""

from collections.abc import Callable

import nir
import numpy as np
import pytest

from hearspike.emulator import BSS2, ChipProfile, Noise, Variation, draw_chips, place
from hearspike.emulator.assignment import assign_circuits
from hearspike.emulator.dynamics import step_constants
from hearspike.errors import InputError

Chain = Callable[..., nir.NIRGraph]
ALL = np.ones((2, BSS2.circuits), bool)


def test_every_neuron_has_its_own_circuits(chain: Chain) -> None:
    """700 inputs take three pairs for each of 70 neurons; 20 readouts of 70 sources take one each."""
    placement = place(chain(np.ones((70, 700)), np.ones((20, 70))), time_scale=1000)
    assignment = assign_circuits(placement, ALL)
    np.testing.assert_array_equal(assignment.first_pair[1, :70], 3 * np.arange(70))
    np.testing.assert_array_equal(assignment.first_pair[1, 70:], 210 + np.arange(20))
    np.testing.assert_array_equal(assignment.lead, assignment.first_pair)


def test_circuits_that_were_given_up_are_avoided_on_each_chip_by_itself(chain: Chain) -> None:
    placement = place(chain(np.ones((186, 70)), np.ones((20, 186))), time_scale=1000)
    usable = ALL.copy()
    usable[0, [3, 7, 7 + 256]] = False  # one circuit of pair 3, both of pair 7
    assignment = assign_circuits(placement, usable)
    assert assignment.lead[0, 3] == 3 + 256
    assert assignment.first_pair[0, 7] == 8
    np.testing.assert_array_equal(assignment.lead[1], np.arange(206))
    for chip in range(2):
        assert usable[chip, assignment.lead[chip]].all()
        assert len(np.unique(assignment.first_pair[chip])) == 206


def test_a_chip_with_too_few_usable_circuits_is_refused_by_number(chain: Chain) -> None:
    usable = ALL.copy()
    usable[1, [5, 261]] = False
    placement = place(chain(np.ones((246, 256)), np.ones((10, 246))), time_scale=1000)
    message = (
        r"chip 1: got circuits for 255 neurons \(2 circuits are unusable\), expected circuits for .* 256"
    )
    with pytest.raises(InputError, match=message):
        assign_circuits(placement, usable)


def test_synapses_of_a_wide_neuron_lie_on_the_columns_of_its_own_pairs(chain: Chain) -> None:
    """Signed input 299 of neuron 1: row pair 43 of its second circuit pair, which is number 3 of the chip."""
    profile = ChipProfile(name="synapses", variation=Variation(synapse=0.1), noise=Noise())
    chips = draw_chips(profile, chips=2, seed=0)
    placement = place(chain(np.ones((2, 300)), np.ones((1, 2))), time_scale=1000)
    weights = step_constants(placement, chips, step=0.5e-6, noise_seed=0).weights
    np.testing.assert_array_equal(weights[:, 299, 1], 63 * chips.synapse[:, 0, 43, 3])
    np.testing.assert_array_equal(weights[:, 10, 0], 63 * chips.synapse[:, 0, 10, 0])
    np.testing.assert_array_equal(weights[:, 301, 2], 63 * chips.synapse[:, 0, 1, 4])
