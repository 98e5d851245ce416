"""Short-term plasticity, correlation sensors and updates of weights against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearspike.emulator.correlation import CorrelationSensor, read_sums, saturating_add, update_weights
from hearspike.emulator.short_term_plasticity import ShortTermPlasticity
from hearspike.errors import InputError


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
