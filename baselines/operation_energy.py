"""Energy of arithmetic: a convention for comparing models in software, not a measurement."""

from dataclasses import dataclass

from hearspike.errors import InputError


@dataclass(frozen=True)
class OperationEnergy:
    """Energy as the number of operations times the energy of one.

    It leaves out memory traffic, control and idle power, which dominate on real processors.

    Parameters
    ----------
    name
        Name of the model in records and tables.
    multiply_accumulate_pJ, accumulate_pJ
        Energy of one operation in picojoules.
    source
        Where the constants come from.
    """

    name: str
    multiply_accumulate_pJ: float
    accumulate_pJ: float
    source: str

    def __post_init__(self) -> None:
        for name in ("multiply_accumulate_pJ", "accumulate_pJ"):
            if not getattr(self, name) >= 0:
                raise InputError(f"energy.{name}", getattr(self, name), "at least 0 pJ")

    def energy(self, *, multiply_accumulates: float, accumulates: float) -> float:
        """Return joules for these numbers of operations."""
        picojoules = self.multiply_accumulate_pJ * multiply_accumulates + self.accumulate_pJ * accumulates
        return picojoules * 1e-12
