"""Networks larger than a chip: the same answers in several runs, whose times add up."""

from collections.abc import Callable
from dataclasses import replace

import nir
import numpy as np
import pytest
from numpy.typing import NDArray

from hearspike.emulator import BSS2, ChipProfile, count_runs, cut, draw_chips, emulate, emulate_runs, place
from hearspike.errors import InputError

Chain = Callable[..., nir.NIRGraph]
SMALL = replace(BSS2, circuits=16, circuits_per_neuron=2)
"""A chip of eight circuit pairs."""


def with_full_codes(generator: np.random.Generator, neurons: int, sources: int) -> NDArray[np.float64]:
    """Return weights of whole codes with a largest code in every row, so that every group has one scale."""
    codes = generator.integers(-25, 64, (neurons, sources))
    codes[:, 0] = 63
    return codes / 40.0


def test_runs_give_what_one_chip_gives(chain: Chain, ideal: ChipProfile) -> None:
    """12 and 9 neurons in groups of 6 and 5 or 4 on a small chip, and at once on an ordinary one."""
    generator = np.random.default_rng(2)
    graph = chain(
        with_full_codes(generator, 12, 10),
        with_full_codes(generator, 9, 12),
        with_full_codes(generator, 3, 9) / 4,
    )
    times, units = generator.uniform(0, 0.09, 1200), generator.integers(0, 10, 1200)
    offsets = 30 * np.arange(41)  # more samples than are run at once
    whole = emulate(
        place(graph, time_scale=1000),
        draw_chips(ideal, chips=1, seed=0),
        times,
        units,
        offsets,
        duration=0.1,
        noise_seed=0,
    )
    schedule = cut(graph, SMALL, time_scale=1000)
    assert [len(groups) for groups in schedule.layers] == [2, 2, 1]
    shown = emulate_runs(
        schedule,
        draw_chips(ideal, SMALL, chips=1, seed=0),
        times,
        units,
        offsets,
        duration=0.1,
        noise_seed=0,
    )
    np.testing.assert_array_equal(shown.cadc, whole.cadc)
    for name, spikes in whole.layer_spikes.items():
        assert spikes.sum() > 100
        np.testing.assert_array_equal(shown.layer_spikes[name], spikes)
    np.testing.assert_array_equal(shown.decide("maximum"), whole.decide("maximum"))
    assert shown.time_on_chip == pytest.approx(5 * whole.time_on_chip)
    assert shown.activity.spikes == pytest.approx(whole.activity.spikes)
    assert shown.activity.synaptic_events == pytest.approx(whole.activity.synaptic_events, rel=0.2)
    late = shown.decision_times("maximum") - whole.decision_times("maximum")
    np.testing.assert_allclose(late, 4 * whole.time_on_chip)


def test_a_recurrent_layer_is_one_run_or_refused_with_the_budget(chain: Chain) -> None:
    assert count_runs(inputs=10, layers=[100, 5], recurrent=True) == 2
    message = (
        r"network: got a recurrent layer of 128 × 4 = 512 circuit pairs \(828 signed inputs\), expected "
        r"at most 255 circuit pairs, since it cannot be cut into several runs"
    )
    with pytest.raises(InputError, match=message):
        count_runs(inputs=700, layers=[128, 20], recurrent=True)
    with pytest.raises(InputError, match="a recurrent layer of 200 × 2"):
        cut(chain(np.ones((200, 100)), np.ones((2, 200)), recurrent=[np.ones((200, 200))]), time_scale=1000)


def test_a_readout_larger_than_a_chip_is_refused() -> None:
    with pytest.raises(InputError, match=r"a readout of 300 circuit pairs \(100 signed inputs\)"):
        count_runs(inputs=10, layers=[100, 300], recurrent=False)


def test_each_chip_runs_by_itself(chain: Chain, ideal: ChipProfile) -> None:
    schedule = cut(chain(np.ones((3, 2)), np.ones((2, 3))), time_scale=1000)
    with pytest.raises(InputError, match="chip: got 2 chips, expected one chip"):
        emulate_runs(schedule, draw_chips(ideal, chips=2, seed=0), [], [], [0, 0], duration=0.1, noise_seed=0)
