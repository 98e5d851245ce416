"""Search over bias codes: every circuit at once, each towards its own target, from noisy readings.

The search is that of the chip's calibration software: steps that halve, each up or down by the last reading;
in the end the neighbour on the other side is tried, and the best of the last codes wins. Where readings are
noisy, the start is scattered and a step of a few codes is repeated, which undoes a wrong turn.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


def search_codes(
    measure: Callable[[Codes], Array],
    target: Array | float,
    *,
    low: int,
    high: int,
    inverted: bool,
    shape: tuple[int, ...],
    scatter: Codes | None = None,
    noise_step: int = 0,
) -> tuple[Codes, Array]:
    """Return the codes whose readings came nearest to the target, and those readings.

    Parameters
    ----------
    measure
        Codes → readings, one for each.
    target
        Reading wanted.
    low, high
        Range of the codes.
    inverted
        Whether readings fall with rising codes.
    shape
        Shape of the codes.
    scatter
        What is added to the first codes.
    noise_step
        A step of this size is taken once more; 0 for readings without noise.

    Examples
    --------
    >>> square = lambda code: code**2.0
    >>> found, reading = search_codes(square, 50.0, low=0, high=15, inverted=False, shape=(1,))
    >>> int(found[0]), float(reading[0])
    (7, 49.0)
    """
    span = high - low + 1
    steps = [math.ceil(span / 2 ** (k + 2)) for k in range(math.ceil(math.log2(span)) + 1)]
    kept = 3
    if noise_step:
        steps = sorted([*steps, noise_step], reverse=True)
        kept += math.ceil(math.log2(noise_step))
    start = np.full(shape, low + span // 2)
    codes = np.clip(start if scatter is None else start + scatter, low, high)
    tried, readings = [codes], [measure(codes)]
    for number, step in enumerate(steps):
        above = (readings[-1] > target) ^ inverted
        following = np.where(above, tried[-1] - step, tried[-1] + step)
        if number == len(steps) - 1 and len(tried) > 1:
            revisits = following == tried[-2]
            following = np.where(revisits, 2 * tried[-1] - tried[-2], following)
        tried.append(np.clip(following, low, high))
        readings.append(measure(tried[-1]))
    last_codes, last = np.stack(tried[-kept:]), np.stack(readings[-kept:])
    distance = np.where(np.isfinite(last), np.abs(last - target), np.inf)
    best = distance.argmin(axis=0)[None]
    return np.take_along_axis(last_codes, best, axis=0)[0], np.take_along_axis(last, best, axis=0)[0]
