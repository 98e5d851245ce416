"""What a chip lets one observe: traces, converter reads and spike counts, with noise, and nothing else.

`Laboratory.observe` runs one experiment on all chips and circuits at once and returns readings. Membranes and
lines are linear between events, so traces are their closed forms, to which noise and rounding are added.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.bias_cells import BiasCodes, Circuits, Physical, respond
from hearspike.emulator.specification import BSS2, ChipSpecification

Array = NDArray[np.float64]

TRACE_POINTS = (
    64  # of a trace of the fast converter that are kept, each the mean of its samples since the last
)
LINE_AMPLITUDE_LSB = 60.0  # of the synaptic line after five events on eight rows of weight 10 (assumed)
DECAY_AMPLITUDE_LSB = 35.0  # of the membrane, at the lower half of a decay from leak to threshold (assumed)
EVENT_AMPLITUDE_LSB = 70.0 / 15  # of the membrane for each event on eight rows, at a gain of 1 (assumed)
STIMULATED_ROWS = 8
EVENT_INTERVAL = 1e-6
EVENT_REPETITIONS = 5
SPIKING_READS = 1000
SPIKING_TOP = 48  # largest of those reads that are drawn: the others lie below by many times the read noise


@dataclass(frozen=True, kw_only=True)
class DebugVoltage:
    """A voltage on every converter channel, as the code of an ideal one: codes [chip, circuit]."""

    code: float


@dataclass(frozen=True, kw_only=True)
class SynapticLine:
    """Decay of the synaptic lines after a volley: codes [chip, circuit, time] and times [time, s]."""

    sign: int
    window: float


@dataclass(frozen=True, kw_only=True)
class MembraneDecay:
    """Lower half of the decay of the membranes after a current: codes [chip, circuit, time] and times."""

    window: float


@dataclass(frozen=True, kw_only=True)
class Spiking:
    """Largest of many reads while a current drives the membranes over threshold: codes [chip, circuit]."""


@dataclass(frozen=True, kw_only=True)
class Resting:
    """One read without input: codes [chip, circuit]."""


@dataclass(frozen=True, kw_only=True)
class HeldAtReset:
    """One read of the membranes while they are held at reset: codes [chip, circuit]."""


@dataclass(frozen=True, kw_only=True)
class EventAmplitude:
    """Read after events on eight rows less the read before, mean of five: codes [chip, circuit]."""

    sign: int
    events: int


Experiment = DebugVoltage | SynapticLine | MembraneDecay | Spiking | Resting | HeldAtReset | EventAmplitude


Generators = list[np.random.Generator]


class Laboratory:
    """Chips on a table: one may write codes and observe; what was drawn stays inside.

    Parameters
    ----------
    circuits
        The chips.
    noise_seed
        Seed of the noise of all readings; a chip's readings do not depend on the other chips.
    specification
        What every such chip has.
    """

    def __init__(
        self, circuits: Circuits, *, noise_seed: int, specification: ChipSpecification = BSS2
    ) -> None:
        self.__circuits = circuits
        self.__noise = circuits.pattern.profile.noise
        self.__seed = noise_seed
        self.__measurements = 0
        self.__specification = specification

    @property
    def specification(self) -> ChipSpecification:
        """What every such chip has."""
        return self.__specification

    def __len__(self) -> int:
        return len(self.__circuits.pattern)

    def observe(self, experiment: Experiment, codes: BiasCodes) -> Array:
        """Write the codes, run an experiment on every circuit of every chip, and return its readings.

        Traces come from the fast converter, whose codes are counted in those of the slow one; their times are
        `trace_times`.
        """
        physical, generators = respond(self.__circuits, codes), self.__generators()
        spec, circuits = self.specification, self.specification.circuits
        membrane = self.__noise.membrane * _normal(generators, circuits)
        match experiment:
            case DebugVoltage():
                return self.__convert(np.full_like(physical.leak, experiment.code), physical, generators)
            case Resting():
                return self.__read(physical.leak + membrane, physical, generators)
            case HeldAtReset():
                return self.__read(physical.reset, physical, generators)
            case SynapticLine():
                amplitude = LINE_AMPLITUDE_LSB * self.__mean_synapse(experiment.sign)
                tau = physical.tau_syn[:, experiment.sign]
                return self.__trace(tau, amplitude, 0.0, experiment.window, generators)
            case MembraneDecay():
                noise = self.__noise.membrane * spec.codes_per_threshold
                amplitude = np.full_like(physical.leak, DECAY_AMPLITUDE_LSB)
                return self.__trace(physical.tau_mem, amplitude, noise, experiment.window, generators)
            case EventAmplitude():
                return self.__event_amplitude(experiment, physical, generators)
            case _:
                return self.__largest_read(physical, generators)

    def scatter(self, shape: tuple[int, ...], largest: int) -> NDArray[np.int64]:
        """Return random steps of −largest to largest, from which a search may start [chip, …]."""
        generators = self.__generators()
        return np.stack([generator.integers(-largest, largest + 1, shape) for generator in generators])

    def __generators(self) -> Generators:
        """Return the generator of the next measurement for each chip."""
        self.__measurements += 1
        pattern = self.__circuits.pattern
        return [
            np.random.default_rng(
                np.random.SeedSequence(
                    (self.__seed, pattern.seed), spawn_key=(int(chip), self.__measurements)
                )
            )
            for chip in pattern.index
        ]

    def __read(self, potential: Array, physical: Physical, generators: Generators) -> Array:
        """Convert potentials [chip, circuit], in units from leak to threshold."""
        spec = self.specification
        return self.__convert(spec.leak_code + spec.codes_per_threshold * potential, physical, generators)

    def __convert(self, code: Array, physical: Physical, generators: Generators) -> Array:
        """Return what the channels show for what an ideal channel would show [chip, circuit, …]."""
        spec, pattern = self.specification, self.__circuits.pattern
        per_quadrant = spec.circuits // spec.quadrants
        gain = pattern.cadc_gain * np.repeat(physical.ramp_gain, per_quadrant, axis=1)
        offset = physical.channel_offset_lsb + np.repeat(physical.ramp_offset_lsb, per_quadrant, axis=1)
        more = (...,) + (None,) * (code.ndim - 2)
        noise = self.__noise.cadc_lsb * _normal(generators, *code.shape[1:])
        shown: Array = np.clip(np.rint(gain[more] * code + offset[more] + noise), 0, spec.cadc_maximum)
        return shown

    def __trace(
        self, tau: Array, amplitude: Array, noise_lsb: float, window: float, generators: Generators
    ) -> Array:
        """Return A exp(−t/tau) with Ornstein–Uhlenbeck noise of the same tau, and read noise averaged."""
        times = trace_times(window)
        interval = times[1]
        averaged = max(interval / self.specification.madc_period, 1.0)
        shape = (*tau.shape[1:], TRACE_POINTS)
        codes = self.__noise.cadc_lsb / np.sqrt(averaged) * _normal(generators, *shape)
        codes += amplitude[..., None] * np.exp(-times / tau[..., None])
        if noise_lsb > 0:
            normal, kept = _normal(generators, *shape), np.exp(-interval / tau)
            state = normal[..., 0]
            for k in range(TRACE_POINTS):
                state = kept * state + np.sqrt(1 - kept**2) * normal[..., k] if k else state
                codes[..., k] += noise_lsb * state
        trace: Array = codes
        return trace

    def __mean_synapse(self, sign: int) -> Array:
        """Return the mean factor of the stimulated synapses of each circuit [chip, circuit]."""
        factors = self.__circuits.pattern.synapse[:, sign, :STIMULATED_ROWS].mean(axis=1, dtype=np.float64)
        both: Array = np.tile(factors, (1, self.specification.circuits // self.specification.pairs))
        return both

    def __event_amplitude(
        self, experiment: EventAmplitude, physical: Physical, generators: Generators
    ) -> Array:
        """Return how far events move the membranes, two intervals after the last [chip, circuit]."""
        tau_mem, tau_syn = physical.tau_mem, physical.tau_syn[:, experiment.sign]
        since = EVENT_INTERVAL * (2 + np.arange(experiment.events))[:, None, None]
        psp = tau_mem / (tau_mem - tau_syn) * (np.exp(-since / tau_mem) - np.exp(-since / tau_syn))
        per_event = physical.gain[:, experiment.sign] * self.__mean_synapse(experiment.sign)
        moved = EVENT_AMPLITUDE_LSB * per_event * psp.sum(axis=0) / self.specification.codes_per_threshold

        def membrane_noise() -> Array:
            return self.__noise.membrane * _normal(generators, self.specification.circuits)

        differences = np.zeros_like(moved)
        for _ in range(EVENT_REPETITIONS):
            before, after = (
                self.__read(rest + membrane_noise(), physical, generators)
                for rest in (physical.leak, physical.leak + moved)
            )
            differences += (after - before) / EVENT_REPETITIONS
        mean: Array = differences
        return mean

    def __largest_read(self, physical: Physical, generators: Generators) -> Array:
        """Return the largest of many reads of membranes that rise evenly from reset to threshold.

        The k-th largest of n even numbers lies below the end by k exponential steps of 1/n (Rényi).
        """
        steps = np.stack(
            [g.standard_exponential((self.specification.circuits, SPIKING_TOP)) for g in generators]
        )
        below = np.cumsum(steps, axis=-1) / SPIKING_READS
        span = np.abs(physical.threshold - physical.reset)[..., None]
        spec = self.specification
        codes = spec.leak_code + spec.codes_per_threshold * (physical.threshold[..., None] - span * below)
        largest: Array = self.__convert(codes, physical, generators).max(axis=-1)
        return largest


def _normal(generators: Generators, *shape: int) -> Array:
    """Return normal numbers [chip, …], those of a chip from its own generator."""
    return np.stack([generator.standard_normal(shape) for generator in generators])


def trace_times(window: float) -> Array:
    """Return the times of the points of a trace [time, s]."""
    return window * np.arange(TRACE_POINTS) / TRACE_POINTS
