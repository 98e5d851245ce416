"""Energy of an inference on the chip: a model, whose name and constants travel with the number."""

import math
from dataclasses import dataclass

from hearspike.emulator.activity import Activity
from hearspike.errors import InputError


@dataclass(frozen=True, kw_only=True)
class ConstantPower:
    """The chip draws the same power whatever it computes: E = P T.

    P is the power of the whole chip, T the time that a sample occupies it. Published this way by Cramer et
    al. 2022 (PNAS 119(4) e2109194119): 200 mW × 11.8 us = 2.4 uJ per image.

    Parameters
    ----------
    power_W
        Power of the chip [W].
    source
        Where the power comes from.

    Raises
    ------
    InputError
        If the power is not positive and finite.

    Examples
    --------
    >>> published = ConstantPower(power_W=0.2, source="Cramer et al. 2022")
    >>> round(1e6 * published.energy(11.8e-6), 2)
    2.36
    >>> published.name
    'constant power, 0.2 W'
    """

    power_W: float
    source: str

    def __post_init__(self) -> None:
        if not (math.isfinite(self.power_W) and self.power_W > 0):
            raise InputError("energy.power_W", self.power_W, "a finite power above 0 W")

    @property
    def name(self) -> str:
        """Name of the model with its constant."""
        return f"constant power, {self.power_W:g} W"

    def energy(self, time_on_chip: float) -> float:
        """Return the energy [J] of a sample that occupies the chip for ``time_on_chip`` [s]."""
        return self.power_W * time_on_chip

    def energy_of(self, activity: Activity) -> float:
        """Return the energy [J] of a sample, whatever the chip did in its time."""
        return self.energy(activity.time)
