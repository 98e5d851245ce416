"""The equations of a time step: what placement and device variation make of each neuron.

Potentials count from the nominal leak in units of the nominal distance from leak to threshold. A neuron of
the chip obeys

    tau_syn ds/dt = −s + tau_syn Σ_i g_i k_i δ(t − t_i)                                              (1)
    dv/dt = (E − v) / tau_mem + γ s / (c T_mem) + noise                                                (2)

with s the synaptic drive in weight codes, k_i the code and g_i the factor of the synapse that the event at
t_i meets, γ the gain of the synaptic input, c the codes per unit of drive, T_mem the nominal membrane time
constant and tau_mem, tau_syn the neuron's own. Excitatory and inhibitory events have an s, a tau_syn and a γ
each, and (2) adds both. The capacitance and the charge of a synaptic pulse are what they are whatever the
leaky conductances: a neuron with a slower membrane has a PSP that starts with the same slope and lasts
longer.
When v exceeds the threshold, the neuron spikes and is held at its reset potential for the refractory period.

Between events (1) and (2) are linear and solved exactly over a step h (Rotter and Diesmann 1999,
doi:10.1007/s004220050570):

    v ← E + (v − E) exp(−h/tau_mem) + κ s,    s ← s exp(−h/tau_syn)
    κ = γ/(c T_mem) (exp(−h/tau_mem) − exp(−h/tau_syn)) / (1/tau_syn − 1/tau_mem)

The noise is an Ornstein–Uhlenbeck process of stationary standard deviation σ, which over a step adds
σ sqrt(1 − exp(−2h/tau_mem)) times a normal number: its strength does not depend on the step.
"""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.assignment import Assignment, assign_circuits
from hearspike.emulator.fixed_pattern import FixedPattern
from hearspike.emulator.placement import PlacedLayer, Placement
from hearspike.emulator.specification import ChipSpecification
from hearspike.errors import InputError

Float = NDArray[np.float32]

TARGET_TOLERANCE = 0.01  # of a time constant: below a step of most bias codes


@dataclass(frozen=True, kw_only=True)
class StepConstants:
    """What a time step needs, per chip and logical neuron.

    Parameters
    ----------
    decay_mem
        exp(−h/tau_mem) [chip, neuron].
    decay_syn, kappa
        exp(−h/tau_syn), and the rise of v over a step per weight code of s [chip, sign, neuron].
    pull
        E (1 − exp(−h/tau_mem)) [chip, neuron].
    leak, threshold, reset
        Potentials [chip, neuron]; readouts have an infinite threshold.
    noise_step, noise_rest
        Standard deviation of the membrane noise that a step adds, and at rest [chip, neuron].
    weights
        k g of every synapse [chip or 1, source, neuron]; 1 where all chips have the same.
    target_start, target_stop
        The neurons that each source reaches [source].
    code_gain, code_offset
        Converter code = code_offset + code_gain v [chip, neuron].
    refractory_steps
        Steps at the reset potential after a spike [chip, neuron].
    """

    decay_mem: Float
    decay_syn: Float
    kappa: Float
    pull: Float
    leak: Float
    threshold: Float
    reset: Float
    noise_step: Float
    noise_rest: Float
    weights: Float
    target_start: NDArray[np.int64]
    target_stop: NDArray[np.int64]
    code_gain: Float
    code_offset: Float
    refractory_steps: NDArray[np.int32]


