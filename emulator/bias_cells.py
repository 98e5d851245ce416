"""How a circuit answers its bias codes: monotone curves, each circuit's own.

A code c drives a current or a voltage. With x = c / c₀, the code over the one at which a nominal circuit is
as wanted, and f, o, p, q what is drawn for the circuit,

    tau = tau₀ f x^(−p)       time constants: conductance follows current, the longer the less
    gain = f x^p              synaptic gain: transconductance follows current
    v = v₀ + o + q (c − c₀)/s potentials: s codes from leak to threshold

At c₀ a circuit deviates by f and o alone, which are those of `hearspike.emulator.FixedPattern`: a chip with
the same code in every circuit is a chip of the profile that it was drawn from. The exponents p and slopes q
make the curves of two circuits differ everywhere else, so that nothing but a search finds the right code. Two
switches extend the ranges: the leak's current can be divided, and the synaptic line's resistance lowered. The
leak potential also depends on the leak's bias current, as that of the amplifier behind it does.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.fixed_pattern import FixedPattern, log_normal_factors, quantity_generator
from hearspike.emulator.specification import BSS2, ChipSpecification
from hearspike.emulator.targets import Targets

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Characteristics:
    """Curves of a nominal circuit, and how much those of others differ in shape.

    Parameters
    ----------
    time_constant
        Membrane and synaptic time constant at the codes below [s].
    tau_mem_code, tau_syn_code, gain_code
        Codes at which a nominal circuit has that time constant, and a gain of 1.
    leak_code, reset_code, threshold_code
        Codes at which its potentials are 0, 0 and 1, in units of the distance from leak to threshold.
    codes_per_threshold
        Codes by which a potential moves by that distance.
    leak_division, resistance_switch
        Factors on the time constants with the leak's current divided and the line's resistance low.
    ramp_code
        Code of the converter's ramps at which a nominal ramp neither shifts nor stretches.
    ramp_offset_lsb
        Shift of a converter code per code of the ramp's offset.
    exponent_spread, slope_spread
        Relative spread of p and q.
    leak_shift
        Spread of the shift of the leak potential when its bias current rises by a factor of e.
    refractory_clock_Hz, refractory_scale, refractory_cycles
        Clock of the refractory counter, its largest division 2^(scale + 1), and the cycles that a period
        should take at least.
    """

    time_constant: float
    tau_mem_code: float
    tau_syn_code: float
    gain_code: float
    leak_code: float
    reset_code: float
    threshold_code: float
    codes_per_threshold: float
    leak_division: float
    resistance_switch: float
    ramp_code: float
    ramp_offset_lsb: float
    exponent_spread: float
    slope_spread: float
    leak_shift: float
    refractory_clock_Hz: float
    refractory_scale: int
    refractory_cycles: int


OBSERVED = Characteristics(
    # Mean codes of two calibrations of one real chip for 6 us, a gain of 500, and potentials at converter
    # codes 80, 80 and 150 (calibration results published with BrainScaleS-2 experiments).
    time_constant=6e-6,
    tau_mem_code=161,
    tau_syn_code=80,
    gain_code=500,
    leak_code=650,
    reset_code=650,
    threshold_code=400,
    # 1.6 V over 1022 codes (Pehle et al. 2022), 328 mV from leak to threshold.
    codes_per_threshold=209.5,
    # Assumed: factors of the switches, the ramps' curves, and all shapes.
    leak_division=8.0,
    resistance_switch=0.25,
    ramp_code=511,
    ramp_offset_lsb=0.1,
    exponent_spread=0.05,
    slope_spread=0.03,
    leak_shift=0.03,
    # calix: at least 30 cycles of a counter, so that a period is off by at most 3 %.
    refractory_clock_Hz=250e6,
    refractory_scale=4,
    refractory_cycles=30,
)


@dataclass(frozen=True, kw_only=True)
class BiasCodes:
    """Everything that is written into a chip before it runs.

    Parameters
    ----------
    tau_mem, leak, reset, threshold
        10-bit codes [chip, circuit].
    tau_syn, gain
        10-bit codes [chip, sign, circuit].
    leak_divided, resistance_low
        Switches [chip, circuit] and [chip, sign, circuit].
    ramp_offset, ramp_slope
        10-bit codes [chip, quadrant].
    channel_offset
        Signed register of each converter channel [chip, circuit].
    refractory_scale, refractory_counter
        Clock division and counter [chip, circuit].
    """

    tau_mem: Codes
    leak: Codes
    reset: Codes
    threshold: Codes
    tau_syn: Codes
    gain: Codes
    leak_divided: Codes
    resistance_low: Codes
    ramp_offset: Codes
    ramp_slope: Codes
    channel_offset: Codes
    refractory_scale: Codes
    refractory_counter: Codes


@dataclass(frozen=True, kw_only=True)
class Circuits:
    """Drawn circuits with the shapes of their curves: what a chip is, and what no calibration may look at.

    Parameters
    ----------
    pattern
        Their deviations at the nominal codes.
    curves
        Curves of the nominal circuit.
    tau_mem_exponent, leak_slope, reset_slope, threshold_slope, leak_shift
        p, q and the shift with the leak's bias [chip, circuit].
    tau_syn_exponent, gain_exponent
        p [chip, sign, circuit].
    """

    pattern: FixedPattern
    curves: Characteristics
    tau_mem_exponent: Array
    leak_slope: Array
    reset_slope: Array
    threshold_slope: Array
    leak_shift: Array
    tau_syn_exponent: Array
    gain_exponent: Array


@dataclass(frozen=True, kw_only=True)
class Physical:
    """What the circuits do at given codes: times [s], gains, potentials, converter; axes of `BiasCodes`."""

    tau_mem: Array
    tau_syn: Array
    gain: Array
    leak: Array
    reset: Array
    threshold: Array
    refractory: Array
    ramp_gain: Array
    ramp_offset_lsb: Array
    channel_offset_lsb: Array


def draw_circuits(pattern: FixedPattern, curves: Characteristics = OBSERVED) -> Circuits:
    """Draw the shapes of the curves, each from its own seed as in `hearspike.emulator.draw_chips`."""

    def normal(name: str, like: Array) -> Array:
        return np.stack(
            [
                quantity_generator(pattern.seed, int(chip), name).standard_normal(like.shape[1:])
                for chip in pattern.index
            ]
        )

    def factors(name: str, like: Array, spread: float) -> Array:
        return log_normal_factors(normal(name, like), spread)

    per_circuit, per_input = pattern.tau_mem, pattern.tau_syn
    return Circuits(
        pattern=pattern,
        curves=curves,
        tau_mem_exponent=factors("tau_mem exponent", per_circuit, curves.exponent_spread),
        tau_syn_exponent=factors("tau_syn exponent", per_input, curves.exponent_spread),
        gain_exponent=factors("gain exponent", per_input, curves.exponent_spread),
        leak_slope=factors("leak slope", per_circuit, curves.slope_spread),
        reset_slope=factors("reset slope", per_circuit, curves.slope_spread),
        threshold_slope=factors("threshold slope", per_circuit, curves.slope_spread),
        leak_shift=curves.leak_shift * normal("leak shift", per_circuit),
    )


def respond(circuits: Circuits, codes: BiasCodes) -> Physical:
    """Return what the circuits do at these codes; a current of code 0 is taken as that of half a code."""
    k, drawn = circuits.curves, circuits.pattern

    def ratio(code: Codes, nominal: float) -> Array:
        return np.maximum(code, 0.5) / nominal

    def potential(code: Codes, nominal: float, offset: Array, slope: Array) -> Array:
        return offset + slope * (code - nominal) / k.codes_per_threshold

    leak_current = ratio(codes.tau_mem, k.tau_mem_code)
    division = np.where(codes.leak_divided > 0, k.leak_division, 1.0)
    resistance = np.where(codes.resistance_low > 0, k.resistance_switch, 1.0)
    synaptic = ratio(codes.tau_syn, k.tau_syn_code) ** -circuits.tau_syn_exponent
    leak = potential(codes.leak, k.leak_code, drawn.leak, circuits.leak_slope)
    cycle = 2.0 ** (codes.refractory_scale + 1) / k.refractory_clock_Hz
    return Physical(
        tau_mem=k.time_constant * drawn.tau_mem * division * leak_current**-circuits.tau_mem_exponent,
        tau_syn=k.time_constant * drawn.tau_syn * resistance * synaptic,
        gain=drawn.gain * ratio(codes.gain, k.gain_code) ** circuits.gain_exponent,
        leak=leak + circuits.leak_shift * np.log(leak_current),
        reset=potential(codes.reset, k.reset_code, drawn.reset, circuits.reset_slope),
        threshold=1 + potential(codes.threshold, k.threshold_code, drawn.threshold, circuits.threshold_slope),
        refractory=drawn.refractory * codes.refractory_counter * cycle,
        ramp_gain=drawn.cadc_ramp_gain / ratio(codes.ramp_slope, k.ramp_code),
        ramp_offset_lsb=drawn.cadc_ramp_offset_lsb - k.ramp_offset_lsb * (codes.ramp_offset - k.ramp_code),
        channel_offset_lsb=drawn.cadc_offset_lsb + codes.channel_offset,
    )


def refractory_setting(period: float, curves: Characteristics = OBSERVED) -> tuple[int, int]:
    """Return clock division and counter for a refractory period [s].

    The slowest clock on which the period takes enough cycles; the counter is the period in cycles and one
    more.
    """
    scale = curves.refractory_scale
    while scale > 0 and period * curves.refractory_clock_Hz / 2 ** (scale + 1) < curves.refractory_cycles:
        scale -= 1
    return scale, int(period * curves.refractory_clock_Hz / 2 ** (scale + 1)) + 1


def nominal_codes(
    chips: int,
    targets: Targets,
    *,
    specification: ChipSpecification = BSS2,
    curves: Characteristics = OBSERVED,
) -> BiasCodes:
    """Return the same codes for every circuit: those at which a nominal circuit is on target."""
    circuits, signs = (chips, specification.circuits), (chips, 2, specification.circuits)
    highest = specification.bias_code_maximum
    fastest_divided = curves.leak_division * curves.time_constant * curves.tau_mem_code / highest
    divided = int(targets.tau_mem > fastest_divided)
    low = int(targets.tau_syn < curves.time_constant * curves.tau_syn_code / highest)

    def current(code: float, wanted: float, switch: float) -> int:
        return round(min(max(code * curves.time_constant * switch / wanted, 0), highest))

    def potential(code: float, from_nominal: float) -> int:
        moved = from_nominal / specification.codes_per_threshold * curves.codes_per_threshold
        return round(min(max(code + moved, 0), highest))

    mem = current(curves.tau_mem_code, targets.tau_mem, curves.leak_division if divided else 1.0)
    syn = current(curves.tau_syn_code, targets.tau_syn, curves.resistance_switch if low else 1.0)
    scale, counter = refractory_setting(targets.refractory, curves)
    quadrants = (chips, specification.quadrants)
    leak = potential(curves.leak_code, targets.leak_code - specification.leak_code)
    reset = potential(curves.reset_code, targets.reset_code - specification.leak_code)
    threshold = potential(curves.threshold_code, targets.threshold_code - specification.threshold_code)
    return BiasCodes(
        tau_mem=np.full(circuits, mem),
        leak=np.full(circuits, leak),
        reset=np.full(circuits, reset),
        threshold=np.full(circuits, threshold),
        tau_syn=np.full(signs, syn),
        gain=np.full(signs, round(curves.gain_code)),
        leak_divided=np.full(circuits, divided),
        resistance_low=np.full(signs, low),
        ramp_offset=np.full(quadrants, round(curves.ramp_code)),
        ramp_slope=np.full(quadrants, round(curves.ramp_code)),
        channel_offset=np.zeros(circuits, np.int64),
        refractory_scale=np.full(circuits, scale),
        refractory_counter=np.full(circuits, counter),
    )


def pattern_at(
    circuits: Circuits, codes: BiasCodes, targets: Targets, *, usable: NDArray[np.bool_]
) -> FixedPattern:
    """Return how circuits at these codes deviate from what was wanted: what an emulation runs on."""
    physical, drawn = respond(circuits, codes), circuits.pattern
    return replace(
        drawn,
        tau_mem=physical.tau_mem / targets.tau_mem,
        tau_syn=physical.tau_syn / targets.tau_syn,
        gain=physical.gain,
        refractory=physical.refractory / targets.refractory,
        leak=physical.leak - targets.leak,
        reset=physical.reset - targets.reset,
        threshold=physical.threshold - targets.threshold,
        cadc_offset_lsb=physical.channel_offset_lsb,
        cadc_ramp_gain=physical.ramp_gain,
        cadc_ramp_offset_lsb=physical.ramp_offset_lsb,
        usable=usable,
        targets=targets,
    )
