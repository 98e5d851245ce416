"""Energy of an inference from what the chip did: a static power, and an amount for each event."""

import math
from dataclasses import dataclass, fields
from typing import Literal

from hearspike.emulator.activity import Activity
from hearspike.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Constant:
    """A constant of a model with its origin.

    Parameters
    ----------
    value
        The number, in the unit of the field that holds it.
    source
        Where it comes from.
    trust
        ``published``, ``derived`` from published numbers, or ``assumed``.
    """

    value: float
    source: str
    trust: Literal["published", "derived", "assumed"]


@dataclass(frozen=True, kw_only=True)
class ActivityEnergy:
    """E = P T + Σ n e: static power times time, and an energy for each event of a kind.

    Parameters
    ----------
    static_power_W
        Power of an idle chip [W].
    input_event_pJ, synaptic_event_pJ, spike_pJ, conversion_pJ
        Energy of an input event on its way to the synapses, of an event in a synapse, of a spike of a neuron,
        and of reading a neuron once [pJ].

    Raises
    ------
    InputError
        If a constant is negative or not finite.

    Examples
    --------
    >>> power, event, free = (Constant(value=v, source="example", trust="assumed") for v in (0.1, 10.0, 0.0))
    >>> model = ActivityEnergy(
    ...     static_power_W=power,
    ...     input_event_pJ=free,
    ...     synaptic_event_pJ=event,
    ...     spike_pJ=free,
    ...     conversion_pJ=free,
    ... )
    >>> activity = Activity(time=1e-6, input_events=10, synaptic_events=1000, spikes=5, conversions=20)
    >>> f"{model.energy_of(activity):.3g}"  # 100 nJ static and 10 nJ in synapses
    '1.1e-07'
    """

    static_power_W: Constant
    input_event_pJ: Constant
    synaptic_event_pJ: Constant
    spike_pJ: Constant
    conversion_pJ: Constant

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name).value
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"energy.{field.name}.value", value, "a finite number of at least 0")

    @property
    def name(self) -> str:
        """Name of the model with its least trusted kind of constant."""
        trusts = {getattr(self, field.name).trust for field in fields(self)}
        least = next(trust for trust in ("assumed", "derived", "published") if trust in trusts)
        return f"activity ({least} constants)"

    def energy_of(self, activity: Activity) -> float:
        """Return the energy [J] of a sample."""
        events_pJ = (
            self.input_event_pJ.value * activity.input_events
            + self.synaptic_event_pJ.value * activity.synaptic_events
            + self.spike_pJ.value * activity.spikes
            + self.conversion_pJ.value * activity.conversions
        )
        return self.static_power_W.value * activity.time + events_pJ * 1e-12
