"""What a kernel is given to run, and what it fills: the same for every implementation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Trials:
    """All samples on all chips.

    Parameters
    ----------
    keys
        Noise keys of the trials [chip, sample, purpose, 2].
    times, units, offsets
        Input events: time [event, steps], source [event]; sample b has the events offsets[b] to
        offsets[b + 1] [sample + 1].
    steps
        Number of steps.
    read_steps, read_neurons
        The steps at whose beginning the converter reads [time], and the neurons it reads [read].
    layer_of
        Number of the layer of each spiking neuron [spiking neuron].
    spike_jitter
        Standard deviation of input spike times [steps].
    cadc_noise
        Standard deviation of the converter's read noise [codes].
    raster
        Whether the spikes between reads are recorded.
    """

    keys: NDArray[np.uint32]
    times: NDArray[np.float64]
    units: NDArray[np.int64]
    offsets: NDArray[np.int64]
    steps: int
    read_steps: NDArray[np.int64]
    read_neurons: NDArray[np.int64]
    layer_of: NDArray[np.int64]
    spike_jitter: float
    cadc_noise: float
    raster: bool


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What was recorded.

    Parameters
    ----------
    codes
        Converter codes [chip, sample, time, read].
    raster
        Spikes since the read before [chip, sample, time, spiking neuron]; without times if not recorded.
    counts
        Spikes of each spiking layer [chip, sample, layer].
    correlation
        Codes of the correlation sensors [chip, sample, order, source, neuron]; without sources if there are
        no sensors.
    """

    codes: NDArray[np.uint8]
    raster: NDArray[np.uint8]
    counts: NDArray[np.int64]
    correlation: NDArray[np.uint8]


def blank_recording(trials: Trials, *, synapses: tuple[int, int] = (0, 0)) -> Recording:
    """Return the arrays that a kernel fills; ``synapses`` [source, neuron] have correlation sensors."""
    trial, reads, spiking = trials.keys.shape[:2], len(trials.read_steps), len(trials.layer_of)
    return Recording(
        codes=np.zeros((*trial, reads, len(trials.read_neurons)), np.uint8),
        raster=np.zeros((*trial, reads if trials.raster else 0, spiking), np.uint8),
        counts=np.zeros((*trial, len(np.unique(trials.layer_of))), np.int64),
        correlation=np.zeros((*trial, 2, *synapses), np.uint8),
    )
