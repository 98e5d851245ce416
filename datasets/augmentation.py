"""Changes of spikes that leave the word what it is: more speakers than there are recordings of."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.events import SpikeDataset, SpikeEvents
from hearspike.errors import InputError


@dataclass(frozen=True)
class Augmentation:
    """Which changes are made to a sample in training, in this order; 0 leaves one out.

    Parameters
    ----------
    mix_share
        See `mix_samples`.
    channel_shift, channel_spread
        See `jitter_channels`.
    time_stretch
        See `stretch_times`.
    time_shift
        See `shift_times`.
    channel_mask
        See `mask_channels`.
    time_mask
        See `mask_times`.
    event_loss
        Spikes are lost with a probability that is drawn for each sample, uniformly up to this one.
    noise_rate_hz, noise_window
        See `add_noise_events`.
    """

    mix_share: float = 0.0
    channel_shift: float = 0.0
    channel_spread: float = 0.0
    time_stretch: float = 0.0
    time_shift: float = 0.0
    channel_mask: float = 0.0
    time_mask: float = 0.0
    event_loss: float = 0.0
    noise_rate_hz: float = 0.0
    noise_window: float = 0.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not 0.0 <= value < np.inf:
                raise InputError(f"augmentation.{item.name}", value, "a number of at least 0")
        for name in ("mix_share", "event_loss"):
            if getattr(self, name) > 1.0:
                raise InputError(f"augmentation.{name}", getattr(self, name), "0 to 1")

    def __call__(self, dataset: SpikeDataset, rng: np.random.Generator) -> SpikeDataset:
        """Change every sample; labels and speakers stay."""
        if self.mix_share:
            dataset = mix_samples(dataset, rng, share=self.mix_share)
        events = dataset.events
        if self.channel_shift or self.channel_spread:
            events = jitter_channels(events, rng, shift=self.channel_shift, spread=self.channel_spread)
        if self.time_stretch:
            events = stretch_times(events, rng, spread=self.time_stretch)
        if self.time_shift:
            events = shift_times(events, rng, largest=self.time_shift)
        if self.channel_mask:
            events = mask_channels(events, rng, widest=self.channel_mask)
        if self.time_mask:
            events = mask_times(events, rng, longest=self.time_mask)
        if self.event_loss:
            probability = rng.uniform(0.0, self.event_loss, size=len(events))[events.sample_of_event]
            kept = rng.random(len(events.times)) >= probability
            events = _kept(events, events.times, events.units, kept)
        if self.noise_rate_hz:
            events = add_noise_events(events, rng, rate_hz=self.noise_rate_hz, window=self.noise_window)
        return SpikeDataset(events, dataset.labels, dataset.speakers, dataset.classes)


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
    return _kept(events, events.times, units, kept)


def shift_times(events: SpikeEvents, rng: np.random.Generator, *, largest: float) -> SpikeEvents:
    """Start every sample earlier or later; spikes that would come before 0 s are dropped.

    Parameters
    ----------
    events
        Spikes of all samples.
    rng
        Source of the uniform random numbers, one for each sample.
    largest
        Largest shift in seconds, in both directions.
    """
    shift = rng.uniform(-largest, largest, size=len(events))[events.sample_of_event]
    times = events.times + shift
    kept = times >= 0.0
    return _kept(events, times, events.units, kept)


def stretch_times(events: SpikeEvents, rng: np.random.Generator, *, spread: float) -> SpikeEvents:
    """Speak every sample faster or slower.

    Parameters
    ----------
    events
        Spikes of all samples.
    rng
        Source of the normal random numbers, one for each sample.
    spread
        Standard deviation of the logarithm of the factor on all times.
    """
    factor = np.exp(rng.normal(0.0, spread, size=len(events)))[events.sample_of_event]
    return SpikeEvents(
        (events.times * factor).astype(np.float32), events.units, events.offsets, events.channels
    )


def mask_channels(events: SpikeEvents, rng: np.random.Generator, *, widest: float) -> SpikeEvents:
    """Silence a band of neighbouring channels of every sample (Park et al., arXiv:1904.08779, section 2).

    Parameters
    ----------
    events
        Spikes of all samples.
    rng
        Source of the uniform random numbers, a width and a place for each sample.
    widest
        Width of the widest band in channels; at most all channels are silenced.
    """
    width = rng.uniform(0.0, min(widest, events.channels), size=len(events))
    first = rng.uniform(0.0, events.channels - width)
    distance = events.units - first[events.sample_of_event]
    kept = (distance < 0) | (distance >= width[events.sample_of_event])
    return _kept(events, events.times, events.units, kept)


def mask_times(events: SpikeEvents, rng: np.random.Generator, *, longest: float) -> SpikeEvents:
    """Silence all channels of every sample for a while (Park et al., arXiv:1904.08779, section 2).

    Parameters
    ----------
    events
        Spikes of all samples.
    rng
        Source of the uniform random numbers, a duration and a place for each sample.
    longest
        Longest silence in seconds; it lies before the last spike of the sample.
    """
    last = np.zeros(len(events))
    filled = np.diff(events.offsets) > 0
    last[filled] = events.times[events.offsets[1:][filled] - 1]
    duration = np.minimum(rng.uniform(0.0, longest, size=len(events)), last)
    first = rng.uniform(0.0, last - duration)
    distance = events.times - first[events.sample_of_event]
    kept = (distance < 0) | (distance >= duration[events.sample_of_event])
    return _kept(events, events.times, events.units, kept)


def drop_events(events: SpikeEvents, rng: np.random.Generator, *, probability: float) -> SpikeEvents:
    """Lose every spike with the same probability, as a loaded link does.

    Parameters
    ----------
    events
        Spikes of all samples.
    rng
        Source of the uniform random numbers, one for each spike.
    probability
        Of a spike to be lost, 0 to 1.

    Raises
    ------
    InputError
        If it is no probability.
    """
    if not 0.0 <= probability <= 1.0:
        raise InputError("probability", probability, "0 to 1")
    kept = rng.random(len(events.times)) >= probability
    return _kept(events, events.times, events.units, kept)


def add_noise_events(
    events: SpikeEvents, rng: np.random.Generator, *, rate_hz: float, window: float
) -> SpikeEvents:
    """Add spikes of a Poisson process in every channel of every sample.

    Parameters
    ----------
    events
        Spikes of all samples.
    rng
        Source of the random numbers.
    rate_hz
        Rate of the process in each channel.
    window
        Added spikes lie between 0 and this time in seconds.
    """
    added = rng.poisson(rate_hz * window * events.channels, size=len(events))
    sample = np.repeat(np.arange(len(events)), added)
    times = rng.uniform(0.0, window, size=len(sample))
    units = rng.integers(events.channels, size=len(sample))
    return _rebuilt(
        events,
        np.concatenate([events.times, times]),
        np.concatenate([events.units, units]),
        np.concatenate([events.sample_of_event, sample]),
    )


def mix_samples(dataset: SpikeDataset, rng: np.random.Generator, *, share: float = 0.5) -> SpikeDataset:
    """Mix every sample with another of its class, spike by spike.

    Of the sample itself each spike stays with probability 1 - ``share``, of the other each comes in
    with probability ``share``, so the number of spikes stays about the same. A class of one sample is
    mixed with itself.

    Parameters
    ----------
    dataset
        The samples; labels and speakers stay those of the sample itself.
    rng
        Source of the random numbers.
    share
        Share of the other sample, 0 to 1.

    Raises
    ------
    InputError
        If it is no share.
    """
    if not 0.0 <= share <= 1.0:
        raise InputError("share", share, "0 to 1")
    partner = np.arange(len(dataset))
    for label in np.unique(dataset.labels):
        members = np.flatnonzero(dataset.labels == label)
        # Each takes the next one in a shuffled circle, so nobody meets himself in a class of two or more.
        circle = rng.permutation(members)
        partner[circle] = np.roll(circle, 1)
    events, others = dataset.events, dataset.events.select(partner)
    own = rng.random(len(events.times)) >= share
    foreign = rng.random(len(others.times)) < share
    mixed = _rebuilt(
        events,
        np.concatenate([events.times[own], others.times[foreign]]),
        np.concatenate([events.units[own], others.units[foreign]]),
        np.concatenate([events.sample_of_event[own], others.sample_of_event[foreign]]),
    )
    return SpikeDataset(mixed, dataset.labels, dataset.speakers, dataset.classes)


def _kept(
    events: SpikeEvents,
    times: NDArray[np.floating],
    units: NDArray[np.integer],
    kept: NDArray[np.bool_],
) -> SpikeEvents:
    """Keep some spikes, which are in order already."""
    counts = np.bincount(events.sample_of_event[kept], minlength=len(events))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return SpikeEvents(
        times[kept].astype(np.float32), units[kept].astype(np.uint16), offsets, events.channels
    )


def _rebuilt(
    events: SpikeEvents,
    times: NDArray[np.floating],
    units: NDArray[np.integer],
    sample_of_event: NDArray[np.int64],
) -> SpikeEvents:
    """Put spikes in any order back into samples in the order of time."""
    times = times.astype(np.float32)
    order = np.lexsort((times, sample_of_event))
    counts = np.bincount(sample_of_event, minlength=len(events))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return SpikeEvents(times[order], units[order].astype(np.uint16), offsets, events.channels)
