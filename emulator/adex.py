"""Adaptive exponential neurons (AdEx), in the emulator's units.

Brette and Gerstner 2005 (doi:10.1152/jn.00686.2005), as BrainScaleS-2 circuits implement them (Pehle et al.
2022). With potentials u in units of the distance from leak to threshold V_T, counted from the nominal leak,

    tau_mem du/dt = −u + Δ exp((u − θ)/Δ) − w + i
    tau_w   dw/dt = a u − w
    at u > u_peak:  u ← u_reset, w ← w + b

where i is the input as a potential (synapses, biases, noise), θ the neuron's own threshold, Δ the slope of
the exponential, a and b the adaptation. Between events the linear part is solved exactly and the exponential
and the adaptation are held over the step (exponential Euler), which is of first order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.errors import InputError

Float = NDArray[np.float32]

LARGEST_EXPONENT = 80.0  # of e, within the range of float32


@dataclass(frozen=True, kw_only=True)
class AdEx:
    """What a neuron has beside a leaky membrane; each part that is 0 is switched off.

    Membrane time constant, threshold and reset are those of the network and the chip.

    Parameters
    ----------
    tau_w
        Time constant of the adaptation [s of chip time].
    slope
        Δ; 0 makes the spike a threshold.
    peak
        Potential at which a spike is counted where the threshold is 1; read only where ``slope`` is above 0.
    subthreshold, spike_triggered
        a and b.

    Raises
    ------
    InputError
        If a value is out of its domain.
    """

    tau_w: float
    slope: float = 0.0
    peak: float = 2.0
    subthreshold: float = 0.0
    spike_triggered: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.tau_w) and self.tau_w > 0):
            raise InputError("adex.tau_w", self.tau_w, "a finite time above 0 s")
        if not (math.isfinite(self.slope) and self.slope >= 0):
            raise InputError("adex.slope", self.slope, "a finite potential of at least 0")
        if self.slope > 0 and not self.peak > 1:
            raise InputError("adex.peak", self.peak, "a potential above the threshold, 1")
        if self.slope > 0 and not (self.peak - 1) / self.slope <= LARGEST_EXPONENT:
            least = (self.peak - 1) / LARGEST_EXPONENT
            raise InputError("adex.slope", self.slope, f"0, or at least {least:.3g} with this peak")
        for name in ("subthreshold", "spike_triggered"):
            if not math.isfinite(getattr(self, name)):
                raise InputError(f"adex.{name}", getattr(self, name), "a finite number")

    @property
    def rheobase(self) -> float:
        """Constant input above which the neuron spikes without end, for slow adaptation: 1 − Δ."""
        return 1 - self.slope


LEAKY = AdEx(tau_w=1.0)
"""No exponential and no adaptation: the neuron that is there anyway."""


class AdExMembranes:
    """The neurons of a trial, each with its own settings.

    Parameters
    ----------
    settings
        AdEx parameters of each neuron [neuron].
    decay_mem
        exp(−h/tau_mem) [neuron].
    threshold
        θ, infinite where a neuron does not spike [neuron].
    step
        h [s of chip time].
    """

    def __init__(self, settings: Sequence[AdEx], *, decay_mem: Float, threshold: Float, step: float) -> None:
        def each(name: str) -> Float:
            return np.array([getattr(one, name) for one in settings], np.float32)

        self._slope, self._theta = each("slope"), threshold
        self._exponential = self._slope > 0
        self._moved_share = 1 - decay_mem
        self._kept = np.exp(-step / each("tau_w")).astype(np.float32)
        self._subthreshold, self._jump = each("subthreshold"), each("spike_triggered")
        self.adaptation: Float = np.zeros(len(settings), np.float32)
        self.peak: Float = np.where(self._exponential, threshold + each("peak") - 1, threshold)

    def advance(self, potential: Float) -> Float:
        """Return what exponential and adaptation add to the potentials in a step; w follows [neuron]."""
        on = self._exponential
        upswing = np.zeros_like(potential)
        beyond = np.minimum(potential, self.peak)[on] - self._theta[on]
        upswing[on] = self._slope[on] * np.exp(beyond / self._slope[on])
        added: Float = (upswing - self.adaptation) * self._moved_share
        target = self._subthreshold * potential
        self.adaptation = target + (self.adaptation - target) * self._kept
        return added

    def spike(self, fired: NDArray[np.int64]) -> None:
        """Raise the adaptation of the neurons that spiked."""
        self.adaptation[fired] += self._jump[fired]
