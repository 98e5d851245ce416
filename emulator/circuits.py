"""Circuits of the chip that a network uses beside leaky neurons and constant pulses of current.

Each mechanism is a module with its equations, its parameters and the state of a trial, and a setting that
switches it off exactly: with it, a run is that of the plain chip bit for bit. A new mechanism is one more of
each, a field here and the line of `hearspike.emulator.reference` in which it acts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.adex import LEAKY, AdEx, AdExMembranes
from hearspike.emulator.conductance import CURRENT, Conductance
from hearspike.emulator.correlation import CorrelationSensor, SynapseSensors
from hearspike.emulator.dynamics import StepConstants
from hearspike.emulator.placement import Placement
from hearspike.emulator.short_term_plasticity import CONSTANT, ShortTermPlasticity, SynapseDrivers
from hearspike.errors import InputError

INPUT = "input"


@dataclass(frozen=True, kw_only=True)
class Circuits:
    """What a network uses of the chip; nothing unless given.

    Parameters
    ----------
    plasticity
        Short-term plasticity by where the spikes come from: ``"input"``, or the name of a spiking layer.
    adex
        Adaptive exponential neurons by the name of their spiking layer.
    conductance
        Conductance-based synapses by the name of the layer that they feed, which may be the readout.
    correlation
        Sensors in all synapses, reset before each sample and read after it; None for no sensors.

    Examples
    --------
    >>> from hearspike.emulator.short_term_plasticity import ShortTermPlasticity
    >>> tired = ShortTermPlasticity(utilisation=0.3, tau_recovery=20e-6)
    >>> Circuits(plasticity={"input": tired}).correlation is None
    True
    """

    plasticity: Mapping[str, ShortTermPlasticity] = field(default_factory=dict)
    adex: Mapping[str, AdEx] = field(default_factory=dict)
    conductance: Mapping[str, Conductance] = field(default_factory=dict)
    correlation: CorrelationSensor | None = None

    def on(self, placement: Placement, *, step: float) -> "PlacedCircuits":
        """Return the circuits of each source and neuron of a network, for a step of ``step`` seconds.

        Raises
        ------
        InputError
            If the network has no such layer.
        """
        names = [layer.name for layer in placement.layers]
        for kind, given, known in (
            ("plasticity", self.plasticity, [INPUT, *names[:-1]]),
            ("adex", self.adex, names[:-1]),
            ("conductance", self.conductance, names),
        ):
            for name in given:
                if name not in known:
                    raise InputError(f"circuits.{kind}", name, f"one of {', '.join(known)}")
        sizes = [len(layer.leak) for layer in placement.layers]
        neurons = list(zip(names, sizes, strict=True))
        reversal = [self.conductance.get(name, CURRENT) for name, size in neurons for _ in range(size)]
        return PlacedCircuits(
            step=step,
            plasticity=tuple(
                self.plasticity.get(name, CONSTANT)
                for name, size in [(INPUT, placement.inputs), *neurons[:-1]]
                for _ in range(size)
            ),
            adex=tuple(self.adex.get(name, LEAKY) for name, size in neurons for _ in range(size)),
            per_reversal=np.array(
                [[1 / one.excitatory for one in reversal], [1 / one.inhibitory for one in reversal]],
                np.float32,
            ),
            correlation=self.correlation,
        )


@dataclass(frozen=True, kw_only=True)
class PlacedCircuits:
    """The circuits of a network on a chip.

    Parameters
    ----------
    step
        Time step [s of chip time].
    plasticity
        Of each source: inputs, then spiking neurons [source].
    adex
        Of each neuron [neuron].
    per_reversal
        One over the reversal potential of each sign [sign, neuron].
    correlation
        Sensor of each synapse, or None.
    """

    step: float
    plasticity: tuple[ShortTermPlasticity, ...]
    adex: tuple[AdEx, ...]
    per_reversal: NDArray[np.float32]
    correlation: CorrelationSensor | None

    def drivers(self) -> SynapseDrivers:
        """Return the drivers as a trial begins."""
        return SynapseDrivers(self.plasticity, step=self.step)

    def membranes(self, constants: StepConstants, chip: int) -> AdExMembranes:
        """Return the membranes of a chip as a trial begins."""
        decay, threshold = constants.decay_mem[chip], constants.threshold[chip]
        return AdExMembranes(self.adex, decay_mem=decay, threshold=threshold, step=self.step)

    def sensors(self) -> SynapseSensors | None:
        """Return the sensors as a trial begins, or None."""
        if self.correlation is None:
            return None
        return SynapseSensors(self.correlation, len(self.plasticity), len(self.adex), step=self.step)
