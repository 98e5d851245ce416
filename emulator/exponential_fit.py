"""Time constants of decays, from traces of many circuits at once."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ITERATIONS = 5
BOUNDS = (0.1e-6, 100e-6)  # s, as in the chip's calibration software


def fit_decay(times: Array, traces: Array) -> Array:
    """Return the time constant of each trace [..., s], by least squares.

    Model: y = c + a exp(−t/tau). For a given tau, a and c follow from a linear fit (variable projection,
    Golub and Pereyra 1973); ln tau is found by Gauss–Newton steps from the best point of a coarse grid, and
    stays within bounds.

    Parameters
    ----------
    times
        Times of the points [time, s].
    traces
        Readings [..., time].

    Examples
    --------
    >>> times = np.arange(64) * 0.5e-6
    >>> float(np.round(1e6 * fit_decay(times, 3 + 40 * np.exp(-times / 6e-6)[None])[0], 6))
    6.0
    """
    log_tau = _coarse(times, traces)
    low, high = np.log(BOUNDS)
    for _ in range(ITERATIONS):
        tau = np.exp(log_tau)[..., None]
        decay = np.exp(-times / tau)
        slope = decay * times / tau  # derivative of the decay by ln tau
        amplitude, residual = _linear_fit(decay, traces)
        _, across = _linear_fit(decay, slope)  # what of the derivative a and c cannot mend
        step = (residual * across).sum(axis=-1) / (amplitude * (across**2).sum(axis=-1))
        log_tau = np.clip(log_tau + np.clip(np.nan_to_num(step), -0.5, 0.5), low, high)
    return np.exp(log_tau)


def _linear_fit(decay: Array, values: Array) -> tuple[Array, Array]:
    """Fit values = c + a decay; return a [...] and what is left [..., time]."""
    basis = decay - decay.mean(axis=-1, keepdims=True)
    centred = values - values.mean(axis=-1, keepdims=True)
    norm = (basis**2).sum(axis=-1)
    amplitude = (basis * centred).sum(axis=-1) / np.where(norm > 0, norm, 1.0)
    return amplitude, centred - amplitude[..., None] * basis


def _coarse(times: Array, traces: Array) -> Array:
    """Return the ln tau of a grid that leaves the smallest residual [...]."""
    grid = np.log(np.geomspace(max(BOUNDS[0], times[1] / 4), min(BOUNDS[1], 10 * times[-1]), 12))
    basis = np.exp(-times / np.exp(grid)[:, None])
    basis -= basis.mean(axis=1, keepdims=True)
    basis /= np.sqrt((basis**2).sum(axis=1, keepdims=True))
    best: Array = grid[(traces @ basis.T).argmax(axis=-1)]  # a decay falls: amplitudes are positive
    return best
