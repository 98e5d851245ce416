"""Short-term plasticity of synapse drivers: pulses get weaker, or stronger, with use.

Tsodyks and Markram 1997 (doi:10.1073/pnas.94.2.719), the model that the drivers of BrainScaleS-2 follow: each
presynaptic event uses a share U of the resources R, which recover with tau_rec:

    strength of the event = R before it,  R ← R (1 − U),  dR/dt = (1 − R)/tau_rec

for depression; facilitation strengthens instead, strength = 1 + λ (1 − R). For a regular train of interval Δ
the stationary resources before an event are R∞ = (1 − e) / (1 − (1 − U) e) with e = exp(−Δ/tau_rec).
"""

import math
from collections.abc import Sequence
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
        if not (math.isfinite(self.facilitation) and self.facilitation >= 0):
            raise InputError("plasticity.facilitation", self.facilitation, "a finite number of at least 0")
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


CONSTANT = ShortTermPlasticity(utilisation=0.0, tau_recovery=1.0)
"""A driver whose pulses are all the same."""


class SynapseDrivers:
    """The drivers of a trial, each with its own resources: all synapses of a source see the same strength.

    Parameters
    ----------
    settings
        Plasticity of each source [source].
    step
        Time step [s of chip time].
    """

    def __init__(self, settings: Sequence[ShortTermPlasticity], *, step: float) -> None:
        depressing = np.array([one.kind == "depression" for one in settings])
        gain = np.array([one.facilitation for one in settings])
        self._used = np.array([one.utilisation for one in settings])
        self._rate = np.array([step / one.tau_recovery for one in settings])
        self._base, self._slope = np.where(depressing, 0, 1 + gain), np.where(depressing, 1, -gain)
        self._resources, self._last = np.ones(len(settings)), np.zeros(len(settings), np.int64)

    def use(self, source: int, step: int) -> np.float32:
        """Return the strength of an event of the source in this step, which uses its share."""
        recovered = math.exp(-(step - self._last[source]) * self._rate[source])
        resources = 1 - (1 - self._resources[source]) * recovered
        self._resources[source], self._last[source] = resources * (1 - self._used[source]), step
        return np.float32(self._base[source] + self._slope[source] * resources)
