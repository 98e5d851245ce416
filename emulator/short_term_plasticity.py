"""Short-term plasticity of synapse drivers: pulses get weaker, or stronger, with use.

Tsodyks and Markram 1997 (doi:10.1073/pnas.94.2.719), the model that the drivers of BrainScaleS-2 follow: each
presynaptic event uses a share U of the resources R, which recover with tau_rec:

    strength of the event = R before it,  R ← R (1 − U),  dR/dt = (1 − R)/tau_rec

for depression; facilitation strengthens instead, strength = 1 + λ (1 − R). For a regular train of interval Δ
the stationary resources before an event are R∞ = (1 − e) / (1 − (1 − U) e) with e = exp(−Δ/tau_rec).
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hearspike.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ShortTermPlasticity:
    """One driver's settings.

    Parameters
    ----------
    utilisation
        U, share of the resources that an event uses; 0 switches plasticity off.
    tau_recovery
        Time constant of the recovery [s of chip time].
    kind
        ``depression`` or ``facilitation``.
    facilitation
        λ, largest relative increase of the strength.

    Raises
    ------
    InputError
        If a value is out of its domain.
    """

    utilisation: float
    tau_recovery: float
    kind: Literal["depression", "facilitation"] = "depression"
    facilitation: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.utilisation <= 1:
            raise InputError("plasticity.utilisation", self.utilisation, "a share from 0 to 1")
        if not (math.isfinite(self.tau_recovery) and self.tau_recovery > 0):
            raise InputError("plasticity.tau_recovery", self.tau_recovery, "a finite time above 0 s")
        if self.kind not in ("depression", "facilitation"):
            raise InputError("plasticity.kind", self.kind, "one of depression, facilitation")

    def strengths(self, times: Array) -> Array:
        """Return the strength of each event of one source [event].

        Parameters
        ----------
        times
            Times of the events, in order [event, s of chip time].

        Raises
        ------
        InputError
            If times fall.
        """
        if len(times) and (np.diff(times) < 0).any():
            raise InputError("times", "events that are not in order", "times that do not fall")
        before = np.empty(len(times))
        resources = 1.0
        for k, interval in enumerate(np.diff(times, prepend=times[:1])):
            resources = 1 - (1 - resources) * math.exp(-interval / self.tau_recovery)
            before[k] = resources
            resources *= 1 - self.utilisation
        return before if self.kind == "depression" else 1 + self.facilitation * (1 - before)
