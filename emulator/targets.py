"""What a calibration aims at."""

from dataclasses import dataclass

from hearspike.emulator.specification import BSS2, ChipSpecification
from hearspike.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Targets:
    """What every circuit of a chip is to be alike in.

    Parameters
    ----------
    tau_mem, tau_syn, refractory
        Time constants and refractory period [s of chip time].
    leak_code, reset_code, threshold_code
        Potentials, as the converter codes that show them.

    Raises
    ------
    InputError
        If a target is out of the range that the chip offers.

    Examples
    --------
    >>> Targets(tau_mem=6e-6, tau_syn=6e-6).reset
    0.0
    """

    tau_mem: float
    tau_syn: float
    refractory: float = BSS2.refractory_period
    leak_code: float = BSS2.leak_code
    reset_code: float = BSS2.leak_code
    threshold_code: float = BSS2.threshold_code

    def __post_init__(self) -> None:
        specification: ChipSpecification = BSS2
        for name, (low, high), unit in (
            ("tau_mem", specification.tau_mem_range, "s of chip time"),
            ("tau_syn", specification.tau_syn_range, "s of chip time"),
            ("refractory", specification.refractory_range, "s of chip time"),
            ("leak_code", specification.leak_code_range, "converter codes"),
            ("reset_code", specification.leak_code_range, "converter codes"),
            ("threshold_code", specification.threshold_code_range, "converter codes"),
        ):
            value = getattr(self, name)
            if not low * (1 - 1e-9) <= value <= high * (1 + 1e-9):
                raise InputError(f"calibration target {name}", value, f"{low:g} to {high:g} {unit}")

    @property
    def leak(self) -> float:
        """Leak potential in units of the nominal distance from leak to threshold, above the nominal leak."""
        return (self.leak_code - BSS2.leak_code) / BSS2.codes_per_threshold

    @property
    def reset(self) -> float:
        """Reset potential, as `leak`."""
        return (self.reset_code - BSS2.leak_code) / BSS2.codes_per_threshold

    @property
    def threshold(self) -> float:
        """Threshold, as `leak`."""
        return (self.threshold_code - BSS2.leak_code) / BSS2.codes_per_threshold
