"""How much chips differ from each other (variation) and one trial from the next (noise)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from hearspike.emulator.links import Links
from hearspike.errors import InputError


def _refuse_negative(parameters: "Variation | Noise", subject: str) -> None:
    for field in fields(parameters):
        value = getattr(parameters, field.name)
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"{subject}.{field.name}", value, "a finite number of at least 0")


@dataclass(frozen=True, kw_only=True)
class Variation:
    """Standard deviations of the fixed pattern: drawn once per chip, the same in every trial.

    Zero, which every field is unless given, switches the quantity's variation off.

    Parameters
    ----------
    tau_mem, tau_syn
        Relative spread of the membrane and synaptic time constants (log-normal, mean kept); excitatory and
        inhibitory inputs are drawn apart.
    refractory
        Relative spread of the refractory period (log-normal, mean kept); seen once it is a time step.
    gain
        Relative spread of the gains of a neuron's excitatory and inhibitory input (log-normal, mean kept).
    synapse
        Relative spread of the strength of single synapses (log-normal, mean kept).
    threshold, leak, reset
        Spread of the potentials, in units of the distance from leak to threshold (normal).
    cadc_gain, cadc_ramp_gain
        Relative spread of the converter's gain (log-normal, mean kept): of its channels, and of the ramps
        that the channels of a quadrant share.
    cadc_offset_lsb, cadc_ramp_offset_lsb
        Spread of the offsets of channels and of ramps in codes (normal).

    Raises
    ------
    InputError
        If a value is negative or not finite.
    """

    tau_mem: float = 0.0
    tau_syn: float = 0.0
    refractory: float = 0.0
    gain: float = 0.0
    synapse: float = 0.0
    threshold: float = 0.0
    leak: float = 0.0
    reset: float = 0.0
    cadc_gain: float = 0.0
    cadc_offset_lsb: float = 0.0
    cadc_ramp_gain: float = 0.0
    cadc_ramp_offset_lsb: float = 0.0

    def __post_init__(self) -> None:
        _refuse_negative(self, "variation")


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Standard deviations of what changes from trial to trial.

    Zero, which every field is unless given, switches the mechanism off.

    Parameters
    ----------
    membrane
        Stationary standard deviation of the membrane potential, in units of the distance from leak to
        threshold (white current noise through the leaky membrane: an Ornstein–Uhlenbeck process).
    spike_jitter
        Jitter of the arrival time of input spikes [s of chip time].
    threshold_drift
        Slow drift of the thresholds, in units of the distance from leak to threshold: drawn once per
        neuron, chip, noise seed and batch of samples.
    cadc_lsb
        Read noise of the converter in codes.

    Raises
    ------
    InputError
        If a value is negative or not finite.
    """

    membrane: float = 0.0
    spike_jitter: float = 0.0
    threshold_drift: float = 0.0
    cadc_lsb: float = 0.0

    def __post_init__(self) -> None:
        _refuse_negative(self, "noise")


@dataclass(frozen=True, kw_only=True)
class ChipProfile:
    """A named set of variation and noise, such as a chip before or after calibration.

    Parameters
    ----------
    name
        Name under which results are reported.
    variation
        Spread from chip to chip and neuron to neuron.
    noise
        Spread from trial to trial.
    links
        Limits of the event links; none, and no loss, unless given.

    Examples
    --------
    >>> ChipProfile(name="thresholds only", variation=Variation(threshold=0.03), noise=Noise()).noise.membrane
    0.0
    """

    name: str
    variation: Variation
    noise: Noise
    links: Links | None = None


def decalibrate(profile: ChipProfile, *, name: str, quantities: Sequence[str], spread: float) -> ChipProfile:
    """Return a profile whose targets of calibration scatter on purpose.

    Cramer et al. 2022 (PNAS 119(4) e2109194119) draw the target of each neuron from a normal distribution
    whose standard deviation is a share of its mean; what calibration leaves is independent of it, so the
    variances add up. The threshold counts from the leak.

    Parameters
    ----------
    profile
        The chip after an ordinary calibration.
    name
        Name of the new profile.
    quantities
        Fields of `Variation` that scatter, such as ``tau_mem``, ``tau_syn`` and ``threshold``.
    spread
        Relative standard deviation of their targets.

    Raises
    ------
    InputError
        If there is no such quantity, or the spread is negative.

    Examples
    --------
    >>> calibrated = ChipProfile(name="calibrated", variation=Variation(tau_mem=0.03), noise=Noise())
    >>> decalibrate(calibrated, name="scattered", quantities=["tau_mem"], spread=0.04).variation.tau_mem
    0.05
    """
    known = [field.name for field in fields(Variation)]
    for quantity in quantities:
        if quantity not in known:
            raise InputError("profile.quantities", quantity, f"some of {', '.join(known)}")
    if not (math.isfinite(spread) and spread >= 0):
        raise InputError("profile.spread", spread, "a finite number of at least 0")
    spreads = {quantity: math.hypot(getattr(profile.variation, quantity), spread) for quantity in quantities}
    return replace(profile, name=name, variation=replace(profile.variation, **spreads))
