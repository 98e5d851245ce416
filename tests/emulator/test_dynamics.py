"""The equations of a step against closed forms; all times are chip times unless said otherwise."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import nir
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import lambertw

from hearspike.emulator import (
    BSS2,
    ChipProfile,
    FixedPattern,
    Noise,
    Variation,
    draw_chips,
    emulate,
    kernel,
    place,
)
from hearspike.emulator.dynamics import StepConstants, exact_rise, step_constants, threshold_drift
from hearspike.emulator.noise import BYTES_DEVIATION

Chain = Callable[..., nir.NIRGraph]
TIME_SCALE = 1000.0
EVERY_STEP = 0.1e-6
NO_EVENTS: tuple[list[float], list[int], list[int]] = ([], [], [0, 0])


def drift(constants: StepConstants, events: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """Potential of chip 0, neuron 0 after each step, in float64; events are drives per step."""
    v, s, trace = 0.0, 0.0, []
    for n in range(steps):
        s += events[n]
        v = v * constants.decay_mem[0, 0] + s * constants.kappa[0, 0, 0] + constants.pull[0, 0]
        s *= constants.decay_syn[0, 0, 0]
        trace.append(v)
    return np.array(trace)


def psp(t: NDArray[Any], tau_mem: float, tau_syn: float) -> NDArray[Any]:
    """Potential after a jump of 1 in the drive: the difference of two exponentials."""
    rise = np.where(t > 0, np.exp(-t / tau_mem) - np.exp(-t / tau_syn), 0.0)
    return tau_syn / (tau_mem - tau_syn) * rise


@pytest.mark.parametrize("tau_mem", [0.5e-6, 5e-6, 5e-6 * (1 + 1e-9), 5.0001e-6, 60e-6])
def test_rise_over_a_step_is_the_integral_for_equal_and_unequal_time_constants(tau_mem: float) -> None:
    step, tau_syn = 0.5e-6, 5e-6
    integral, _ = quad(lambda u: np.exp(-step * ((1 - u) / tau_mem + u / tau_syn)), 0, 1)  # u = t / step
    found = exact_rise(step, np.array([tau_mem]), np.array([tau_syn]))[0]
    assert found / step == pytest.approx(integral, rel=1e-8)  # quad's own tolerance


def constants_of(chain: Chain, profile: ChipProfile, *, step: float, tau_mem: float = 10e-3) -> StepConstants:
    placement = place(chain(np.ones((1, 1)), tau_mem=tau_mem), time_scale=TIME_SCALE)
    return step_constants(placement, draw_chips(profile, chips=1, seed=0), step=step, noise_seed=0)


@pytest.mark.parametrize("step", [1.7e-6, 0.85e-6, 0.1e-6])
def test_psp_is_exact_at_every_step_however_long(chain: Chain, ideal: ChipProfile, step: float) -> None:
    """Tolerance: constants are float32, 6e-8 each, over at most 400 steps."""
    steps = round(40e-6 / step)
    events = np.zeros(steps)
    events[0] = 63  # the whole weight, in codes
    trace = drift(constants_of(chain, ideal, step=step), events, steps)
    expected = psp(step * np.arange(1, steps + 1), 10e-6, 5e-6)
    np.testing.assert_allclose(trace, expected, rtol=3e-5)


def test_codes_of_a_readout_follow_the_psps_of_its_inputs(chain: Chain, ideal: ChipProfile) -> None:
    """Superposition of three weights; codes are within the half code of rounding."""
    placement = place(chain(np.array([[2.0, -1.0, 63 / 63]])), time_scale=TIME_SCALE)
    weights = placement.layers[0].weights[:, 0] / placement.layers[0].scale
    arrivals = np.array([3.4e-6, 6.8e-6, 20.4e-6])
    chips = draw_chips(ideal, chips=1, seed=0)
    shown = emulate(
        placement, chips, arrivals * TIME_SCALE, [0, 1, 2], [0, 3], duration=0.1, noise_seed=0, step=0.425e-6
    )
    t = shown.read_times / TIME_SCALE
    potential = sum(w * psp(t - at, 10e-6, 5e-6) for w, at in zip(weights, arrivals, strict=True))
    assert np.abs(shown.cadc[0, 0, :, 0] - (80 + 70 * potential)).max() <= 0.5 + 1e-3
    assert shown.cadc.max() > 100


def test_a_slower_membrane_starts_its_psp_with_the_same_slope_and_a_slower_synapse_carries_more(
    chain: Chain, ideal: ChipProfile
) -> None:
    """Only conductances differ: with factor f on tau_syn the charge of a pulse is f times as large."""
    placement = place(chain(np.ones((1, 1))), time_scale=TIME_SCALE)
    chips = draw_chips(ideal, chips=1, seed=0)
    step = 0.001e-6

    def kappa(changed: FixedPattern) -> tuple[float, float]:
        k = step_constants(placement, changed, step=step, noise_seed=0)
        rise, decay = k.kappa[0, 0, 0], k.decay_syn[0, 0, 0]
        return float(rise), float(rise / (1 - decay))

    slope, charge = kappa(chips)
    slower_slope, _ = kappa(replace(chips, tau_mem=2 * chips.tau_mem))
    _, more_charge = kappa(replace(chips, tau_syn=2 * chips.tau_syn))
    assert slower_slope == pytest.approx(slope, rel=1e-3)  # a step is 1/10,000 of tau_mem
    assert more_charge == pytest.approx(2 * charge, rel=1e-3)  # float32 of 1 − 1/5,000


def leaning(
    chain: Chain, ideal: ChipProfile, leak: float, **network: float
) -> tuple[nir.NIRGraph, FixedPattern]:
    """One neuron whose leak is above its threshold, which then fires regularly."""
    graph = chain(np.ones((1, 1)), np.ones((1, 1)), **network)
    chips = draw_chips(ideal, chips=1, seed=0)
    return graph, replace(chips, leak=np.full_like(chips.leak, leak))


@pytest.mark.parametrize("step", [0.4e-6, 0.2e-6, 0.05e-6])
@pytest.mark.parametrize("leak", [1.05, 1.3, 2.0, 5.0])
@pytest.mark.parametrize("refractory", [0.4e-6, 2e-6, 10e-6])
def test_rate_follows_the_closed_form_to_a_step_per_spike(
    chain: Chain, ideal: ChipProfile, leak: float, refractory: float, step: float
) -> None:
    """f–I curve: 1/rate = t_ref + tau_mem ln(E / (E − 1)), reached at the end of the step of the crossing."""
    graph, chips = leaning(chain, ideal, leak)
    placement = place(graph, time_scale=TIME_SCALE, refractory_period=refractory)
    shown = emulate(placement, chips, *NO_EVENTS, duration=2.0, noise_seed=0, step=step)
    interval = refractory + 10e-6 * np.log(leak / (leak - 1))
    on_grid = refractory + step * np.ceil(10e-6 * np.log(leak / (leak - 1)) / step)
    assert interval <= on_grid <= interval + step
    spikes = int(shown.layer_spikes["hidden_0"][0, 0])
    assert spikes == int((2e-3 - step) // on_grid) + 1  # the first spike ends the first step


def test_the_strongest_drive_fires_once_per_refractory_period(chain: Chain, ideal: ChipProfile) -> None:
    graph, chips = leaning(chain, ideal, 1e4)
    placement = place(graph, time_scale=TIME_SCALE, refractory_period=5e-6)
    shown = emulate(placement, chips, *NO_EVENTS, duration=1.0, noise_seed=0, step=0.1e-6)
    assert shown.layer_spikes["hidden_0"][0, 0] == np.ceil(1e-3 / (5e-6 + 0.1e-6))


@pytest.mark.parametrize("step", [0.4e-6, 0.2e-6, 0.1e-6])
def test_threshold_is_crossed_when_the_closed_form_says(
    chain: Chain, ideal: ChipProfile, step: float
) -> None:
    """First spike for tau_mem = tau_syn = tau (Göltz et al. 2021): T = tau (b/a − W₀(−e^(b/a)/a)).

    a = Σ w e^(t_i/tau), b = Σ w (t_i/tau) e^(t_i/tau), w in thresholds. The spike falls on the end of
    the step that crosses, so that the error is below a step: first order.
    """
    tau, arrivals = 10e-6, np.array([0.0, 0.4e-6, 0.8e-6, 1.2e-6])
    generator = np.random.default_rng(8)
    codes = np.concatenate([generator.integers(40, 63, (3, 4)), [[63, 63, 63, -63]]])
    every_step = replace(BSS2, cadc_period=step)
    graph = chain(codes / 40, np.zeros((1, 4)), tau_mem=tau * TIME_SCALE, tau_syn=tau * TIME_SCALE)
    placement = place(graph, every_step, time_scale=TIME_SCALE)
    chips = draw_chips(ideal, every_step, chips=1, seed=0)
    shown = emulate(
        placement,
        chips,
        arrivals * TIME_SCALE,
        range(4),
        [0, 4],
        duration=60e-3,
        noise_seed=0,
        step=step,
        record="all",
    )
    assert shown.spikes is not None
    first = shown.read_times[np.argmax(shown.spikes[0, 0] > 0, axis=0)] / TIME_SCALE
    a = (codes / 40 * np.exp(arrivals / tau)).sum(axis=1)
    b = (codes / 40 * arrivals / tau * np.exp(arrivals / tau)).sum(axis=1)
    crossing = tau * (b / a - lambertw(-np.exp(b / a) / a).real)
    assert (a > np.exp(b / a + 1)).all()  # the threshold is reached
    assert (crossing > arrivals[-1]).all()  # all inputs are causal
    assert (first > crossing - 1e-4 * step).all()  # 1e-4 of a step: float32 potentials
    assert (first <= crossing + step * (1 + 1e-4)).all()


def test_after_its_refractory_period_a_neuron_starts_from_its_reset(chain: Chain, ideal: ChipProfile) -> None:
    every_step = replace(BSS2, cadc_period=EVERY_STEP)
    graph, chips = leaning(chain, ideal, 1.5, v_reset=-0.3)
    placement = place(graph, every_step, time_scale=TIME_SCALE, refractory_period=1e-6)
    shown = emulate(placement, chips, *NO_EVENTS, duration=10e-3, noise_seed=0, step=EVERY_STEP, record="all")
    codes = shown.cadc[0, 0, :, 0]
    assert (codes[1:12] == round(80 - 0.3 * 70)).all()  # spike at the first step, then ten steps held
    t = EVERY_STEP * np.arange(1, 41)
    rising = 1.5 - 1.8 * np.exp(-t / 10e-6)
    assert np.abs(codes[12:52] - (80 + 70 * rising)).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("step", [1.0e-6, 0.5e-6, 0.2e-6])
def test_membrane_noise_has_the_same_strength_and_correlation_at_every_step(
    chain: Chain, step: float
) -> None:
    """Ornstein–Uhlenbeck: std σ from the first read on, correlation e^(−Δ/tau_mem) over Δ = 1.7 us.

    400 samples × 51 reads × 8 readouts; reads are correlated, which leaves about 27,000
    independent squares and a standard error of 0.4 % of σ. Rounding adds a variance of 1/12.
    """
    profile = ChipProfile(name="membrane", variation=Variation(), noise=Noise(membrane=0.05))
    placement = place(chain(np.ones((8, 1))), time_scale=TIME_SCALE)
    chips = draw_chips(profile, chips=1, seed=0)
    offsets = np.zeros(401, int)
    shown = emulate(placement, chips, [], [], offsets, duration=85e-3, noise_seed=1, step=step)
    codes = shown.cadc[0].astype(float) - 80
    assert codes.std() == pytest.approx(np.hypot(3.5, np.sqrt(1 / 12)), rel=0.02)
    assert codes[:, 0].std() == pytest.approx(np.hypot(3.5, np.sqrt(1 / 12)), rel=0.06)  # 3,200 values
    lag = np.diff(np.rint(shown.read_times / TIME_SCALE / step)).mean() * step
    correlation = (codes[:, 1:] * codes[:, :-1]).mean() / (codes.var() - 1 / 12)
    assert correlation == pytest.approx(np.exp(-lag / 10e-6), abs=0.01)


def test_read_noise_is_white_and_as_strong_as_asked(chain: Chain) -> None:
    """160,000 independent reads: a standard error of 0.2 % of the deviation, of 0.0025 of the correlation."""
    profile = ChipProfile(name="converter", variation=Variation(), noise=Noise(cadc_lsb=2.0))
    placement = place(chain(np.ones((8, 1))), time_scale=TIME_SCALE)
    shown = emulate(
        placement,
        draw_chips(profile, chips=1, seed=0),
        [],
        [],
        np.zeros(401, int),
        duration=85e-3,
        noise_seed=1,
    )
    codes = shown.cadc[0].astype(float) - 80
    assert codes.std() == pytest.approx(np.hypot(2, np.sqrt(1 / 12)), rel=0.01)
    assert abs((codes[:, 1:] * codes[:, :-1]).mean() / codes.var()) < 0.0125


def test_spike_jitter_spreads_arrivals_without_shifting_them() -> None:
    """50,000 arrivals: standard errors of 0.036 steps of the mean and 0.3 % of the deviation, times 4."""
    count, steps = 50_000, 2000
    first, order = np.empty(steps + 1, np.int64), np.empty(count, np.int64)
    units = np.arange(count)
    key = np.array([1, 2], np.uint32)
    kernel.sort_events(np.full(count, 1000.0), units, 8.0 / BYTES_DEVIATION, key, steps, first, order)
    arrivals = np.repeat(np.arange(steps), np.diff(first))
    assert len(arrivals) == count
    assert abs(arrivals.mean() - 1000) < 4 * 0.036
    assert arrivals.std() == pytest.approx(np.hypot(8, np.sqrt(1 / 12)), rel=0.013)
    assert (np.sort(order) == units).all()


def test_threshold_drift_belongs_to_noise_seed_and_chip(ideal: ChipProfile) -> None:
    """20 chips × 512 circuits: a standard error of 0.7 % of the deviation, times 4."""
    profile = replace(ideal, noise=Noise(threshold_drift=0.02))
    few, many = (draw_chips(profile, chips=count, seed=0) for count in (3, 20))
    np.testing.assert_array_equal(threshold_drift(few, 5), threshold_drift(many, 5)[:3])
    assert not np.array_equal(threshold_drift(few, 5), threshold_drift(few, 6))
    assert threshold_drift(many, 5).std() == pytest.approx(0.02, rel=0.028)
    assert not threshold_drift(draw_chips(ideal, chips=2, seed=0), 5).any()


def test_ideal_chips_have_the_constants_of_the_model_bit_for_bit(
    deep_network: nir.NIRGraph, ideal: ChipProfile
) -> None:
    """No factor of 1 or offset of 0 leaves a trace, on any chip."""
    step = 0.5e-6
    placement = place(deep_network, time_scale=TIME_SCALE)
    k = step_constants(placement, draw_chips(ideal, chips=3, seed=9), step=step, noise_seed=4)
    tau_mem = np.concatenate([layer.tau_mem for layer in placement.layers])
    tau_syn = np.concatenate([layer.tau_syn for layer in placement.layers])
    scale = np.repeat([layer.scale for layer in placement.layers], [20, 15, 4])
    expected = {
        "decay_mem": np.exp(-step / tau_mem),
        "decay_syn": np.stack(2 * [np.exp(-step / tau_syn)]),
        "kappa": np.stack(2 * [exact_rise(step, tau_mem, tau_syn) / (scale * tau_mem)]),
        "pull": np.zeros(39),
        "leak": np.zeros(39),
        "threshold": np.repeat([1.0, np.inf], [35, 4]),
        "reset": np.zeros(39),
        "noise_step": np.zeros(39),
        "noise_rest": np.zeros(39),
        "code_gain": np.full(39, 70.0),
        "code_offset": np.full(39, 80.0),
    }
    for name, value in expected.items():
        for chip in range(3):
            found = getattr(k, name)[chip]
            np.testing.assert_array_equal(found, value.astype(np.float32), err_msg=name)
    assert len(k.weights) == 1
    assert (k.weights == np.rint(k.weights)).all()


def test_a_synapse_factor_acts_on_its_own_sign_row_and_column(chain: Chain) -> None:
    """Row pairs in the order inputs, then the layer itself; sign 0 is excitatory."""
    varied = ChipProfile(name="synapses", variation=Variation(synapse=0.1), noise=Noise())
    chips = draw_chips(varied, chips=2, seed=0)
    graph = chain([[1.0, -1.0]], [[1.0], [-1.0]], recurrent=[np.array([[-1.0]])])
    k = step_constants(place(graph, time_scale=TIME_SCALE), chips, step=0.5e-6, noise_seed=0)
    hidden = [
        63 * chips.synapse[:, 0, 0, 0],
        -63 * chips.synapse[:, 1, 1, 0],
        -63 * chips.synapse[:, 1, 2, 0],
    ]
    readout = [63 * chips.synapse[:, 0, 0, 1], -63 * chips.synapse[:, 1, 0, 2]]
    np.testing.assert_array_equal(k.weights[:, :, 0].T, hidden)
    np.testing.assert_array_equal(k.weights[:, 2, 1:].T, readout)
    assert not k.weights[:, :2, 1:].any()
    np.testing.assert_array_equal([k.target_start, k.target_stop], [[0, 0, 0], [1, 1, 3]])


def test_converter_gain_acts_on_the_whole_code_and_its_offset_comes_after(
    chain: Chain, ideal: ChipProfile
) -> None:
    chips = draw_chips(ideal, chips=1, seed=0)
    shape = chips.leak.shape
    changed = replace(
        chips,
        leak=np.full(shape, 0.5),
        cadc_gain=np.full(shape, 1.2),
        cadc_offset_lsb=np.full(shape, -7.0),
    )
    shown = emulate(
        place(chain(np.ones((1, 1))), time_scale=TIME_SCALE), changed, *NO_EVENTS, duration=0.01, noise_seed=0
    )
    assert (shown.cadc == 1.2 * (80 + 35) - 7).all()


def test_gain_of_a_neuron_scales_its_psp_on_its_own_circuit(chain: Chain, ideal: ChipProfile) -> None:
    placement = place(chain(np.ones((3, 1))), time_scale=TIME_SCALE)
    chips = draw_chips(ideal, chips=1, seed=0)
    gain = chips.gain.copy()
    gain[0, 0, :3] = [1.0, 0.5, 2.0]
    plain, scaled = (
        step_constants(placement, population, step=0.5e-6, noise_seed=0).kappa[0]
        for population in (chips, replace(chips, gain=gain))
    )
    np.testing.assert_allclose(scaled / plain, [[1.0, 0.5, 2.0], [1.0, 1.0, 1.0]], rtol=1e-6)  # float32


def test_excitatory_and_inhibitory_inputs_have_their_own_time_constants(
    chain: Chain, ideal: ChipProfile
) -> None:
    """Two readouts, one excited and one inhibited: PSPs of tau_syn 2.5 and 7.5 us, to half a code."""
    placement = place(chain(np.array([[1.0], [-1.0]])), time_scale=TIME_SCALE)
    chips = draw_chips(ideal, chips=1, seed=0)
    factors = np.ones_like(chips.tau_syn)
    factors[:, 0], factors[:, 1] = 0.5, 1.5
    changed = replace(chips, tau_syn=factors)
    shown = emulate(placement, changed, [3.4e-3], [0], [0, 1], duration=0.06, noise_seed=0, step=0.425e-6)
    t = shown.read_times / TIME_SCALE - 3.4e-6
    for readout, (sign, tau_syn) in enumerate(((1, 2.5e-6), (-1, 7.5e-6))):
        expected = 80 + 70 * sign * psp(t, 10e-6, tau_syn)
        assert np.abs(shown.cadc[0, 0, :, readout] - expected).max() <= 0.5 + 1e-3


def test_several_spikes_between_two_reads_are_all_recorded(chain: Chain, ideal: ChipProfile) -> None:
    graph, chips = leaning(chain, ideal, 1e4)
    placement = place(graph, time_scale=TIME_SCALE, refractory_period=0.4e-6)
    shown = emulate(placement, chips, *NO_EVENTS, duration=0.1, noise_seed=0, step=0.1e-6, record="all")
    assert shown.spikes is not None
    assert set(shown.spikes[0, 0, 2:-1, 0]) == {3, 4}  # one per 0.5 us in 1.7 us
    assert shown.spikes.sum() == shown.layer_spikes["hidden_0"].sum()
