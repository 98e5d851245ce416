"""Draw the device variation of many chips, each from its own seed."""

import math
import zlib
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.profile import ChipProfile
from hearspike.emulator.specification import BSS2, ChipSpecification
from hearspike.emulator.targets import Targets
from hearspike.errors import InputError


@dataclass(frozen=True, kw_only=True)
class FixedPattern:
    """The drawn deviations of a population of chips: data, never overwritten.

    Factors are 1 and offsets 0 where a quantity does not vary. Potentials are in units of the nominal
    distance from leak to threshold. Axis ``circuit`` runs over the neuron circuits of the chip.

    Parameters
    ----------
    profile
        The spreads from which the chips were drawn, and the noise of their trials.
    seed
        Seed of the population.
    index
        Number of each chip in the population [chip].
    tau_mem, refractory
        Factors on membrane time constant and refractory period [chip, circuit].
    tau_syn, gain
        Factors on synaptic time constants and gains [chip, sign, circuit]; sign 0 is excitatory.
    threshold, leak, reset
        Offsets of the potentials [chip, circuit].
    cadc_gain, cadc_offset_lsb
        Factor and offset (codes) of the converter channel of each circuit [chip, circuit].
    cadc_ramp_gain, cadc_ramp_offset_lsb
        Factor and offset (codes) of the converter's ramps [chip, quadrant].
    synapse
        Factors on single synapses [chip, sign, signed input, circuit pair]; sign 0 is the excitatory row.
    usable
        Circuits that may hold a neuron: all, unless a calibration says otherwise [chip, circuit].
    targets
        What the chips were calibrated for; None where the pattern holds for every setting.
    """

    profile: ChipProfile
    seed: int
    index: NDArray[np.int64]
    tau_mem: NDArray[np.float64]
    tau_syn: NDArray[np.float64]
    refractory: NDArray[np.float64]
    gain: NDArray[np.float64]
    threshold: NDArray[np.float64]
    leak: NDArray[np.float64]
    reset: NDArray[np.float64]
    cadc_gain: NDArray[np.float64]
    cadc_offset_lsb: NDArray[np.float64]
    cadc_ramp_gain: NDArray[np.float64]
    cadc_ramp_offset_lsb: NDArray[np.float64]
    synapse: NDArray[np.float32]
    usable: NDArray[np.bool_]
    targets: Targets | None = None

    def __len__(self) -> int:
        return len(self.index)

    def part(self, start: int, stop: int) -> "FixedPattern":
        """Return the chips from ``start`` to before ``stop``."""
        arrays = {
            field.name: getattr(self, field.name)[start:stop]
            for field in fields(self)
            if field.name not in ("profile", "seed", "targets")
        }
        return replace(self, **arrays)


FACTORS = ("tau_mem", "tau_syn", "refractory", "gain", "cadc_gain", "cadc_ramp_gain")
OFFSETS = ("threshold", "leak", "reset", "cadc_offset_lsb", "cadc_ramp_offset_lsb")


def quantity_generator(seed: int, chip: int, quantity: str) -> np.random.Generator:
    """Return the generator of one quantity of one chip.

    The stream depends on the seed, the number of the chip and the name of the quantity alone, so that a
    chip is the same in a population of any size and a new quantity shifts no other.
    """
    return np.random.default_rng(
        np.random.SeedSequence(seed, spawn_key=(chip, zlib.crc32(quantity.encode())))
    )


def log_normal_factors(normal: NDArray[np.float64], spread: float) -> NDArray[np.float64]:
    """Return factors of mean 1 and relative standard deviation ``spread``.

    Equation: f = exp(s z − s²/2) with s² = ln(1 + spread²) and z standard normal, for which E[f] = 1 and
    Var[f] = spread².
    """
    sigma = math.sqrt(math.log1p(spread**2))
    return np.exp(sigma * normal - sigma**2 / 2)


def draw_chips(
    profile: ChipProfile,
    specification: ChipSpecification = BSS2,
    *,
    chips: int,
    seed: int,
    first_chip: int = 0,
) -> FixedPattern:
    """Draw the fixed pattern of ``chips`` chips.

    Parameters
    ----------
    profile
        Spreads of the quantities.
    specification
        The chip whose circuits and synapses are drawn.
    chips
        How many chips.
    seed
        Seed of the population; chip k of a seed is always the same chip.
    first_chip
        Number of the first chip to draw: a large population can be run in parts.

    Returns
    -------
    FixedPattern
        One array per quantity with the chips on the first axis.

    Raises
    ------
    InputError
        If ``chips`` is below 1, or the seed or first chip negative.

    Examples
    --------
    >>> from hearspike.emulator import Noise, Variation
    >>> spread = ChipProfile(name="example", variation=Variation(tau_mem=0.1), noise=Noise())
    >>> few, many = draw_chips(spread, chips=2, seed=1), draw_chips(spread, chips=5, seed=1)
    >>> bool((few.tau_mem == many.tau_mem[:2]).all()), many.tau_mem.shape
    (True, (5, 512))
    """
    if chips < 1:
        raise InputError("chips", chips, "a whole number of at least 1")
    for name, value in (("seed", seed), ("first_chip", first_chip)):
        if value < 0:
            raise InputError(name, value, "a whole number of at least 0")
    variation = profile.variation
    index = np.arange(first_chip, first_chip + chips)
    circuits, signs = specification.circuits, specification.rows_per_input
    shapes = {
        "tau_syn": (signs, circuits),
        "gain": (signs, circuits),
        "cadc_ramp_gain": (specification.quadrants,),
        "cadc_ramp_offset_lsb": (specification.quadrants,),
    }

    def normal(quantity: str) -> NDArray[np.float64]:
        shape = shapes.get(quantity, (circuits,))
        return np.stack([quantity_generator(seed, int(k), quantity).standard_normal(shape) for k in index])

    factors = {name: log_normal_factors(normal(name), getattr(variation, name)) for name in FACTORS}
    offsets = {name: getattr(variation, name) * normal(name) for name in OFFSETS}
    return FixedPattern(
        profile=profile,
        seed=seed,
        index=index,
        synapse=_draw_synapses(variation.synapse, specification, index, seed=seed),
        usable=np.ones((chips, circuits), np.bool_),
        targets=None,
        **factors,
        **offsets,
    )


def _draw_synapses(
    spread: float, specification: ChipSpecification, index: NDArray[np.int64], *, seed: int
) -> NDArray[np.float32]:
    shape = (specification.rows_per_input, specification.signed_inputs, specification.pairs)
    if spread == 0:  # 131,072 ones per chip, held once
        return np.broadcast_to(np.float32(1), (len(index), *shape))
    factors = np.empty((len(index), *shape), np.float32)
    for row, chip in zip(factors, index, strict=True):
        normal = quantity_generator(seed, int(chip), "synapse").standard_normal(shape)
        row[:] = log_normal_factors(normal, spread)
    return factors
