"""What a chip did for a sample: what energy models count."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.placement import Placement
from hearspike.emulator.trials import Recording


@dataclass(frozen=True, kw_only=True)
class Activity:
    """What a chip did for a sample, on average: what an energy model counts.

    Parameters
    ----------
    time
        Chip time [s].
    input_events, synaptic_events, spikes, conversions
        Events that came in, events in synapses whose weight is not 0, spikes of neurons, reads of neurons. A
        spiking layer counts with the mean number of synapses of its neurons.
    """

    time: float
    input_events: float
    synaptic_events: float
    spikes: float
    conversions: float

    def __add__(self, other: "Activity") -> "Activity":
        return Activity(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    def scaled(self, factor: float) -> "Activity":
        """Return the activity times a factor."""
        return Activity(**{f.name: factor * getattr(self, f.name) for f in fields(self)})


def count_activity(
    placement: Placement,
    events: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]],
    shown: Recording,
    seconds: float,
) -> Activity:
    """Return what a chip did for a sample, mean over chips and samples."""
    samples = max(len(events[2]) - 1, 1)
    presented = events[1][events[0] < seconds * placement.time_scale]
    synapses = np.zeros(placement.inputs + placement.spiking)  # of each source
    for layer in placement.layers:
        np.add.at(synapses, layer.sources, (layer.weights != 0).sum(axis=1))
    by_layer = shown.counts.reshape(-1, shown.counts.shape[-1]).mean(axis=0) if shown.counts.size else []
    synaptic = float(synapses[presented].sum()) / samples
    for layer, spikes in zip(placement.layers, by_layer, strict=False):
        own = slice(placement.inputs + layer.neurons.start, placement.inputs + layer.neurons.stop)
        synaptic += float(spikes * synapses[own].mean())
    return Activity(
        time=seconds,
        input_events=len(presented) / samples,
        synaptic_events=synaptic,
        spikes=float(np.sum(by_layer)),
        conversions=float(shown.codes.shape[2] * shown.codes.shape[3]),
    )
