"""Before the inner ear: what the outer and middle ear pass on, and plain pre-emphasis."""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

EARS = ("none", "bs1387")

RESPONSE_S = 0.05
"""Length of the ear's impulse response that is computed; what is cut off is below 1e-4 of its peak."""

LOWEST_HZ = 20.0
"""Below this the gain of the ear is held: its formula falls to minus infinity at 0 Hz."""


def ear_gain_db(frequency_hz: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Gain of outer and middle ear, dB.

    Equation (f in kHz)::

        A = −2.184 f^−0.8 + 6.5 exp(−0.6 (f − 3.3)²) − 10⁻³ f^3.6

    Source: ITU-R BS.1387-1, Annex 2, equation (7): outer and middle ear, ``−0.6 · 3.64 f^−0.8`` and so on. It
    takes the threshold in quiet of Terhardt (Hearing Research 1, 1979, 155–182), without the share of its
    low-frequency term that is internal noise.

    Parameters
    ----------
    frequency_hz
        Frequencies, Hz, of any shape; below `LOWEST_HZ` the gain at `LOWEST_HZ`.
    """
    f = np.maximum(np.asarray(frequency_hz, dtype=np.float64), LOWEST_HZ) / 1000
    gain: npt.NDArray[np.float64] = -2.184 * f**-0.8 + 6.5 * np.exp(-0.6 * (f - 3.3) ** 2) - 1e-3 * f**3.6
    return gain


@lru_cache(maxsize=8)
def ear_response(sample_rate: int) -> npt.NDArray[np.float64]:
    """Impulse response [time] of `ear_gain_db` with minimum phase: the causal one that answers earliest.

    The logarithm of the gain is even in frequency; its transform, the cepstrum, folded onto positive times
    gives the logarithm of the minimum-phase response (Oppenheim and Schafer, Discrete-Time Signal
    Processing, "cepstrum").

    Parameters
    ----------
    sample_rate
        Hz.
    """
    points = 2 * int(2 ** np.ceil(np.log2(4 * RESPONSE_S * sample_rate)))
    log_gain = ear_gain_db(np.fft.rfftfreq(points, 1 / sample_rate)) * np.log(10) / 20
    cepstrum = np.fft.irfft(log_gain, points)
    cepstrum[1 : points // 2] *= 2
    cepstrum[points // 2 + 1 :] = 0
    response = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), points)
    return response[: round(RESPONSE_S * sample_rate)].copy()


def through_ear(samples: npt.NDArray[np.floating], sample_rate: int) -> npt.NDArray[np.float64]:
    """Sound [time] after the outer and middle ear, as long as before.

    Parameters
    ----------
    samples
        Samples [time].
    sample_rate
        Hz.
    """
    from scipy.signal import oaconvolve

    filtered: npt.NDArray[np.float64] = oaconvolve(samples, ear_response(sample_rate))[: len(samples)]
    return filtered


def pre_emphasised(
    samples: npt.NDArray[np.floating], sample_rate: int, corner_hz: float
) -> npt.NDArray[np.float64]:
    """Sound [time] with its high frequencies raised by 6 dB per octave above a corner.

    Equation: ``y[n] = (x[n] − a x[n−1]) / (1 − a)``, ``a = exp(−2π f_c / f_s)``, so that the gain is 1 at
    0 Hz and ``sqrt(1 + (f / f_c)²)`` well below half the rate, whatever the rate. The usual a = 0.97 at
    16 kHz is a corner of 77.6 Hz.

    Parameters
    ----------
    samples
        Samples [time]; silence before.
    sample_rate
        Hz.
    corner_hz
        f_c, Hz.
    """
    now, before = pre_emphasis_taps(sample_rate, corner_hz)
    sound = np.asarray(samples, dtype=np.float64)
    emphasised: npt.NDArray[np.float64] = now * sound
    emphasised[1:] += before * sound[:-1]
    return emphasised


def pre_emphasis_taps(sample_rate: int, corner_hz: float) -> npt.NDArray[np.float64]:
    """Impulse response of `pre_emphasised` [2]."""
    kept = math.exp(-2 * math.pi * corner_hz / sample_rate)
    return np.array([1.0, -kept]) / (1 - kept)
