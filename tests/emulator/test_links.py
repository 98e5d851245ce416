"""Event links: a queue with a constant service time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hearspike.emulator import ChipProfile, Links, Noise, Variation
from hearspike.errors import InputError

CLOCK = 8e-9


def carry(links: Links, times: list[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    return links.carry(np.asarray(times, float), np.array([0, len(times)]), clock=CLOCK)


def test_events_far_apart_only_move_to_the_event_clock() -> None:
    left = carry(Links(event_rate_Hz=125e6, queue=1), [1e-6, 3.003e-6, 2e-6])
    np.testing.assert_allclose(left, [1e-6, 3e-6, 2e-6], atol=1e-18)


def test_a_volley_leaves_one_by_one_and_what_does_not_fit_is_lost() -> None:
    """Ten events at once, five places in the queue: the first leaves at once, five wait, four are lost."""
    left = carry(Links(event_rate_Hz=1e8, queue=5), [8e-7] * 10)
    np.testing.assert_allclose(left[:6], 8e-7 + 1e-8 * np.arange(6))
    assert np.isinf(left[6:]).all()


def test_overload_passes_the_rate_of_the_links() -> None:
    """Twice the rate for 1 ms: half of the 2,000 events are lost, but for those that wait at the end."""
    left = carry(Links(event_rate_Hz=1e6, queue=10), [0.5e-6 * i for i in range(2000)])
    assert abs(np.isfinite(left).sum() - 1000) <= 11
    gaps = np.diff(np.sort(left[np.isfinite(left)]))
    assert gaps.min() >= 1e-6 * (1 - 1e-9)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=40))
def test_with_a_long_queue_departures_follow_the_closed_form(slots: list[int]) -> None:
    """d_i = i T + max over j ≤ i of (a_j − j T), for sorted arrivals (Lindley)."""
    arrivals, service = CLOCK * np.sort(slots), 3 * CLOCK
    left = carry(Links(event_rate_Hz=1 / service, queue=1000), arrivals)
    place = service * np.arange(len(arrivals))
    expected = place + np.maximum.accumulate(arrivals - place) if len(arrivals) else arrivals
    np.testing.assert_allclose(left, expected, atol=1e-15)


def test_samples_do_not_wait_for_each_other() -> None:
    links = Links(event_rate_Hz=1e8, queue=5)
    both = links.carry(np.zeros(20), np.array([0, 10, 20]), clock=CLOCK)
    np.testing.assert_array_equal(both[:10], both[10:])


def test_links_that_carry_nothing_are_refused() -> None:
    with pytest.raises(InputError, match=r"links\.event_rate_Hz: got 0\.0"):
        Links(event_rate_Hz=0.0, queue=1)
    with pytest.raises(InputError, match=r"links\.queue: got 0"):
        Links(event_rate_Hz=1.0, queue=0)


def test_a_chip_has_no_limits_unless_given() -> None:
    assert ChipProfile(name="none", variation=Variation(), noise=Noise()).links is None
