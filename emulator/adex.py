"""Adaptive exponential neurons (AdEx), in the emulator's units.

Brette and Gerstner 2005 (doi:10.1152/jn.00686.2005), as BrainScaleS-2 circuits implement them (Pehle et al.
2022). With potentials u in units of the distance from leak to threshold V_T, counted from the leak,

    tau_mem du/dt = −u + Δ exp((u − 1)/Δ) − w + i
    tau_w   dw/dt = a u − w
    at u > u_peak:  u ← u_reset, w ← w + b

where i is the input as a potential, Δ the slope of the exponential, a and b the adaptation. Between events
the linear part is solved exactly and the exponential term held over the step (exponential Euler), which is
of first order.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class AdEx:
    """Parameters of a neuron; those that are 0 switch off what they belong to.

    Parameters
    ----------
    tau_mem, tau_w
        Time constants of membrane and adaptation [s of chip time].
    slope
        Δ; 0 makes the spike a threshold at 1.
    peak
        Potential at which a spike is counted; read only where ``slope`` is above 0.
    reset
        Potential after a spike.
    subthreshold, spike_triggered
        a and b.

    Raises
    ------
    InputError
        If a time constant or the peak is out of its domain.
    """

    tau_mem: float
    tau_w: float
    slope: float = 0.0
    peak: float = 2.0
    reset: float = 0.0
    subthreshold: float = 0.0
    spike_triggered: float = 0.0

    def __post_init__(self) -> None:
        for name in ("tau_mem", "tau_w"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"adex.{name}", value, "a finite time above 0 s")
        if not (math.isfinite(self.slope) and self.slope >= 0):
            raise InputError("adex.slope", self.slope, "a finite potential of at least 0")
        if self.slope > 0 and not self.peak > 1:
            raise InputError("adex.peak", self.peak, "a potential above the threshold, 1")

    @property
    def rheobase(self) -> float:
        """Constant input above which the neuron spikes without end, for slow adaptation: 1 − Δ."""
        return 1 - self.slope

    def step(
        self, potential: Array, adaptation: Array, current: Array, dt: float
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Advance by one step.

        Parameters
        ----------
        potential, adaptation
            u and w [...].
        current
            Input i of the step [...].
        dt
            Time step [s].

        Returns
        -------
        potential, adaptation, spikes
            u and w after the step and its resets, and whether a neuron spiked [...].
        """
        last = self.peak if self.slope > 0 else 1.0
        upswing = np.zeros_like(potential)
        if self.slope > 0:
            upswing = self.slope * np.exp((np.minimum(potential, last) - 1) / self.slope)
        drive = upswing - adaptation + current
        kept, kept_w = math.exp(-dt / self.tau_mem), math.exp(-dt / self.tau_w)
        following = drive + (potential - drive) * kept
        target = self.subthreshold * potential
        adaptation = target + (adaptation - target) * kept_w
        spikes = following > last
        following = np.where(spikes, self.reset, following)
        return following, adaptation + self.spike_triggered * spikes, spikes