def exact_rise(
    step: float, tau_mem: NDArray[np.float64], tau_syn: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return ∫₀ʰ exp(−(h − t)/tau_mem) exp(−t/tau_syn) dt [s], also where the time constants are equal.

    Equation: exp(−h/tau_mem) h (1 − exp(−x))/x with x = h (1/tau_syn − 1/tau_mem), whose limit at x = 0 is
    h exp(−h/tau_mem).
    """
    x = step * (1 / tau_syn - 1 / tau_mem)
    safe = np.where(x == 0, 1.0, x)
    return np.exp(-step / tau_mem) * step * np.where(x == 0, 1.0, -np.expm1(-safe) / safe)


def step_constants(
    placement: Placement, chips: FixedPattern, *, step: float, noise_seed: int, batch: int = 0
) -> StepConstants:
    """Return the constants of a step of ``step`` seconds of chip time on the given chips in a batch."""
    _check_targets(placement, chips)
    assignment = assign_circuits(placement, chips.usable)
    lead = assignment.lead

    def of_neurons(values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take what belongs to the leading circuit of each neuron [chip, …, neuron]."""
        return np.take_along_axis(values, lead if values.ndim == 2 else lead[:, None], axis=-1)

    noise = chips.profile.noise
    nominal_mem = np.concatenate([layer.tau_mem for layer in placement.layers])
    nominal_syn = np.concatenate([layer.tau_syn for layer in placement.layers])
    scale = np.concatenate([np.full(len(layer.tau_mem), layer.scale) for layer in placement.layers])
    nominal_leak = np.concatenate([layer.leak for layer in placement.layers])
    nominal_reset = np.concatenate(
        [layer.leak if layer.reset is None else layer.reset for layer in placement.layers]
    )
    nominal_threshold = np.where(np.arange(placement.neurons) < placement.spiking, 1.0, np.inf)

    tau_mem = nominal_mem * of_neurons(chips.tau_mem)
    tau_syn = nominal_syn * of_neurons(chips.tau_syn)
    leak = nominal_leak + of_neurons(chips.leak)
    drift = of_neurons(threshold_drift(chips, noise_seed, batch))
    threshold = nominal_threshold + of_neurons(chips.threshold) + drift
    gain = of_neurons(chips.gain) / (scale * nominal_mem)
    refractory = placement.refractory_period * of_neurons(chips.refractory)

    start, stop = _targets(placement)
    cadc_gain, cadc_offset = _converter(placement.specification, chips)
    arrays = {
        "decay_mem": np.exp(-step / tau_mem),
        "decay_syn": np.exp(-step / tau_syn),
        "kappa": gain * exact_rise(step, tau_mem[:, None], tau_syn),
        "pull": leak * -np.expm1(-step / tau_mem),
        "leak": leak,
        "threshold": threshold,
        "reset": nominal_reset + of_neurons(chips.reset),
        "noise_step": noise.membrane * np.sqrt(-np.expm1(-2 * step / tau_mem)),
        "noise_rest": np.full_like(leak, noise.membrane),
        "code_gain": of_neurons(cadc_gain),
        "code_offset": of_neurons(cadc_offset),
    }
    return StepConstants(
        weights=_weights(placement, chips, assignment),
        target_start=start,
        target_stop=stop,
        refractory_steps=np.rint(refractory / step).astype(np.int32),
        **{name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()},
    )


def _check_targets(placement: Placement, chips: FixedPattern) -> None:
    """Refuse a network that wants other time constants than the chips were calibrated for."""
    targets = chips.targets
    if targets is None:
        return
    wanted = [("refractory period", np.array([placement.refractory_period]), targets.refractory)]
    for layer in placement.layers:
        wanted += [
            (f"node {layer.name!r}: tau_mem", layer.tau_mem, targets.tau_mem),
            (f"node {layer.name!r}: tau_syn", layer.tau_syn, targets.tau_syn),
        ]
    for subject, values, target in wanted:
        far = np.abs(values / target - 1) > TARGET_TOLERANCE
        if far.any():
            raise InputError(
                subject,
                f"{float(values[np.argmax(far)]):.4g} s of chip time",
                f"{target:.4g} s, for which the chips were calibrated",
            )


def _converter(
    specification: ChipSpecification, chips: FixedPattern
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return codes per unit of potential, and the code at the nominal leak less 0 [chip, circuit].

    A channel's gain and its ramp's act on the whole code; the offsets come after.
    """
    per_quadrant = specification.circuits // specification.quadrants
    gain = chips.cadc_gain * np.repeat(chips.cadc_ramp_gain, per_quadrant, axis=1)
    offset = chips.cadc_offset_lsb + np.repeat(chips.cadc_ramp_offset_lsb, per_quadrant, axis=1)
    return specification.codes_per_threshold * gain, specification.leak_code * gain + offset


def driving_weights(constants: StepConstants) -> Float:
    """Return κ k g of every synapse: the rise of v over a step that an event causes [chip, source, neuron].

    Both implementations keep the drive κ s instead of s, which saves a product per neuron and step.
    """
    weights = constants.weights
    excitatory, inhibitory = constants.kappa[:, :1], constants.kappa[:, 1:]
    return weights * np.where(weights > 0, excitatory, inhibitory)


def threshold_drift(chips: FixedPattern, noise_seed: int, batch: int = 0) -> NDArray[np.float64]:
    """Return the slow drift of the thresholds [chip, circuit]: drawn anew for each batch."""
    spread = chips.profile.noise.threshold_drift
    drift = np.zeros_like(chips.threshold)
    if spread > 0:
        purpose = zlib.crc32(b"threshold_drift")
        for row, chip in zip(drift, chips.index, strict=True):
            spawn_key = (int(chip), purpose, batch) if batch else (int(chip), purpose)
            key = np.random.SeedSequence((noise_seed, chips.seed), spawn_key=spawn_key)
            row[:] = spread * np.random.default_rng(key).standard_normal(row.size)
    return drift


def _targets(placement: Placement) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the contiguous range of neurons that each source reaches: layers are in order."""
    sources = placement.inputs + placement.spiking
    start, stop = np.full(sources, placement.neurons), np.zeros(sources, np.int64)
    for layer in placement.layers:
        start[layer.sources] = np.minimum(start[layer.sources], layer.neurons.start)
        stop[layer.sources] = np.maximum(stop[layer.sources], layer.neurons.stop)
    return start, stop


def _weights(placement: Placement, chips: FixedPattern, assignment: Assignment) -> Float:
    """Return code times synapse factor [chip or 1, source, neuron]."""
    varied = chips.profile.variation.synapse > 0
    shape = (len(chips) if varied else 1, placement.inputs + placement.spiking, placement.neurons)
    weights = np.zeros(shape, np.float32)
    for layer in placement.layers:
        codes = layer.weights.astype(np.float32)
        if varied:
            codes = codes * _synapse_factors(layer, chips, assignment, placement.specification)
        weights[:, layer.sources, layer.neurons] = codes
    return weights


def _synapse_factors(
    layer: PlacedLayer, chips: FixedPattern, assignment: Assignment, specification: ChipSpecification
) -> Float:
    """Return the factor of the synapse that each weight of a layer is on [chip, signed input, neuron]."""
    pair, row = np.divmod(np.arange(len(layer.weights)), specification.signed_inputs)
    column = assignment.first_pair[:, None, layer.neurons] + pair[:, None]
    sign = (layer.weights < 0).astype(np.int64)
    chip = np.arange(len(chips))[:, None, None]
    factors: Float = chips.synapse[chip, sign, row[:, None], column]
    return factors
