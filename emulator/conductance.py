"""Conductance-based synapses: a pulse is weaker the nearer the membrane is to the reversal potential.

With g the conductances of excitatory and inhibitory input over that of the leak, E the reversal potentials
and v counted from the leak,

    tau_mem dv/dt = −v + g_exc (E_exc − v) + g_inh (E_inh − v)

whose stationary potential is (g_exc E_exc + g_inh E_inh) / (1 + g_exc + g_inh). Scaled so that a synapse has
at rest the strength that it has as a current, I = g E, the input of a sign is I (1 − v/E), with the potential
held over a step: of first order. E without bound gives the current-based synapse.
"""

import math
from dataclasses import dataclass

from hearspike.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Conductance:
    """Reversal potentials in units of the distance from leak to threshold, counted from the leak.

    Parameters
    ----------
    excitatory, inhibitory
        Where excitatory input stops to lift and inhibitory input to lower the membrane; infinite for a
        current.

    Raises
    ------
    InputError
        If the excitatory one is not above, or the inhibitory one not below the leak.
    """

    excitatory: float = math.inf
    inhibitory: float = -math.inf

    def __post_init__(self) -> None:
        if not self.excitatory > 0:
            raise InputError("conductance.excitatory", self.excitatory, "a potential above the leak, 0")
        if not self.inhibitory < 0:
            raise InputError("conductance.inhibitory", self.inhibitory, "a potential below the leak, 0")


CURRENT = Conductance()
"""Synapses whose pulse does not depend on the membrane."""
