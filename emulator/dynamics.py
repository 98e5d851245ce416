"""The equations of a time step: what placement and device variation make of each neuron.

Potentials count from the nominal leak in units of the nominal distance from leak to threshold. A neuron of
the chip obeys

    tau_syn ds/dt = −s + tau_syn Σ_i g_i k_i δ(t − t_i)                                              (1)
    dv/dt = (E − v) / tau_mem + s / (c T_mem) + noise                                                  (2)

with s the synaptic drive in weight codes, k_i the code and g_i the factor of the synapse that the event at
t_i meets, c the codes per unit of drive, T_mem the nominal membrane time constant and tau_mem, tau_syn the
neuron's own. The capacitance and the charge of a synaptic pulse are what they are whatever the two leaky
conductances: a neuron with a slower membrane has a PSP that starts with the same slope and lasts longer.
When v exceeds the threshold, the neuron spikes and is held at its reset potential for the refractory period.

Between events (1) and (2) are linear and solved exactly over a step h (Rotter and Diesmann 1999,
doi:10.1007/s004220050570):

    v ← E + (v − E) exp(−h/tau_mem) + κ s,    s ← s exp(−h/tau_syn)
    κ = g/(c T_mem) (exp(−h/tau_mem) − exp(−h/tau_syn)) / (1/tau_syn − 1/tau_mem)

The noise is an Ornstein–Uhlenbeck process of stationary standard deviation σ, which over a step adds
σ sqrt(1 − exp(−2h/tau_mem)) times a normal number: its strength does not depend on the step.
"""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.fixed_pattern import FixedPattern
from hearspike.emulator.placement import Placement

Float = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class StepConstants:
    """What a time step needs, per chip and logical neuron.

    Parameters
    ----------
    decay_mem, decay_syn
        exp(−h/tau_mem), exp(−h/tau_syn) [chip, neuron].
    kappa
        Rise of v over a step per weight code of s [chip, neuron].
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
        Steps at the reset potential after a spike.
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
    refractory_steps: int


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
    placement: Placement, chips: FixedPattern, *, step: float, noise_seed: int
) -> StepConstants:
    """Return the constants of a step of ``step`` seconds of chip time on the given chips."""
    circuit = placement.circuits[:, 0]
    variation, noise = chips, chips.profile.noise
    nominal_mem = np.concatenate([layer.tau_mem for layer in placement.layers])
    nominal_syn = np.concatenate([layer.tau_syn for layer in placement.layers])
    scale = np.concatenate([np.full(len(layer.tau_mem), layer.scale) for layer in placement.layers])
    nominal_leak = np.concatenate([layer.leak for layer in placement.layers])
    nominal_reset = np.concatenate(
        [layer.leak if layer.reset is None else layer.reset for layer in placement.layers]
    )
    nominal_threshold = np.where(np.arange(placement.neurons) < placement.spiking, 1.0, np.inf)

    tau_mem = nominal_mem * variation.tau_mem[:, circuit]
    tau_syn = nominal_syn * variation.tau_syn[:, circuit]
    leak = nominal_leak + variation.leak[:, circuit]
    drift = threshold_drift(chips, noise_seed)[:, circuit]
    threshold = nominal_threshold + variation.threshold[:, circuit] + drift
    gain = variation.gain[:, circuit] / (scale * nominal_mem)

    decay_mem = np.exp(-step / tau_mem)
    noise_step = noise.membrane * np.sqrt(-np.expm1(-2 * step / tau_mem))
    start, stop = _targets(placement)
    per_threshold = placement.specification.codes_per_threshold
    cadc_gain = variation.cadc_gain[:, circuit]
    arrays = {
        "decay_mem": decay_mem,
        "decay_syn": np.exp(-step / tau_syn),
        "kappa": gain * exact_rise(step, tau_mem, tau_syn),
        "pull": leak * -np.expm1(-step / tau_mem),
        "leak": leak,
        "threshold": threshold,
        "reset": nominal_reset + variation.reset[:, circuit],
        "noise_step": noise_step,
        "noise_rest": np.full_like(leak, noise.membrane),
        "code_gain": per_threshold * cadc_gain,
        "code_offset": placement.specification.leak_code * cadc_gain + variation.cadc_offset_lsb[:, circuit],
    }
    return StepConstants(
        weights=_weights(placement, chips),
        target_start=start,
        target_stop=stop,
        refractory_steps=round(placement.refractory_period / step),
        **{name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()},
    )


def threshold_drift(chips: FixedPattern, noise_seed: int) -> NDArray[np.float64]:
    """Return the slow drift of the thresholds [chip, circuit]: one draw per noise seed, chip and circuit."""
    spread = chips.profile.noise.threshold_drift
    drift = np.zeros_like(chips.threshold)
    if spread > 0:
        purpose = zlib.crc32(b"threshold_drift")
        for row, chip in zip(drift, chips.index, strict=True):
            key = np.random.SeedSequence((noise_seed, chips.seed), spawn_key=(int(chip), purpose))
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


def _weights(placement: Placement, chips: FixedPattern) -> Float:
    """Return code times synapse factor [chip or 1, source, neuron]."""
    varied = chips.profile.variation.synapse > 0
    shape = (len(chips) if varied else 1, placement.inputs + placement.spiking, placement.neurons)
    weights = np.zeros(shape, np.float32)
    for layer in placement.layers:
        codes = layer.weights.astype(np.float32)
        if varied:
            excitatory, inhibitory = (
                chips.synapse[:, sign, : len(codes), layer.neurons] for sign in range(2)
            )
            codes = codes * np.where(codes >= 0, excitatory, inhibitory)
        weights[:, layer.sources, layer.neurons] = codes
    return weights
