"""Changes of spikes that leave the word what it is: more speakers than there are recordings of."""

import numpy as np

from hearspike.datasets.events import SpikeEvents


def jitter_channels(
    events: SpikeEvents, rng: np.random.Generator, *, shift: float, spread: float
) -> SpikeEvents:
    """Move the spikes of every sample along the channels, all by one distance and each by its own.

    A common shift along the basilar membrane is what a longer or shorter vocal tract does; the spread
    of single spikes is the augmentation of Cramer et al. (PNAS 2022). Spikes that would leave the
    channels are dropped.

    Parameters
    ----------
    events
        Spikes of all samples.
    rng
        Source of the normal random numbers.
    shift
        Standard deviation of the distance that all spikes of a sample move, in channels.
    spread
        Standard deviation of the further distance that each spike moves, in channels.
    """
    distance = rng.normal(0.0, shift, size=len(events))[events.sample_of_event]
    distance += rng.normal(0.0, spread, size=len(events.units))
    units = np.rint(events.units + distance).astype(np.int64)
    kept = (units >= 0) & (units < events.channels)
    counts = np.bincount(events.sample_of_event[kept], minlength=len(events))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return SpikeEvents(events.times[kept], units[kept].astype(np.uint16), offsets, events.channels)
