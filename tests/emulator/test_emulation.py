"""Runs of whole networks: one result whatever the implementation, batch, population or thread count."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import nir
import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from hearspike.emulator import (
    Activity,
    ChipProfile,
    Emulation,
    FixedPattern,
    Links,
    Noise,
    Placement,
    Variation,
    draw_chips,
    emulate,
    place,
)
from hearspike.errors import InputError

Chain = Callable[..., nir.NIRGraph]
Events = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]
RUN: dict[str, Any] = {"duration": 0.1, "noise_seed": 11, "record": "all"}


@pytest.fixture(scope="module")
def placement(deep_network: nir.NIRGraph) -> Placement:
    return place(deep_network, time_scale=1000)


@pytest.fixture(scope="module")
def chips(everything: ChipProfile) -> FixedPattern:
    return draw_chips(everything, chips=3, seed=2)


@pytest.fixture(scope="module")
def shown(placement: Placement, chips: FixedPattern, some_events: Events) -> Emulation:
    return emulate(placement, chips, *some_events, **RUN)


def assert_same(one: Emulation, other: Emulation) -> None:
    np.testing.assert_array_equal(one.cadc, other.cadc)
    np.testing.assert_array_equal(one.rest, other.rest)
    assert one.spikes is not None
    assert other.spikes is not None
    np.testing.assert_array_equal(one.spikes, other.spikes)
    for layer, counts in one.layer_spikes.items():
        np.testing.assert_array_equal(counts, other.layer_spikes[layer])


def test_the_run_that_the_tests_use_is_alive(shown: Emulation) -> None:
    assert shown.layer_spikes["hidden_0"].sum() > 500
    assert shown.layer_spikes["hidden_1"].sum() > 100
    assert shown.cadc[..., -4:].std() > 3


@pytest.mark.parametrize("profile_name", ["everything", "ideal"])
def test_kernel_is_the_oracle_bit_for_bit(
    profile_name: str, request: pytest.FixtureRequest, placement: Placement, some_events: Events
) -> None:
    """Same float32 operations in the same order: no tolerance, in torch neither."""
    population = draw_chips(request.getfixturevalue(profile_name), chips=2, seed=2)
    fast, slow, parallel = (
        emulate(placement, population, *some_events, **RUN, implementation=which)
        for which in ("numba", "numpy", "torch")
    )
    assert_same(fast, slow)
    assert_same(parallel, slow)


def test_a_chip_does_the_same_in_a_population_of_any_size(
    placement: Placement, everything: ChipProfile, some_events: Events, shown: Emulation
) -> None:
    alone = emulate(placement, draw_chips(everything, chips=1, seed=2), *some_events, **RUN)
    np.testing.assert_array_equal(alone.cadc, shown.cadc[:1])
    last = emulate(placement, draw_chips(everything, chips=1, seed=2, first_chip=2), *some_events, **RUN)
    np.testing.assert_array_equal(last.cadc, shown.cadc[2:])


def test_batches_give_what_one_run_gives(
    placement: Placement, chips: FixedPattern, some_events: Events, shown: Emulation
) -> None:
    times, units, offsets = some_events
    for first, last in ((0, 3), (3, 4), (4, 7)):
        part = slice(offsets[first], offsets[last])
        batch_offsets = offsets[first : last + 1] - offsets[first]
        batch = emulate(placement, chips, times[part], units[part], batch_offsets, first_sample=first, **RUN)
        np.testing.assert_array_equal(batch.cadc, shown.cadc[:, first:last])
        np.testing.assert_array_equal(batch.rest, shown.rest)


@pytest.mark.skipif(numba.get_num_threads() < 2, reason="one processor: no second thread to compare")
def test_number_of_threads_does_not_matter(
    placement: Placement, chips: FixedPattern, some_events: Events, shown: Emulation
) -> None:
    before = numba.get_num_threads()
    try:
        for count in (1, 2):
            numba.set_num_threads(count)
            assert_same(emulate(placement, chips, *some_events, **RUN), shown)
    finally:
        numba.set_num_threads(before)


def test_neurons_that_fire_without_input_do_not_move_the_resting_code(
    chain: Chain, ideal: ChipProfile
) -> None:
    """A bias beyond the threshold makes a hidden neuron fire without end: what it causes is no offset."""
    graph = chain(np.zeros((1, 1)), np.array([[1.0], [-1.0]]), bias=[np.array([1.1])])
    chip = draw_chips(ideal, chips=1, seed=0)
    shown = emulate(place(graph, time_scale=1000), chip, [], [], [0, 0], duration=0.1, noise_seed=0)
    assert shown.layer_spikes["hidden_0"].item() > 2
    assert shown.cadc[0, 0, :, 0].max() > 85
    np.testing.assert_array_equal(shown.rest, 80.0)


def test_trials_differ_by_noise_seed_and_sample_and_chips_by_their_pattern(
    placement: Placement, chips: FixedPattern, some_events: Events, shown: Emulation
) -> None:
    other = emulate(placement, chips, *some_events, **{**RUN, "noise_seed": 12})
    assert (other.cadc != shown.cadc).mean() > 0.3
    twice = emulate(placement, chips, [], [], [0, 0, 0], **RUN)
    assert not np.array_equal(twice.cadc[:, 0], twice.cadc[:, 1])
    assert not np.array_equal(shown.cadc[0], shown.cadc[1])


MECHANISMS = [
    *(("variation", f.name) for f in fields(Variation)),
    *(("noise", f.name) for f in fields(Noise)),
]


@pytest.mark.parametrize(("kind", "name"), MECHANISMS)
def test_each_mechanism_works_alone(
    kind: str, name: str, placement: Placement, ideal: ChipProfile, some_events: Events
) -> None:
    size = {"spike_jitter": 2e-6, "cadc_lsb": 2.0, "cadc_offset_lsb": 5.0}.get(name, 0.1)
    if kind == "variation":
        profile = replace(ideal, variation=Variation(**{name: size}))
    else:
        profile = replace(ideal, noise=Noise(**{name: size}))
    plain = emulate(placement, draw_chips(ideal, chips=1, seed=2), *some_events, **RUN)
    varied = emulate(placement, draw_chips(profile, chips=1, seed=2), *some_events, **RUN)
    assert not np.array_equal(plain.cadc, varied.cadc)
    assert plain.spikes is not None
    assert varied.spikes is not None
    assert np.array_equal(plain.spikes, varied.spikes) == name.startswith("cadc")  # reading disturbs nothing


def test_ideal_chips_are_all_the_same_in_every_trial(
    placement: Placement, ideal: ChipProfile, some_events: Events
) -> None:
    one, other = (
        emulate(placement, draw_chips(ideal, chips=2, seed=seed), *some_events, **{**RUN, "noise_seed": seed})
        for seed in (1, 2)
    )
    assert_same(one, other)
    np.testing.assert_array_equal(one.cadc[0], one.cadc[1])


def test_thresholds_drift_from_batch_to_batch_and_nothing_else_does(
    placement: Placement, ideal: ChipProfile, some_events: Events
) -> None:
    """The same sample in two batches differs by the drift alone; calls may split where batches do not."""
    times, units, offsets = some_events
    twice = slice(0, offsets[1])
    events = (np.tile(times[twice], 4), np.tile(units[twice], 4), offsets[1] * np.arange(5))
    drifting = replace(ideal, noise=Noise(threshold_drift=0.1))
    for profile, same in ((ideal, True), (drifting, False)):
        chips = draw_chips(profile, chips=2, seed=2)
        shown = emulate(placement, chips, *events, samples_per_batch=2, **RUN).cadc
        np.testing.assert_array_equal(shown[:, 0], shown[:, 1])
        assert np.array_equal(shown[:, 0], shown[:, 2]) == same
        last = emulate(
            placement,
            chips,
            events[0][: offsets[1]],
            events[1][: offsets[1]],
            [0, offsets[1]],
            samples_per_batch=2,
            first_sample=3,
            **RUN,
        ).cadc
        np.testing.assert_array_equal(last[:, 0], shown[:, 3])


def test_a_batch_is_bounded_by_the_trace_memory(placement: Placement, chips: FixedPattern) -> None:
    """59 reads of 256 neurons are 15,104 bytes of 131,072: eight samples."""
    emulate(placement, chips, [], [], [0, 0], samples_per_batch=8, **RUN)
    with pytest.raises(
        InputError, match="samples_per_batch: got 9, expected 1 to 8, as many as 131072 bytes"
    ):
        emulate(placement, chips, [], [], [0, 0], samples_per_batch=9, **RUN)


def test_events_are_lost_where_links_saturate(placement: Placement, ideal: ChipProfile) -> None:
    """300 events at once into a queue of 100: the first passes, 100 wait, 199 are lost; none otherwise."""
    events = (np.full(300, 1e-3), np.arange(300) % 12, [0, 0, 300])
    limited = replace(ideal, links=Links(event_rate_Hz=250e6, queue=100))
    shown, free = (
        emulate(placement, draw_chips(profile, chips=1, seed=0), *events, **RUN)
        for profile in (limited, ideal)
    )
    np.testing.assert_array_equal(shown.lost_events, [0, 199])
    np.testing.assert_array_equal(free.lost_events, [0, 0])
    assert shown.layer_spikes["hidden_0"].sum() < free.layer_spikes["hidden_0"].sum()


def test_order_of_the_inputs_does_not_matter(chain: Chain, ideal: ChipProfile, some_events: Events) -> None:
    generator = np.random.default_rng(4)
    first, last = generator.normal(0.5, 1, (20, 12)), generator.normal(size=(3, 20))
    order = generator.permutation(12)
    times, units, offsets = some_events
    chips = draw_chips(ideal, chips=1, seed=0)
    plain = emulate(place(chain(first, last), time_scale=1000), chips, times, units, offsets, **RUN)
    permuted = place(chain(first[:, order], last), time_scale=1000)
    assert_same(plain, emulate(permuted, chips, times, np.argsort(order)[units], offsets, **RUN))


def test_later_input_gives_the_same_later(
    placement: Placement, ideal: ChipProfile, some_events: Events
) -> None:
    """By four reads: 6.8 us is a whole number of steps of 0.425 us."""
    times, units, offsets = some_events
    chips = draw_chips(ideal, chips=1, seed=0)
    on_grid = np.rint(times / 0.425e-3) * 0.425e-3
    run = {**RUN, "step": 0.425e-6}
    plain = emulate(placement, chips, on_grid, units, offsets, **run)
    later = emulate(placement, chips, on_grid + 6.8e-3, units, offsets, **run)
    np.testing.assert_array_equal(later.cadc[:, :, 4:], plain.cadc[:, :, :-4])


def test_input_after_the_duration_is_not_presented(
    placement: Placement, chips: FixedPattern, some_events: Events
) -> None:
    """Spike jitter keeps its key, so that late events are moved and not removed; some lie at 1e300 s."""
    times, units, offsets = some_events
    run = {**RUN, "duration": 0.05}
    moved = np.where(times > 0.06, 1e300, times)
    assert_same(
        emulate(placement, chips, times, units, offsets, **run),
        emulate(placement, chips, moved, units, offsets, **run),
    )


def test_spikes_between_reads_add_up_to_the_counts(shown: Emulation) -> None:
    assert shown.spikes is not None
    per_layer = shown.spikes.sum(axis=2, dtype=np.int64)
    np.testing.assert_array_equal(per_layer[..., :20].sum(axis=-1), shown.layer_spikes["hidden_0"])
    np.testing.assert_array_equal(per_layer[..., 20:].sum(axis=-1), shown.layer_spikes["hidden_1"])


def test_recording_the_readout_alone_changes_nothing(
    placement: Placement, chips: FixedPattern, some_events: Events, shown: Emulation
) -> None:
    readout = emulate(placement, chips, *some_events, **{**RUN, "record": "readout"})
    np.testing.assert_array_equal(readout.cadc, shown.cadc[..., -4:])
    assert readout.spikes is None
    np.testing.assert_array_equal(readout.decide("sum"), shown.decide("sum"))


def test_reads_come_every_1_7_us_and_time_is_that_of_the_chip(shown: Emulation) -> None:
    """Reads lie on the step before or after their time; 100 ms at 1000 are 100 us: reads 0 to 58."""
    assert shown.time_on_chip == pytest.approx(100e-6)
    assert len(shown.read_times) == 59
    assert np.abs(shown.read_times - 1.7e-3 * np.arange(59)).max() <= 0.25e-3 * (1 + 1e-9)


def test_without_input_readouts_stay_at_their_resting_code(chain: Chain) -> None:
    """Offsets of leak and converter are in the resting code, which is read and not drawn."""
    varied = ChipProfile(
        name="offsets", variation=Variation(leak=0.1, cadc_offset_lsb=5.0, cadc_gain=0.05), noise=Noise()
    )
    placement = place(chain(np.ones((5, 2))), time_scale=1000)
    silent = emulate(placement, draw_chips(varied, chips=4, seed=1), [], [], [0, 0], **RUN)
    np.testing.assert_array_equal(silent.cadc[:, 0], np.broadcast_to(silent.rest[:, None], (4, 59, 5)))
    assert silent.rest.std() > 3


def test_codes_end_at_0_and_255(chain: Chain, ideal: ChipProfile) -> None:
    placement = place(chain(np.array([[100.0], [-100.0], [0.1]])), time_scale=1000)
    hard = emulate(placement, draw_chips(ideal, chips=1, seed=0), [5e-3], [0], [0, 1], **RUN)
    assert (hard.cadc[0, 0, :, 0].max(), hard.cadc[0, 0, :, 1].min()) == (255, 0)
    assert 0.1 < hard.saturated[0] < 0.67


def made_up(codes: Any, rest: Any, bias: Any = (0.0, 0.0, 0.0)) -> Emulation:
    """One chip, one sample, [time][readout]."""
    return Emulation(
        cadc=np.array(codes, np.uint8)[None, None],
        spikes=None,
        layer_spikes={},
        read_times=np.arange(len(codes), dtype=np.float64),
        rest=np.array([rest], float),
        bias=np.array(bias),
        time_on_chip=1.0,
        saturated=np.zeros(1),
        lost_events=np.zeros(1, int),
        duration=1000.0,
        activity=Activity(time=1.0, input_events=0, synaptic_events=0, spikes=0, conversions=0),
    )


def test_decisions_are_of_what_exceeds_the_resting_code() -> None:
    codes = [[80, 100, 90], [80, 131, 91], [140, 100, 122]]
    assert made_up(codes, [80, 100, 90]).decide("maximum")[0, 0] == 0  # 60, 31, 32
    assert made_up(codes, [110, 100, 90]).decide("maximum")[0, 0] == 2  # 30, 31, 32
    assert made_up(codes, [95, 100, 90]).decide("sum")[0, 0] == 2  # 15, 31, 33
    assert made_up(codes, [109, 100, 90]).decide("last")[0, 0] == 2  # 31, 0, 32
    assert made_up(codes, [110, 100, 90], [0, 2, 0]).decide("maximum")[0, 0] == 1  # a bias is evidence
    assert made_up([[80, 80, 80]], [80, 80, 80]).decide("maximum")[0, 0] == 0  # a tie
    with pytest.raises(InputError, match="rule: got mean, expected one of maximum, sum, last"):
        made_up(codes, [80, 80, 80]).decide("mean")  # type: ignore[arg-type]  # what the test is about


def test_a_decision_is_made_at_the_read_after_which_it_no_longer_changes() -> None:
    """Three reads at 0, 0.5 and 1 s of a chip that is 1,000 times as fast; the leader changes once."""
    codes = [[100, 90], [100, 120], [90, 110]]
    shown = replace(made_up(codes, [80, 80], [0, 0]), read_times=np.array([0.0, 500.0, 1000.0]))
    assert shown.decide("maximum")[0, 0] == 1
    assert shown.decision_times("maximum")[0, 0] == pytest.approx(0.5)
    assert shown.decision_times("last")[0, 0] == pytest.approx(0.5)
    early = replace(made_up([[100, 90], [110, 90], [120, 90]], [80, 80], [0, 0]), read_times=shown.read_times)
    assert early.decision_times("sum")[0, 0] == 0.0


def test_activity_is_counted(chain: Chain, ideal: ChipProfile) -> None:
    """Input 0 has two synapses and input 1 one; a hidden neuron drives two readouts, the other one.

    Samples have three and one events of input 0 and one of input 1 after the end, which is not presented.
    """
    graph = chain([[9.0, 9.0], [9.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]])
    chips = draw_chips(ideal, chips=2, seed=0)
    times, units = [1e-3, 2e-3, 30e-3, 1e-3, 70e-3], [0, 1, 0, 0, 1]
    shown = emulate(
        place(graph, time_scale=1000), chips, times, units, [0, 3, 5], duration=0.05, noise_seed=0
    )
    spikes = shown.layer_spikes["hidden_0"].mean()
    assert shown.activity.time == pytest.approx(50e-6)
    assert shown.activity.input_events == 4 / 2
    assert shown.activity.spikes == spikes > 0
    assert shown.activity.synaptic_events == pytest.approx((3 * 2 + 1) / 2 + 1.5 * spikes)
    assert shown.activity.conversions == len(shown.read_times) * 2


def test_no_samples_are_no_results(placement: Placement, chips: FixedPattern) -> None:
    nothing = emulate(placement, chips, [], [], [0], **RUN)
    assert nothing.cadc.shape == (3, 0, 59, 39)
    assert nothing.decide("maximum").shape == (3, 0)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "negative time": (
        {"times": [0.1, -0.2]},
        r"times\[1\]: got -0.2, expected a finite time of at least 0 s",
    ),
    "NaN time": ({"times": [np.nan, 0.2]}, r"times\[0\]: got nan"),
    "unit beyond": ({"units": [0, 12]}, r"units\[1\]: got 12, expected an input from 0 to 11"),
    "negative unit": ({"units": [-1, 0]}, r"units\[0\]: got -1"),
    "fewer units": ({"units": [0]}, r"units: got shape \(1,\), expected one unit per time"),
    "offsets short": ({"offsets": [0, 1]}, "offsets: .* numbers that rise from 0 to 2"),
    "offsets fall": ({"offsets": [0, 2, 1, 2]}, "offsets: "),
    "duration": ({"duration": 0.0}, "duration: got 0.0, expected a finite time above 0 s"),
    "step too long": ({"step": 2e-6}, "step: got 2e-06, expected a step above 0 and at most 1.7e-06 s"),
    "step zero": ({"step": 0.0}, "step: got 0.0"),
    "seed": ({"noise_seed": -1}, "noise_seed: got -1"),
    "record": ({"record": "some"}, "record: got some, expected one of readout, all"),
    "implementation": (
        {"implementation": "jax"},
        "implementation: got jax, expected one of numba, numpy, torch",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_malformed_events_and_options_are_refused(
    case: str, placement: Placement, chips: FixedPattern
) -> None:
    changes, message = REFUSED[case]
    arguments = {"times": [0.1, 0.2], "units": [0, 1], "offsets": [0, 2], **RUN, **changes}
    with pytest.raises(InputError, match=message):
        emulate(placement, chips, **arguments)


def test_a_step_too_coarse_for_a_time_constant_is_refused(chain: Chain, ideal: ChipProfile) -> None:
    placement = place(chain(np.ones((1, 1)), tau_syn=0.6e-3), time_scale=1000)
    with pytest.raises(InputError, match="step: got 5e-07, expected a step above 0 and at most 3e-07 s"):
        emulate(placement, draw_chips(ideal, chips=1, seed=0), [], [], [0, 0], duration=0.1, noise_seed=0)
