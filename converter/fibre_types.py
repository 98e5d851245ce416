"""Nerve fibres of high, medium and low spontaneous rate: one hair cell, more or less ready to release."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hearspike.converter.hair_cell import HairCellParameters
from hearspike.converter.ranges import require_number
from hearspike.errors import InputError


@dataclass(frozen=True)
class FibreType:
    """A share of the nerve fibres of every channel.

    Attributes
    ----------
    share
        Part of the fibres, above 0, at most 1; the shares of all types add up to 1.
    spontaneous_per_s
        Firing rate in silence, 1/s, above 0; None keeps the hair cell's own.
    attenuation_db
        By how much the velocity is attenuated for these fibres, dB, −120 … 120; 0 unless given. A cell
        with a lower offset rectifies more, so that a type's threshold lies less than this above the others'.
    """

    share: float
    spontaneous_per_s: float | None = None
    attenuation_db: float = 0.0

    def __post_init__(self) -> None:
        require_number(self, "share", above=0, most=1)
        if self.spontaneous_per_s is not None:
            require_number(self, "spontaneous_per_s", above=0)
        require_number(self, "attenuation_db", least=-120, most=120)


ALIKE = (FibreType(share=1.0),)
"""All fibres alike, as in the published converter."""

LIBERMAN_1978 = (
    FibreType(share=0.61),
    FibreType(share=0.23, spontaneous_per_s=10.0, attenuation_db=20.0),
    FibreType(share=0.16, spontaneous_per_s=0.5, attenuation_db=30.0),
)
"""Shares of high, medium and low spontaneous rate (borders: 18/s and 0.5/s) of Liberman (J. Acoust. Soc.
Am. 63, 1978, 442–455; cat), as models of the Auditory Modeling Toolbox take them from there. Rates within the
classes and attenuations: assumed; the level of half the driven rate at 1 kHz comes out 10 and 18 dB above
that of the first type."""


def fibres_per_type(fibres: int, types: Sequence[FibreType]) -> list[int]:
    """Whole numbers of fibres [type] near the shares, which add up to ``fibres`` (largest remainder)."""
    exact = [fibres * kind.share for kind in types]
    counts = [int(number) for number in exact]
    by_remainder = sorted(range(len(types)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: fibres - sum(counts)]:
        counts[i] += 1
    return counts


def hair_cell_of(kind: FibreType, parameters: HairCellParameters) -> HairCellParameters:
    """Hair cell as seen by a type of fibre.

    Equations: the spontaneous rate ``R = h c`` fixes the release in silence (`HairCellParameters`
    solved for k₀) and thereby the offset; dividing the velocity by ``d = 10^(attenuation_db / 20)`` is the
    same as multiplying A and B by d::

        c  = R / h,   k₀ = y (l + r) c / (M y − l c),   A = B k₀ / (g − k₀)
        A ← d A,      B ← d B

    Parameters
    ----------
    kind
        The type.
    parameters
        The hair cell that it belongs to.

    Raises
    ------
    InputError
        If no release, however large, would give the spontaneous rate.
    """
    offset, saturation = parameters.offset, parameters.saturation
    if kind.spontaneous_per_s is not None:
        y, loss = parameters.replenishment_per_s, parameters.loss_per_s
        cleft = kind.spontaneous_per_s / parameters.firing_per_s
        spare = parameters.free_transmitter * y - loss * cleft
        release = y * (loss + parameters.return_per_s) * cleft / spare if spare > 0 else float("inf")
        if release >= parameters.permeability_per_s:
            expected = "a rate that the hair cell can sustain"
            raise InputError("FibreType.spontaneous_per_s", kind.spontaneous_per_s, expected)
        offset = saturation * release / (parameters.permeability_per_s - release)
    scale = 10 ** (kind.attenuation_db / 20)
    return replace(parameters, offset=offset * scale, saturation=saturation * scale)
