"""What an emulation returns, and what it decides."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.activity import Activity
from hearspike.errors import InputError

Decision = Literal["maximum", "sum", "last"]


@dataclass(frozen=True, kw_only=True)
class Emulation:
    """What the chips returned.

    Parameters
    ----------
    cadc
        Codes of the converter [chip, sample, time, neuron]: the readouts, or all neurons with the readouts
        last if everything was recorded.
    spikes
        Spikes since the read before [chip, sample, time, spiking neuron]; None unless everything was
        recorded.
    layer_spikes
        Spikes of each spiking layer [chip, sample].
    read_times
        Times of the reads [time, s of network time].
    rest
        Resting code of each readout: the mean over a run with all synapses at 0, so that neurons that fire
        without input are evidence like others [chip, readout].
    bias
        Codes by which a bias of the network holds each readout above its leak [readout].
    time_on_chip
        Chip time that a sample takes [s].
    saturated
        Share of readout codes at either end of the converter's range [chip].
    lost_events
        Input events of each sample that were lost on saturated links [sample].
    duration
        Time for which a sample was presented [s of network time].
    activity
        What a chip did for a sample, mean over chips and samples.
    correlation
        Codes of the correlation sensors, causal then anticausal [chip, sample, order, source, neuron]; None
        unless asked for.
    time_before
        Chip time of the runs before the one that holds the readout [s].
    """

    cadc: NDArray[np.uint8]
    spikes: NDArray[np.uint8] | None
    layer_spikes: dict[str, NDArray[np.int64]]
    read_times: NDArray[np.float64]
    rest: NDArray[np.float64]
    bias: NDArray[np.float64]
    time_on_chip: float
    saturated: NDArray[np.float64]
    lost_events: NDArray[np.int64]
    duration: float
    activity: Activity
    correlation: NDArray[np.uint8] | None = None
    time_before: float = 0.0

    def decide(self, rule: Decision) -> NDArray[np.int64]:
        """Return the label of the readout with the largest score [chip, sample].

        The score of a readout is the maximum, the sum over time, or the last of its codes, from which its
        resting code is subtracted: an offset of leak or converter is not evidence. A tie goes to the lower
        label.

        Raises
        ------
        InputError
            If there is no such rule.
        """
        if rule not in ("maximum", "sum", "last"):
            raise InputError("rule", rule, "one of maximum, sum, last")
        codes = self.cadc[..., -self.rest.shape[1] :]
        shift = (self.bias - self.rest)[:, None, :]
        if rule == "sum":
            scores = codes.sum(axis=2, dtype=np.int64) + codes.shape[2] * shift
        else:
            scores = (codes.max(axis=2) if rule == "maximum" else codes[:, :, -1]) + shift
        labels: NDArray[np.int64] = scores.argmax(axis=-1)
        return labels

    def decision_times(self, rule: Decision) -> NDArray[np.float64]:
        """Return the chip time of the read from which on a decision stays as it ends [chip, sample, s].

        What `decide` would say after each read is compared with what it says after the last.

        Raises
        ------
        InputError
            If there is no such rule.
        """
        final = self.decide(rule)
        codes = self.cadc[..., -self.rest.shape[1] :]
        shift = (self.bias - self.rest)[:, None, :]
        settled = np.zeros(final.shape, np.int64)
        shown = np.zeros((*final.shape, codes.shape[-1]))
        for read in range(codes.shape[2]):
            if rule == "sum":
                shown += codes[:, :, read] + shift
            else:
                code = codes[:, :, read] + shift
                shown = np.maximum(shown, code) if rule == "maximum" and read else code
            settled = np.where(shown.argmax(axis=-1) != final, read + 1, settled)
        scale = (self.time_on_chip - self.time_before) / self.duration
        times: NDArray[np.float64] = self.time_before + scale * self.read_times[settled]
        return times
