"""Numbers to spike times: the larger, the earlier or later."""

import numpy as np
from numpy.typing import NDArray

from hearspike.datasets.events import SpikeEvents
from hearspike.errors import InputError


def linear_latency(values: NDArray[np.floating], *, t_early: float, t_late: float) -> NDArray[np.float64]:
    r"""Return :math:`t = t_{early} + x (t_{late} - t_{early})`.

    Göltz et al., Nat. Mach. Intell. 3:823, 2021, in units of the synaptic time constant.

    Parameters
    ----------
    values
        Numbers x of 0 to 1, of any shape.
    t_early, t_late
        Times of 0 and 1 [s].
    """
    if not 0.0 <= t_early < t_late:
        raise InputError("t_early, t_late", (t_early, t_late), "0 ≤ t_early < t_late")
    return t_early + values.astype(np.float64) * (t_late - t_early)


def logarithmic_latency(values: NDArray[np.floating], *, tau: float, threshold: float) -> NDArray[np.float64]:
    r"""Return :math:`t = \tau \log(x / (x - \theta))`: when a membrane driven by x reaches the threshold.

    Cramer et al., PNAS 119:e2109194119, 2022. Values at or below the threshold never reach it: infinity.

    Parameters
    ----------
    values
        Input currents x, of any shape.
    tau
        Time constant [s].
    threshold
        Threshold θ, above 0, in the unit of x.
    """
    if not (tau > 0.0 and threshold > 0.0):
        raise InputError("tau, threshold", (tau, threshold), "both above 0")
    above = values > threshold
    driven = np.where(above, values, 2.0 * threshold).astype(np.float64)
    return np.where(above, tau * np.log(driven / (driven - threshold)), np.inf)


def one_spike_per_channel(times: NDArray[np.float64]) -> SpikeEvents:
    """Make spikes of a table of times.

    Parameters
    ----------
    times
        [sample, channel] In seconds; infinite where there is no spike.
    """
    order = np.argsort(times, axis=1, kind="stable")
    in_order = np.take_along_axis(times, order, axis=1)
    present = np.isfinite(in_order)
    offsets = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int64)
    return SpikeEvents(
        in_order[present].astype(np.float32), order[present].astype(np.uint16), offsets, times.shape[1]
    )
