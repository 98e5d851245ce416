"""Changes of when spikes come that leave how many there are: what a probe of timing is made of.

Every function keeps the number of spikes of every sample in every channel.
"""

import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.events import SpikeEvents
from hearspike.errors import InputError


def draw_times(events: SpikeEvents, rng: np.random.Generator, *, window: float) -> SpikeEvents:
    """Draw every spike time anew, uniformly from a window that is the same for every sample.

    Nothing is left of a sample but its counts: not even how long it was.

    Parameters
    ----------
    events
        Spikes of all samples.
    rng
        Source of the uniform random numbers.
    window
        Length of the window in seconds.

    Raises
    ------
    InputError
        If the window is not above 0.
    """
    if not 0.0 < window < np.inf:
        raise InputError("window", window, "seconds above 0")
    # The largest float32 below the window: rounding must not carry a spike out of it.
    latest = np.nextafter(np.float32(window), np.float32(0))
    return _with_times(events, np.minimum(rng.uniform(0.0, window, size=len(events.times)), latest))


def shuffle_intervals(events: SpikeEvents, rng: np.random.Generator) -> SpikeEvents:
    r"""Put the intervals between the spikes of every channel in another order, chosen at random.

    With spikes at :math:`t_1 \le \dots \le t_n` in a channel of a sample whose last spike, in any channel,
    is at :math:`T`, the intervals are :math:`t_1, t_2 - t_1, \dots, T - t_n`. Kept are counts, intervals and
    the sample's length; what is lost is at which time a channel was active.

    Parameters
    ----------
    events
        Spikes of all samples.
    rng
        Source of the random numbers.
    """
    if not len(events.times):
        return events
    train = events.sample_of_event * events.channels + events.units
    order = np.lexsort((events.times, train))
    times, train = events.times[order].astype(np.float64), train[order]
    first = np.flatnonzero(np.concatenate([[True], train[1:] != train[:-1]]))
    counts = np.diff(np.append(first, len(train)))
    end = _ends(events)[train[first] // events.channels]
    # Every train of n spikes becomes n + 1 intervals; the last one of each is what follows its last spike.
    starts = np.arange(len(first)) + first
    places = np.arange(len(train)) + np.repeat(np.arange(len(first)), counts)
    points = np.empty(len(train) + len(first))
    points[places], points[starts + counts] = times, end
    intervals = np.diff(points, prepend=0.0)
    intervals[starts] = points[starts]
    owner = np.repeat(np.arange(len(first)), counts + 1)
    intervals = intervals[np.lexsort((rng.random(len(intervals)), owner))]
    total = np.cumsum(intervals)
    before = np.concatenate([[0.0], total])[starts]
    shuffled = np.empty_like(times)
    shuffled[order] = total[places] - np.repeat(before, counts)
    return _with_times(events, shuffled)


def reverse_times(events: SpikeEvents) -> SpikeEvents:
    """Play every sample backwards, from its last spike to its first."""
    ends, starts = _ends(events), _starts(events)
    return _with_times(events, (starts + ends)[events.sample_of_event] - events.times)


def jitter_times(events: SpikeEvents, rng: np.random.Generator, *, deviation: float) -> SpikeEvents:
    """Move every spike by a normal time; what would come before 0 s is reflected there.

    Parameters
    ----------
    events
        Spikes of all samples.
    rng
        Source of the normal random numbers.
    deviation
        Standard deviation in seconds; 0 changes nothing.

    Raises
    ------
    InputError
        If the deviation is negative.
    """
    if not 0.0 <= deviation < np.inf:
        raise InputError("deviation", deviation, "seconds, at least 0")
    return _with_times(events, np.abs(events.times + rng.normal(0.0, deviation, size=len(events.times))))


def _ends(events: SpikeEvents) -> NDArray[np.float64]:
    """[sample] Time of the last spike; 0 where there is none."""
    return _edge(events, events.offsets[1:] - 1)


def _starts(events: SpikeEvents) -> NDArray[np.float64]:
    """[sample] Time of the first spike; 0 where there is none."""
    return _edge(events, events.offsets[:-1])


def _edge(events: SpikeEvents, index: NDArray[np.int64]) -> NDArray[np.float64]:
    found = np.zeros(len(events))
    spiking = np.diff(events.offsets) > 0
    found[spiking] = events.times[index[spiking]]
    return found


def _with_times(events: SpikeEvents, times: NDArray[np.floating]) -> SpikeEvents:
    """Give every spike a new time and put each sample back in the order of time."""
    times = times.astype(np.float32)
    order = np.lexsort((times, events.sample_of_event))
    return SpikeEvents(times[order], events.units[order], events.offsets, events.channels)
