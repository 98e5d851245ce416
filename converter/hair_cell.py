"""Second stage: the inner hair cell turns velocity into the probability that a nerve fibre fires."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hearspike.converter.lanes import LANES, lane_blocks
from hearspike.converter.ranges import require_choice, require_number

SCHEMES = ("euler",)


@dataclass(frozen=True)
class HairCellParameters:
    """The hair cell of Meddis (J. Acoust. Soc. Am. 79, 1986; 83, 1988), numbers as in Cramer et al. 2022.

    Attributes
    ----------
    replenishment_per_s, loss_per_s, return_per_s, reprocessing_per_s
        Rates y, l, r, x at which transmitter is made, lost from the cleft, taken up again and reprocessed, 1/s.
    permeability_per_s, offset, saturation
        g (1/s), A and B of the release rate ``k = g s / (s + B)``, ``s = max(v + A, 0)``; A, B in units of v.
    firing_per_s
        h: firing rate per transmitter in the cleft, 1/s.
    free_transmitter
        M: most transmitter that a cell makes.
    scheme
        ``"euler"``: explicit Euler steps, as the published converter.
    """

    replenishment_per_s: float = 5.05
    loss_per_s: float = 2500.0
    return_per_s: float = 6580.0
    reprocessing_per_s: float = 66.3
    permeability_per_s: float = 2000.0
    offset: float = 5.0
    saturation: float = 300.0
    firing_per_s: float = 50000.0
    free_transmitter: float = 1.0
    scheme: str = "euler"

    def __post_init__(self) -> None:
        for name in (
            "replenishment_per_s",
            "loss_per_s",
            "return_per_s",
            "reprocessing_per_s",
            "permeability_per_s",
            "offset",
            "saturation",
            "firing_per_s",
            "free_transmitter",
        ):
            require_number(self, name, above=0)
        require_choice(self, "scheme", SCHEMES)

    def resting_release_per_s(self) -> float:
        """Release rate in silence ``k₀ = g A / (A + B)``, 1/s."""
        return self.permeability_per_s * self.offset / (self.offset + self.saturation)

    def resting_state(self) -> tuple[float, float, float]:
        """Transmitter in the cell q, in the cleft c, and in reprocessing w, in silence.

        ``c = M y k₀ / (l k₀ + y (l + r))``, ``q = c (l + r) / k₀``, ``w = c r / x``: where all the rates balance.
        """
        release, leaving = self.resting_release_per_s(), self.loss_per_s + self.return_per_s
        cleft = self.free_transmitter * self.replenishment_per_s * release
        cleft /= self.loss_per_s * release + self.replenishment_per_s * leaving
        return cleft * leaving / release, cleft, cleft * self.return_per_s / self.reprocessing_per_s

    def spontaneous_rate(self) -> float:
        """Firing rate of a fibre in silence ``h c``, 1/s, refractoriness not counted."""
        return self.firing_per_s * self.resting_state()[1]


class HairCells:
    """Hair cells of `LANES` channels, stepping through a recording piece by piece.

    Parameters
    ----------
    parameters
        The cell.
    rate
        Steps per second, Hz.
    dtype
        Precision of the state and of the velocity it will be given.
    """

    def __init__(
        self, parameters: HairCellParameters, rate: float, dtype: npt.DTypeLike = np.float32
    ) -> None:
        step = 1 / rate
        self._constants = np.array(
            [
                parameters.offset,
                parameters.saturation,
                step * parameters.permeability_per_s,
                step * parameters.replenishment_per_s,
                step * (parameters.loss_per_s + parameters.return_per_s),
                step * parameters.return_per_s,
                step * parameters.reprocessing_per_s,
                step * parameters.firing_per_s,
                parameters.free_transmitter,
            ],
            dtype=dtype,
        )
        self._state = np.repeat(np.array(parameters.resting_state(), dtype=dtype)[:, None], LANES, axis=1)

    def advance(self, velocity: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Probability of firing in each step [time, lane]; overwrites the velocity [time, lane] with it."""
        from hearspike.converter.kernels import hair_cell_euler

        hair_cell_euler(velocity, self._state, self._constants)
        return velocity


def firing_probability(
    velocity: npt.NDArray[np.floating], rate: float, parameters: HairCellParameters
) -> npt.NDArray[Any]:
    """Probability that a nerve fibre which is not refractory fires within a step.

    Equations (symbols in `HairCellParameters`)::

        dq/dt = y (M − q) − k q + x w          k = g s / (s + B),  s = max(v + A, 0)
        dc/dt = k q − (l + r) c
        dw/dt = r c − x w
        P     = h c dt

    from the resting state; y (M − q) only where q < M, and q, c, w ≥ 0.

    Parameters
    ----------
    velocity
        Velocity of the basilar membrane [channel, time].
    rate
        Steps per second, Hz.
    parameters
        The hair cell.

    Returns
    -------
    Probability [channel, time], in double precision if the velocity is.
    """
    velocity = np.asarray(velocity)
    dtype = np.float64 if velocity.dtype == np.float64 else np.float32
    probability = np.empty(velocity.shape, dtype=dtype)
    for block in lane_blocks(len(velocity)):
        rows = slice(block.start, block.stop)
        lanes = np.zeros((velocity.shape[1], LANES), dtype=dtype)
        lanes[:, : len(block)] = velocity[rows].T
        probability[rows] = HairCells(parameters, rate, dtype).advance(lanes)[:, : len(block)].T
    return probability
