"""Counter-based trial noise: a number depends on who asks for it, never on who asked before.

A trial has one key per purpose, derived from (noise seed, population seed, chip, sample). The number of step
n and element j is a hash of (key, n, j), so neither batching nor threads nor the order of evaluation changes
it. The hash is the 32-bit finaliser of MurmurHash3 (Appleby, public domain), applied to the step and then to
the element. Its four bytes b, each uniform on 0…255, give an almost normal number

    z = (b₀ + b₁ + b₂ + b₃ − 510) / sqrt(4 (256² − 1) / 12)

of mean 0, variance 1, excess kurtosis −1.2/4 = −0.30 and magnitude of at most 3.45. A membrane sums such
numbers over its time constant, which brings its kurtosis near the normal one.
"""

import numpy as np
from numpy.typing import NDArray

PURPOSES = ("membrane", "spike_jitter", "cadc")
BYTES_MEAN = 4 * 255 / 2
BYTES_DEVIATION = (4 * (256**2 - 1) / 12) ** 0.5
# Steps and elements are spread over the 32-bit range by odd multipliers: 2³²/golden ratio, and its like
# for the plastic number.
STEP_STRIDE = 0x9E3779B9
ELEMENT_STRIDE = 0xC13FA9A9
_GOLDEN64 = np.uint64(0x9E3779B97F4A7C15)


def trial_keys(
    noise_seed: int, population_seed: int, chip_index: NDArray[np.int64], sample_index: NDArray[np.int64]
) -> NDArray[np.uint32]:
    """Return the keys of trials [chip, sample, purpose, 2].

    Parameters
    ----------
    noise_seed, population_seed
        Seeds of the noise and of the chips.
    chip_index
        Number of each chip in its population [chip].
    sample_index
        Number of each sample in its data set [sample].
    """
    root = np.random.SeedSequence((noise_seed, population_seed)).generate_state(1, np.uint64)
    chip = _mix64(root + _GOLDEN64 * (chip_index.astype(np.uint64) + np.uint64(1)))[:, None, None]
    sample = _GOLDEN64 * (sample_index.astype(np.uint64) + np.uint64(1))[:, None]
    purpose = _GOLDEN64 * (np.arange(len(PURPOSES), dtype=np.uint64) + np.uint64(1))
    keys = _mix64(_mix64(chip + sample) + purpose)
    return np.stack([keys & np.uint64(0xFFFFFFFF), keys >> np.uint64(32)], axis=-1).astype(np.uint32)


def _mix64(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the 64-bit finaliser of MurmurHash3."""
    x = (x ^ (x >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    x = (x ^ (x >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return x ^ (x >> np.uint64(33))
