"""The readout's gain is set from the codes that it shows."""

from collections.abc import Callable
from typing import Any

import nir
import numpy as np
import pytest

from hearspike.emulator import ChipProfile, draw_chips, emulate, fit_readout, place
from hearspike.errors import InputError

Chain = Callable[..., nir.NIRGraph]
RUN: dict[str, Any] = {"duration": 0.1, "noise_seed": 0}


@pytest.mark.parametrize("strength", [0.001, 1.0, 3000.0])
def test_any_strength_of_readout_comes_to_fill_the_converter(
    chain: Chain, everything: ChipProfile, strength: float
) -> None:
    """Up to 0.8 of the codes from rest to the nearer end, give or take the last change of at most 2."""
    generator = np.random.default_rng(3)
    placement = place(chain(strength * generator.normal(size=(6, 8))), time_scale=1000)
    chips = draw_chips(everything, chips=3, seed=0)
    events = generator.uniform(0, 0.1, 400), generator.integers(0, 8, 400), np.arange(0, 401, 40)
    fitted = fit_readout(placement, chips, *events, **RUN)
    shown = emulate(fitted, chips, *events, **RUN)
    assert (shown.saturated <= 1e-3).all()
    rest = shown.rest[:, None, None, :]
    used = max(((shown.cadc - rest) / (255 - rest)).max(), ((rest - shown.cadc) / rest).max())
    assert 0.4 < used <= 1.0
    np.testing.assert_array_equal(fitted.layers[-1].weights, placement.layers[-1].weights)


@pytest.mark.parametrize("profile", ["ideal", "everything"])
def test_a_readout_that_nothing_moves_cannot_be_set(
    chain: Chain, profile: str, request: pytest.FixtureRequest
) -> None:
    placement = place(chain(np.ones((2, 3))), time_scale=1000)
    chips = draw_chips(request.getfixturevalue(profile), chips=1, seed=0)
    with pytest.raises(InputError, match=r"samples: got a readout that uses .*, expected samples that move"):
        fit_readout(placement, chips, [], [], [0, 0], **RUN)
