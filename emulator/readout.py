"""Set the gain of the readout from what the converter shows, as one does in the lab."""

import numpy as np
from numpy.typing import ArrayLike

from hearspike.emulator.emulation import DEFAULT_STEP, emulate
from hearspike.emulator.fixed_pattern import FixedPattern
from hearspike.emulator.placement import Placement
from hearspike.errors import InputError

USED_RANGE = 0.8  # share of the codes between rest and the nearer end that the largest excursion may take
SATURATED_SHARE = 1e-3  # readings at the end of the range above which their size is taken as unknown
CHANGE_LIMIT = 8.0  # largest rise of the gain between two runs
SATURATED_CHANGE = 4.0  # fall of the gain while the size of the excursions is unknown
RUNS = 20  # enough for gains wrong by a factor of 10,000 either way


def fit_readout(
    placement: Placement,
    chips: FixedPattern,
    times: ArrayLike,
    units: ArrayLike,
    offsets: ArrayLike,
    *,
    duration: float,
    noise_seed: int,
    step: float = DEFAULT_STEP,
) -> Placement:
    """Return the placement with the gain of its readout set so that the given samples fill the converter.

    A readout trained in software knows no limits; the converter's 8 bits clip what is too large and lose what
    is too small. The samples (training samples, never test samples) are run on the chips; the gain is lowered
    while codes saturate and raised while they stay small, until the largest excursion from rest takes 0.8 of
    the range. Only codes are used, and one gain is set for all chips.

    Parameters
    ----------
    placement, chips, times, units, offsets, duration, noise_seed, step
        As for `hearspike.emulator.emulate`.

    Returns
    -------
    Placement
        The same but for the unit of the readout.

    Raises
    ------
    InputError
        As `hearspike.emulator.emulate` does, and if the samples do not move the readout more than noise does.
    """
    maximum = placement.specification.cadc_maximum
    for _ in range(RUNS):
        seen = emulate(
            placement, chips, times, units, offsets, duration=duration, noise_seed=noise_seed, step=step
        )
        rest = seen.rest[:, None, None, :]
        up = float(((seen.cadc - rest) / (maximum - rest)).max(initial=0.0))
        down = float(((rest - seen.cadc) / rest).max(initial=0.0))
        used = max(up, down)
        if seen.saturated.max(initial=0.0) > SATURATED_SHARE:
            change = SATURATED_CHANGE
        else:
            change = float(np.clip(used / USED_RANGE, 1 / CHANGE_LIMIT, CHANGE_LIMIT))
        placement = placement.with_readout_unit(placement.readout_unit * change)
        if 0.5 < change < 1.25:
            return placement
    raise InputError(
        "samples",
        f"a readout that uses {used:.1%} of its range in run {RUNS}",
        "samples that move the readout",
    )
