"""AdEx, short-term plasticity and correlation sensors against closed forms and integrals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad

from hearspike.emulator.adex import AdEx
from hearspike.emulator.correlation import CorrelationSensor, read_sums, saturating_add, update_weights
from hearspike.emulator.short_term_plasticity import ShortTermPlasticity
from hearspike.errors import InputError


def spike_times(neuron: AdEx, current: float, *, duration: float, dt: float) -> NDArray[np.float64]:
    u, w = np.zeros(1), np.zeros(1)
    found = []
    for n in range(round(duration / dt)):
        u, w, spikes = neuron.step(u, w, np.full(1, current), dt)
        if spikes[0]:
            found.append((n + 1) * dt)
    return np.array(found)


def test_without_exponential_and_adaptation_it_is_the_leaky_neuron() -> None:
    """Interval tau ln(i / (i − 1)), reached at the end of a step."""
    neuron = AdEx(tau_mem=10e-6, tau_w=100e-6)
    intervals = np.diff(spike_times(neuron, 1.5, duration=300e-6, dt=0.1e-6))
    exact = 10e-6 * np.log(3)
    assert len(intervals) > 20
    assert ((intervals >= exact - 1e-12) & (intervals <= exact + 0.1e-6)).all()


def test_first_spike_of_the_exponential_neuron_converges_to_the_integral_in_first_order() -> None:
    """t = ∫ tau du / (−u + Δ exp((u − 1)/Δ) + i) from 0 to the peak; halving the step halves the error."""
    neuron = AdEx(tau_mem=10e-6, tau_w=1.0, slope=0.1, peak=2.0)
    exact, _ = quad(lambda u: 10e-6 / (-u + 0.1 * np.exp((u - 1) / 0.1) + 1.2), 0, 2.0)
    errors = [
        abs(spike_times(neuron, 1.2, duration=40e-6, dt=dt)[0] - exact) for dt in (0.08e-6, 0.04e-6, 0.01e-6)
    ]
    assert errors[0] < 0.02 * exact
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < 0.3 * errors[0]  # 1/8 in first order, to a step of the grid


def test_it_spikes_without_end_above_its_rheobase_only() -> None:
    """1 − Δ: the largest input for which −u + Δ exp((u − 1)/Δ) + i has a root, at u = 1."""
    neuron = AdEx(tau_mem=10e-6, tau_w=1.0, slope=0.2)
    assert neuron.rheobase == pytest.approx(0.8)
    assert len(spike_times(neuron, 0.79, duration=1e-3, dt=0.1e-6)) == 0
    assert len(spike_times(neuron, 0.81, duration=1e-3, dt=0.1e-6)) > 0


def test_adaptation_lengthens_intervals_until_they_are_stationary() -> None:
    neuron = AdEx(tau_mem=10e-6, tau_w=100e-6, slope=0.1, spike_triggered=0.1)
    intervals = np.diff(spike_times(neuron, 2.0, duration=1e-3, dt=0.05e-6))
    assert (np.diff(intervals[:5]) > 0).all()
    assert intervals[-1] == pytest.approx(intervals[-2], rel=0.02)
    assert intervals[-1] > 1.5 * intervals[0]


def test_subthreshold_adaptation_lowers_the_resting_potential() -> None:
    """Stationary u = i / (1 + a), from both equations at rest."""
    neuron = AdEx(tau_mem=10e-6, tau_w=30e-6, subthreshold=1.0)
    u, w = np.zeros(1), np.zeros(1)
    for _ in range(5000):
        u, w, _ = neuron.step(u, w, np.full(1, 0.8), 0.1e-6)
    assert u[0] == pytest.approx(0.4, rel=1e-6)


@pytest.mark.parametrize("changes", [{"tau_w": 0.0}, {"tau_mem": np.nan}, {"slope": -1.0}, {"peak": 0.5}])
def test_parameters_out_of_their_domain_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(InputError, match=rf"adex\.{next(iter(changes))}"):
        AdEx(**{"tau_mem": 10e-6, "tau_w": 10e-6, "slope": 0.1, **changes})


@given(share=st.floats(0.05, 0.95), interval=st.floats(1e-6, 50e-6))
def test_depression_of_a_regular_train_reaches_its_stationary_strength(share: float, interval: float) -> None:
    driver = ShortTermPlasticity(utilisation=share, tau_recovery=10e-6)
    found = driver.strengths(np.asarray(interval * np.arange(600), np.float64))
    kept = np.exp(-interval / 10e-6)
    assert found[0] == 1.0
    assert found[-1] == pytest.approx((1 - kept) / (1 - (1 - share) * kept), rel=1e-6)
    assert (np.diff(found) <= 1e-12).all()


def test_facilitation_strengthens_up_to_its_limit_and_recovers() -> None:
    driver = ShortTermPlasticity(utilisation=0.5, tau_recovery=10e-6, kind="facilitation", facilitation=2.0)
    found = driver.strengths(np.array([0.0, 1e-9, 2e-9, 1.0]))
    np.testing.assert_allclose(found, [1, 1 + 2 * 0.5, 1 + 2 * 0.75, 1], rtol=1e-3)


def test_plasticity_out_of_its_domain_is_refused() -> None:
    with pytest.raises(InputError, match=r"plasticity\.utilisation: got 1\.5"):
        ShortTermPlasticity(utilisation=1.5, tau_recovery=1e-6)
    with pytest.raises(InputError, match="times: got events that are not in order"):
        ShortTermPlasticity(utilisation=0.5, tau_recovery=1e-6).strengths(np.array([2.0, 1.0]))


def test_a_sensor_adds_nearest_pairs_by_their_order() -> None:
    """Pre at 0, 10, 30; post at 12, 14, 29: causal (10, 12), anticausal (29, 30), no other nearest pair."""
    sensor = CorrelationSensor(amplitude_lsb=2.0, tau=5e-6)
    causal, anticausal = sensor.accumulate(
        1e-6 * np.array([0.0, 10.0, 30.0]), 1e-6 * np.array([12.0, 14.0, 29.0])
    )
    assert causal == pytest.approx(2 * np.exp(-2 / 5))
    assert anticausal == pytest.approx(2 * np.exp(-1 / 5))


@given(delay=st.floats(0.1e-6, 20e-6))
def test_a_pair_decays_with_its_delay_and_the_order_of_time_is_what_counts(delay: float) -> None:
    sensor = CorrelationSensor(amplitude_lsb=1.0, tau=5e-6)
    one, other = np.array([50e-6]), np.array([50e-6 + delay])
    assert sensor.accumulate(one, other) == pytest.approx((np.exp(-delay / 5e-6), 0.0))
    assert sensor.accumulate(other, one) == pytest.approx((0.0, np.exp(-delay / 5e-6)))


def test_updates_keep_weights_in_six_bits_and_vectors_saturate() -> None:
    weights = np.array([0, 60, 30, 30], np.int8)
    causal, anticausal = read_sums(np.array([0.0, 300.0, 17.4, 3.0])), read_sums(np.array([300.0, 0, 1, 12]))
    np.testing.assert_array_equal(causal, [0, 255, 17, 3])
    updated = update_weights(weights, causal, anticausal, shift=2)
    np.testing.assert_array_equal(updated, [0, 63, 34, 27])  # −9 / 4 is rounded down to −3
    full = np.array([127, -128], np.int8)
    np.testing.assert_array_equal(saturating_add(full, full), full)
    with pytest.raises(InputError, match="shift: got 16"):
        update_weights(weights, causal, anticausal, shift=16)
