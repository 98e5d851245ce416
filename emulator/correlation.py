"""Correlation sensors of synapses, and updates of weights from them, as the plasticity processors make.

A sensor adds up nearest-neighbour pairs of a presynaptic and a postsynaptic spike (Friedmann et al. 2017,
doi:10.1109/TBCAS.2016.2579164): a causal pair adds η exp(−(t_post − t_pre)/τ) to one sum, an anticausal pair
η exp(−(t_pre − t_post)/τ) to the other. Sums are read by the converter as 8-bit codes. Processors work on
vectors of 8 or 16 bits that saturate instead of overflowing, and weights stay within their 6 bits.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.specification import BSS2
from hearspike.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class CorrelationSensor:
    """A synapse's sensor.

    Parameters
    ----------
    amplitude_lsb
        η: what a pair without delay adds, in converter codes.
    tau
        Time constant [s of chip time].

    Raises
    ------
    InputError
        If a value is not positive and finite.
    """

    amplitude_lsb: float
    tau: float

    def __post_init__(self) -> None:
        for name in ("amplitude_lsb", "tau"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"correlation.{name}", value, "a finite number above 0")

    def accumulate(self, before: Array, after: Array) -> tuple[float, float]:
        """Return the causal and the anticausal sum of two spike trains, in codes before rounding.

        Each postsynaptic spike pairs with the presynaptic one right before it, and the other way round; a
        spike pairs once, so that of several spikes in a row only the nearest counts.

        Parameters
        ----------
        before, after
            Times of presynaptic and postsynaptic spikes, in order [spike, s of chip time].
        """
        return self._pairs(before, after), self._pairs(after, before)

    def _pairs(self, first: Array, second: Array) -> float:
        place = np.searchsorted(first, second, side="left") - 1  # the last of `first` before each of `second`
        paired = place >= 0
        nearest = np.unique(place[paired], return_index=True)[1]  # only the first that follows
        delay = second[paired][nearest] - first[place[paired][nearest]]
        return float(self.amplitude_lsb * np.exp(-delay / self.tau).sum())


class SynapseSensors:
    """The sensors of all synapses in a trial: the sums of `CorrelationSensor.accumulate` as they grow.

    An event is at the beginning of its step, the spike of a neuron at the end.

    Parameters
    ----------
    sensor
        The sensor of each synapse.
    sources, neurons
        Size of the array.
    step
        Time step [s of chip time].
    """

    def __init__(self, sensor: CorrelationSensor, sources: int, neurons: int, *, step: float) -> None:
        self._amplitude, self._rate = sensor.amplitude_lsb, step / sensor.tau
        self._before, self._after = np.zeros((sources, 1)), np.zeros((1, neurons))
        self._waiting = np.zeros((2, sources, neurons), np.bool_)  # [order, source, neuron]
        self.sums = np.zeros((2, sources, neurons))

    def event(self, source: int, step: int) -> None:
        """Pair an event with the spikes before it that no event has followed."""
        paired = self._waiting[1, source] & (self._after[0] < step)
        delay = step - self._after[0, paired]
        self.sums[1, source, paired] += self._amplitude * np.exp(-delay * self._rate)
        self._waiting[1, source, paired] = False
        self._before[source], self._waiting[0, source] = step, True

    def spikes(self, fired: NDArray[np.int64], step: int) -> None:
        """Pair spikes at the end of the step with the events before them that no spike has followed."""
        paired = self._waiting[0][:, fired]
        delay = step + 1 - self._before
        self.sums[0][:, fired] += paired * self._amplitude * np.exp(-delay * self._rate)
        self._waiting[0][:, fired] = False
        self._after[0, fired], self._waiting[1][:, fired] = step + 1, True


def read_sums(sums: Array) -> NDArray[np.uint8]:
    """Return sums as converter codes, rounded and saturated."""
    return np.clip(np.rint(sums), 0, BSS2.cadc_maximum).astype(np.uint8)


def saturating_add(values: NDArray[np.int8], increments: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the sum of vectors of 8 bits, saturated at −128 and 127 as the vector unit does."""
    total = values.astype(np.int16) + increments.astype(np.int16)
    return np.clip(total, -128, 127).astype(np.int8)


def update_weights(
    weights: NDArray[np.int8], causal: NDArray[np.uint8], anticausal: NDArray[np.uint8], *, shift: int
) -> NDArray[np.int8]:
    """Return 6-bit weights after an additive update by spike timing.

    Δw = (c₊ − c₋) / 2^shift, rounded towards −∞ as an arithmetic shift does; weights stay within 0 and 63.

    Raises
    ------
    InputError
        If the shift is negative or beyond 15 bits.
    """
    if not 0 <= shift <= 15:
        raise InputError("shift", shift, "0 to 15 bits")
    difference = causal.astype(np.int16) - anticausal.astype(np.int16)
    increments = np.clip(difference >> shift, -128, 127).astype(np.int8)
    return np.clip(saturating_add(weights, increments), 0, BSS2.weight_maximum).astype(np.int8)
