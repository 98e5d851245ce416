"""Networks that use more of the chip than leaky neurons, against closed forms and integrals."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import nir
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad

from hearspike.emulator import (
    BSS2,
    AdEx,
    ChipProfile,
    Circuits,
    Conductance,
    CorrelationSensor,
    Emulation,
    Noise,
    Placement,
    ShortTermPlasticity,
    Variation,
    draw_chips,
    emulate,
    place,
)
from hearspike.emulator.correlation import read_sums, update_weights
from hearspike.errors import InputError

Chain = Callable[..., nir.NIRGraph]
Events = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]
IDEAL = ChipProfile(name="ideal", variation=Variation(), noise=Noise())
TAU_MEM, REFRACTORY = 10e-6, 2e-6  # s of chip time


def run(
    placement: Placement, circuits: Circuits, times: Any = (), units: Any = (), *, seconds: float, step: float
) -> Emulation:
    """Emulate one sample of chip times, with a read in every step: spikes at the resolution of the step."""
    specification = replace(BSS2, cadc_period=step)
    return emulate(
        replace(placement, specification=specification),
        draw_chips(IDEAL, chips=1, seed=0),
        np.asarray(times, float) * placement.time_scale,
        np.asarray(units, int),
        [0, len(times)],
        duration=seconds * placement.time_scale,
        noise_seed=0,
        step=step,
        record="all",
        circuits=circuits,
        implementation="numpy",
    )


def intervals(chain: Chain, neuron: AdEx, current: float, *, seconds: float, step: float) -> NDArray[Any]:
    """Times between spikes of one neuron that a bias drives, without the refractory period."""
    graph = chain(np.zeros((1, 1)), np.zeros((1, 1)), bias=[np.array([current])])
    circuits = Circuits(adex={"hidden_0": neuron})
    shown = run(place(graph, time_scale=1000), circuits, seconds=seconds, step=step)
    assert shown.spikes is not None
    return np.diff(np.flatnonzero(shown.spikes[0, 0, :, 0])) * step - REFRACTORY


def test_circuits_that_are_switched_off_change_no_bit(
    deep_network: nir.NIRGraph, everything: ChipProfile, some_events: Events
) -> None:
    placement, chips = place(deep_network, time_scale=1000), draw_chips(everything, chips=1, seed=2)
    variants: list[dict[str, Any]] = [{}, {"circuits": Circuits(), "implementation": "numpy"}]
    plain, other = (
        emulate(placement, chips, *some_events, duration=0.1, noise_seed=1, record="all", **more)
        for more in variants
    )
    np.testing.assert_array_equal(plain.cadc, other.cadc)
    assert other.correlation is None


def test_without_exponential_and_adaptation_it_is_the_leaky_neuron(chain: Chain) -> None:
    """Interval tau ln(i / (i − 1)), reached at the end of a step."""
    found = intervals(chain, AdEx(tau_w=100e-6), 1.1, seconds=150e-6, step=0.1e-6)
    exact = TAU_MEM * np.log(11)
    assert len(found) > 3
    # float32 and steps: never early by more than rounding, never late by more than a step
    assert ((found >= exact - 1e-9) & (found <= exact + 0.1e-6 + 1e-9)).all()


def test_interval_of_the_exponential_neuron_converges_to_the_integral_in_first_order(chain: Chain) -> None:
    """t = ∫ tau du / (−u + Δ exp((u − 1)/Δ) + i) from 0 to the peak; an eighth of the step, of the error."""
    exact, _ = quad(lambda u: TAU_MEM / (-u + 0.1 * np.exp((u - 1) / 0.1) + 1.1), 0, 2.0)
    neuron = AdEx(tau_w=1.0, slope=0.1)
    errors = [
        abs(intervals(chain, neuron, 1.1, seconds=60e-6, step=h)[0] - exact) for h in (0.2e-6, 0.025e-6)
    ]
    assert errors[0] < 0.05 * exact
    assert errors[1] < 0.3 * errors[0]  # 1/8, and up to a step of the grid


def test_it_spikes_without_end_above_its_rheobase_only(chain: Chain) -> None:
    """1 − Δ: the largest input for which −u + Δ exp((u − 1)/Δ) + i has a root, at u = 1."""
    neuron = AdEx(tau_w=1.0, slope=0.2)
    assert neuron.rheobase == pytest.approx(0.8)
    assert len(intervals(chain, neuron, 0.79, seconds=500e-6, step=0.2e-6)) == 0
    assert len(intervals(chain, neuron, 0.82, seconds=500e-6, step=0.2e-6)) > 1


def test_adaptation_lengthens_intervals_until_they_are_stationary(chain: Chain) -> None:
    neuron = AdEx(tau_w=100e-6, slope=0.1, spike_triggered=0.05)
    found = intervals(chain, neuron, 1.14, seconds=800e-6, step=0.1e-6)
    assert (np.diff(found[:3]) > 0).all()
    assert found[-1] == pytest.approx(found[-2], rel=0.02)
    assert found[-1] > 1.3 * found[0]


def test_subthreshold_adaptation_lowers_the_resting_potential(chain: Chain) -> None:
    """Stationary u = i / (1 + a), from both equations at rest; the converter shows it to a code."""
    graph = chain(np.zeros((1, 1)), np.zeros((1, 1)), bias=[np.array([0.8])])
    circuits = Circuits(adex={"hidden_0": AdEx(tau_w=30e-6, subthreshold=1.0)})
    shown = run(place(graph, time_scale=1000), circuits, seconds=300e-6, step=0.5e-6)
    assert shown.cadc[0, 0, -1, 0] == BSS2.leak_code + round(0.4 * BSS2.codes_per_threshold)


@pytest.mark.parametrize("changes", [{"tau_w": 0.0}, {"slope": -1.0}, {"peak": 0.5}, {"slope": 0.001}])
def test_parameters_out_of_their_domain_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(InputError, match=rf"adex\.{next(iter(changes))}"):
        AdEx(**{"tau_w": 10e-6, "slope": 0.1, **changes})


@pytest.mark.parametrize("kind", ["depression", "facilitation"])
def test_plastic_drivers_scale_every_pulse_of_a_train(chain: Chain, kind: Any) -> None:
    """The trace of a train is the sum of its PSPs, each at the strength that its event has.

    Below the threshold all is linear, and one pulse on the plain chip shows the PSP. Codes are rounded: half
    a code for each PSP in the sum and for the trace.
    """
    placement = place(chain(np.array([[2.0]])), time_scale=1000)
    driver = ShortTermPlasticity(utilisation=0.4, tau_recovery=20e-6, kind=kind, facilitation=0.5)
    times, step = np.array([5.0, 15, 25, 40, 80]) * 1e-6, 0.5e-6
    circuits = Circuits(plasticity={"input": driver})
    settings: dict[str, Any] = {"seconds": 120e-6, "step": step}
    found = run(placement, circuits, times, np.zeros(5), **settings).cadc[0, 0, :, 0].astype(float)
    single = run(placement, Circuits(), times[:1], [0], **settings).cadc[0, 0, :, 0] - 80.0
    expected = np.full(len(found), 80.0)
    for time, strength in zip(times, driver.strengths(times), strict=True):
        later = round((time - times[0]) / step)
        expected[later:] += strength * single[: len(found) - later]
    assert single.max() > 30
    assert np.abs(found - expected).max() < 0.5 * (1 + driver.strengths(times).sum())
    plain = run(placement, Circuits(), times, np.zeros(5), **settings).cadc[0, 0, :, 0]
    assert np.abs(found - plain).max() > 8  # and the train is one that plasticity changes


def test_spikes_of_a_layer_meet_the_drivers_of_that_layer(chain: Chain) -> None:
    """One hidden spike per input event: the readout sees them at the strengths of a plastic driver."""
    placement = place(chain(np.array([[6.0]]), np.array([[1.4]])), time_scale=1000)
    driver = ShortTermPlasticity(utilisation=1.0, tau_recovery=1.0)  # a source that speaks once
    settings: dict[str, Any] = {"seconds": 80e-6, "step": 0.5e-6}
    tired = run(placement, Circuits(plasticity={"hidden_0": driver}), [5e-6, 45e-6], [0, 0], **settings)
    once = run(placement, Circuits(), [5e-6], [0], **settings)
    assert once.layer_spikes["hidden_0"].item() == 1
    assert tired.layer_spikes["hidden_0"].item() == 2
    first = run(placement, Circuits(plasticity={"hidden_0": driver}), [5e-6], [0], **settings)
    np.testing.assert_array_equal(tired.cadc[..., -1], first.cadc[..., -1])


def test_a_conductance_settles_where_the_closed_form_says(chain: Chain) -> None:
    """g E / (1 + g), from the stationary equation; as a current, the same synapse goes to g E.

    A pulse in every step of a current of time constant tau_syn holds it at I = w tau_syn / h, but for the
    decay within a step: h / tau_syn = 1 % of it, below a code.
    """
    step, weight, reversal = 0.05e-6, 0.012, 1.5
    placement = place(chain(np.array([[weight]])), time_scale=1000)
    times = np.arange(0, 150e-6, step)
    circuits = Circuits(conductance={"readout": Conductance(excitatory=reversal)})
    shown = run(placement, circuits, times, np.zeros(len(times)), seconds=150e-6, step=step)
    plain = run(placement, Circuits(), times, np.zeros(len(times)), seconds=150e-6, step=step)
    current = weight * 5e-6 / step
    conductance = current / reversal
    exact = conductance * reversal / (1 + conductance)
    per_threshold = BSS2.codes_per_threshold
    assert plain.cadc[0, 0, -1, 0] == pytest.approx(80 + per_threshold * current, abs=1.5)
    assert shown.cadc[0, 0, -1, 0] == pytest.approx(80 + per_threshold * exact, abs=1.5)
    assert exact < 0.6 * current


def test_inhibition_cannot_pull_below_its_reversal_potential(chain: Chain) -> None:
    placement = place(chain(np.array([[-2.0]])), time_scale=1000)
    times = np.arange(0, 100e-6, 1e-6)
    circuits = Circuits(conductance={"readout": Conductance(inhibitory=-0.5)})
    shown = run(placement, circuits, times, np.zeros(len(times)), seconds=100e-6, step=0.1e-6)
    conductance = 2.0 * 5 / 0.5  # a pulse of 2 with 5 us in every 1 us, over the reversal potential
    exact = -0.5 * conductance / (1 + conductance)
    assert int(shown.cadc.min()) == pytest.approx(80 + 70 * exact, abs=2)  # pulses ripple by a tenth


def test_sensors_see_the_pairs_of_the_spike_trains(chain: Chain) -> None:
    """The sums of the online sensor are those of the trains, taken afterwards from the recorded spikes."""
    generator = np.random.default_rng(3)
    step, sensor = 0.5e-6, CorrelationSensor(amplitude_lsb=9.0, tau=6e-6)
    placement = place(chain(generator.normal(0.5, 0.6, (4, 6)), np.ones((2, 4))), time_scale=1000)
    steps = np.sort(generator.choice(380, 60, replace=False))
    arrivals: Any = steps * step
    units = generator.integers(0, 6, 60)
    shown = run(placement, Circuits(correlation=sensor), arrivals, units, seconds=400 * step, step=step)
    assert shown.spikes is not None
    assert shown.correlation is not None
    assert shown.layer_spikes["hidden_0"].sum() > 10
    after: list[Any] = [
        np.flatnonzero(shown.spikes[0, 0, :, j]) * step for j in range(4)
    ]  # read n ends step n − 1
    sums = np.array([[sensor.accumulate(arrivals[units == i], t) for t in after] for i in range(6)])
    found = shown.correlation[0, 0, :, :6, :4].astype(int)
    assert np.abs(found - read_sums(sums.transpose(2, 0, 1)).astype(int)).max() <= 1  # a tie of rounding
    assert (found > 0).any(axis=(1, 2)).all()
    assert not shown.correlation[0, 0, :, :6, 4:].any()  # no synapse, no sensor


def test_an_update_rule_strengthens_the_synapse_that_came_first(chain: Chain) -> None:
    """Input 0 makes the neuron spike, input 1 comes after: spike timing moves their codes apart."""
    placement = place(chain(np.array([[7.0, 2.0]]), np.ones((1, 1))), time_scale=1000)
    before = np.array([[56], [10]], np.int8)
    placement = placement.with_weights("hidden_0", before)
    sensor = CorrelationSensor(amplitude_lsb=20.0, tau=6e-6)
    settings: dict[str, Any] = {"seconds": 60e-6, "step": 0.5e-6}
    shown = run(placement, Circuits(correlation=sensor), [5e-6, 15e-6], [0, 1], **settings)
    assert shown.correlation is not None
    causal, anticausal = shown.correlation[0, 0, :, :2, :1]
    after = update_weights(before, causal, anticausal, shift=1)
    assert after[0] > before[0]
    assert after[1] < before[1]
    other = run(placement.with_weights("hidden_0", after), Circuits(), [5e-6], [0], **settings)
    one = run(placement.with_weights("hidden_0", before), Circuits(), [5e-6], [0], **settings)
    assert other.cadc[0, 0, 12, 0] > one.cadc[0, 0, 12, 0]
    with pytest.raises(InputError, match="codes of layer 'hidden_0': got shape"):
        placement.with_weights("hidden_0", after.T)


def test_what_cannot_be_run_is_refused(chain: Chain) -> None:
    placement = place(chain(np.ones((2, 1)), np.ones((1, 2))), time_scale=1000)
    adaptive = Circuits(adex={"hidden_0": AdEx(tau_w=1e-4)})
    given: Any = (placement, draw_chips(IDEAL, chips=1, seed=0), [], [], [0, 0])
    with pytest.raises(InputError, match="implementation: got numba, expected numpy"):
        emulate(*given, duration=0.01, noise_seed=0, circuits=adaptive)
    with pytest.raises(InputError, match=r"circuits\.adex: got readout, expected one of hidden_0"):
        run(placement, Circuits(adex={"readout": AdEx(tau_w=1e-4)}), seconds=1e-5, step=1e-6)
    with pytest.raises(InputError, match=r"conductance\.excitatory"):
        Conductance(excitatory=-1.0)
