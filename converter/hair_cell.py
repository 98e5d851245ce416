"""Second stage: the inner hair cell turns velocity into the probability that a nerve fibre fires."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from hearspike.converter.lanes import LANES, lane_blocks
from hearspike.converter.ranges import require_choice, require_number

SCHEMES = ("euler", "splitting")


@dataclass(frozen=True)
class HairCellParameters:
    """The hair cell of Meddis (J. Acoust. Soc. Am. 79, 1986; 83, 1988), numbers as in Cramer et al. 2022.

    Attributes
    ----------
    replenishment_per_s
        y, rate at which transmitter is made, 1/s, above 0. 5.05: Cramer et al. 2022.
    loss_per_s
        l, rate at which it is lost from the cleft, 1/s, above 0. 2500: Cramer et al. 2022.
    return_per_s
        r, rate at which it is taken up again, 1/s, above 0. 6580: Cramer et al. 2022.
    reprocessing_per_s
        x, rate at which what was taken up is made ready, 1/s, above 0. 66.3: Cramer et al. 2022.
    permeability_per_s
        g of the release rate ``k = g s / (s + B)``, ``s = max(v + A, 0)``, 1/s, above 0. 2000: Cramer et
        al. 2022.
    offset
        A of the release rate, in the unit of v, above 0. 5: Cramer et al. 2022.
    saturation
        B of the release rate, in the unit of v, above 0. 300: Cramer et al. 2022.
    firing_per_s
        h, firing rate per transmitter in the cleft, 1/s, above 0. 50000: Cramer et al. 2022.
    free_transmitter
        M, most transmitter that a cell makes, above 0; the unit of transmitter. 1: Cramer et al. 2022.
    scheme
        ``"euler"``: explicit Euler steps, as the published converter; ringing below 9.08 kHz and unstable
        below 4.54 kHz. ``"splitting"``: release and the other reactions in turn, of second order, positive
        and stable at any rate.
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

        ``c = M y k₀ / (l k₀ + y (l + r))``, ``q = c (l + r) / k₀``, ``w = c r / x``: where all the rates
        balance.
        """
        release, leaving = self.resting_release_per_s(), self.loss_per_s + self.return_per_s
        cleft = self.free_transmitter * self.replenishment_per_s * release
        cleft /= self.loss_per_s * release + self.replenishment_per_s * leaving
        return cleft * leaving / release, cleft, cleft * self.return_per_s / self.reprocessing_per_s

    def spontaneous_rate(self) -> float:
        """Return the firing rate of a fibre in silence ``h c``, 1/s, refractoriness not counted."""
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
        from hearspike.converter import kernels

        euler = parameters.scheme == "euler"
        self._kernel = kernels.hair_cell_euler if euler else kernels.hair_cell_splitting
        constants = (_euler_constants if euler else _splitting_constants)(parameters, 1 / rate)
        self._constants = np.array(constants, dtype=dtype)
        start = parameters.resting_state() if euler else _splitting_rest(self._constants)
        self._state = np.repeat(np.array(start, dtype=dtype)[:, None], LANES, axis=1)

    def advance(self, velocity: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Probability of firing in each step [time, lane]; overwrites the velocity [time, lane] with it."""
        self._kernel(velocity, self._state, self._constants)
        return velocity


def _euler_constants(parameters: HairCellParameters, step: float) -> list[float]:
    return [
        parameters.offset,
        parameters.saturation,
        step * parameters.permeability_per_s,
        step * parameters.replenishment_per_s,
        step * (parameters.loss_per_s + parameters.return_per_s),
        step * parameters.return_per_s,
        step * parameters.reprocessing_per_s,
        step * parameters.firing_per_s,
        parameters.free_transmitter,
    ]


@lru_cache(maxsize=16)
def _splitting_constants(parameters: HairCellParameters, step: float) -> list[float]:
    """Offset, saturation, release and firing per step, and the exact flow of all but the release.

    Without release the equations are linear, ``d(q, c, w, 1)/dt = L (q, c, w, 1)``: the flow is ``exp(L
    dt)``.
    """
    from scipy.linalg import expm

    y, x = parameters.replenishment_per_s, parameters.reprocessing_per_s
    loss, r = parameters.loss_per_s + parameters.return_per_s, parameters.return_per_s
    linear = np.array(
        [
            [-y, 0, x, y * parameters.free_transmitter],
            [0, -loss, 0, 0],
            [0, r, -x, 0],
            [0, 0, 0, 0],
        ]
    )
    flow = expm(linear * step)
    return [
        parameters.offset,
        parameters.saturation,
        step * parameters.permeability_per_s,
        step * parameters.firing_per_s,
        *flow[0],
        flow[1, 1],
        *flow[2, 1:3],
    ]


def _splitting_rest(constants: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """State before a release in silence: the fixed point of a release and a flow."""
    offset, saturation, g, _, qq, qc, qw, q0, cc, wc, ww = constants.astype(np.float64)
    z = g * offset / (offset + saturation)
    left = 1 / (1 + z + z * z / 2)
    release = np.array([[left, 0, 0], [1 - left, 1, 0], [0, 0, 1]])
    flow = np.array([[qq, qc, qw], [0, cc, 0], [0, wc, ww]])
    rest: npt.NDArray[np.float64] = np.linalg.solve(np.eye(3) - flow @ release, [q0, 0, 0])
    return rest


def firing_probability(
    velocity: npt.NDArray[np.floating], rate: float, parameters: HairCellParameters
) -> npt.NDArray[Any]:
    """Probability that a nerve fibre which is not refractory fires within a step.

    Equations (symbols in `HairCellParameters`)::

        dq/dt = y (M − q) − k q + x w          k = g s / (s + B),  s = max(v + A, 0)
        dc/dt = k q − (l + r) c
        dw/dt = r c − x w
        P     = h c dt

    from the resting state. ``"euler"`` takes y (M − q) only where q < M, and keeps q, c, w ≥ 0, as the
    reference. ``"splitting"`` alternates, step by step, the release k q alone, by ``1 / (1 + z + z²/2)``
    with ``z = k dt`` for ``exp(−z)``, and the flow of everything else, which is linear, exactly; c is read
    halfway through the release and P is ``1 − exp(−h c dt)`` by the same rational function.

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
