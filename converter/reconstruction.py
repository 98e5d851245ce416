"""The way back: from spikes to a sound that can be listened to, by the membrane's own equations."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from hearspike.converter.audio import Conditioning, Waveform
from hearspike.converter.basilar_membrane import GUARD_S, RINGING_S, interpolated_transfer
from hearspike.converter.lanes import lane_blocks
from hearspike.converter.outer_ear import ear_response, pre_emphasis_taps
from hearspike.converter.pipeline import Converter
from hearspike.converter.ranges import require_range
from hearspike.converter.spike_trains import SpikeTrains
from hearspike.errors import InputError

REGULARISATION = 0.1
"""λ of `membrane_inverse`. Anything from 0.01 to 1 sounds and scores alike (docs/converter.md)."""

LOWEST_HZ = 80.0
"""Below this the gain of outer ear and pre-emphasis is taken as at it: they let next to nothing through."""

LOUDNESS_RMS = 0.1
"""Root mean square of a reconstructed sound, of full scale: spikes do not tell the level of the original."""

MARGIN_S = RINGING_S + GUARD_S
PIECE_S = 0.6
"""Activity of this long a time, s, is taken back at once; what it sounds beyond its ends is added up."""


def reconstruct(trains: SpikeTrains, converter: Converter, *, sample_rate: int = 16_000) -> Waveform:
    """Sound that the ear ``converter`` may have heard when it made these spikes.

    Each spike is a unit impulse of its channel; `membrane_inverse` makes a sound of them, and
    the gain of the ear's conditioning is divided out. What the spikes do not tell is lost: fine structure
    above the 1 or 2 kHz up to which they keep the phase, and what was too weak to make any.

    Parameters
    ----------
    trains
        Spikes.
    converter
        What made them.
    sample_rate
        Of the result, Hz, 8000 … 384000; only frequencies up to half of it are reconstructed.

    Returns
    -------
    A sound as long as the spike trains, at `LOUDNESS_RMS`, or lower where its peak would pass 1; silence if
    there is no spike.

    Raises
    ------
    InputError
        If the rate is out of range, or the trains have another number of channels than the converter.
    """
    require_range("sample_rate", sample_rate, least=8000, most=384_000)
    if trains.channels != converter.membrane.channels:
        expected = f"{converter.membrane.channels}, as the converter"
        raise InputError("channels of the spikes", trains.channels, expected)
    length = round(trains.duration * sample_rate)
    sound = _overlapped(_impulses(trains, sample_rate, length), length, sample_rate, converter)
    loudest = max(float(np.sqrt(np.mean(sound**2))) / LOUDNESS_RMS, float(np.abs(sound).max()))
    if loudest > 0:
        sound /= loudest
    return Waveform(samples=sound.astype(np.float32), sample_rate=sample_rate)


def membrane_inverse(
    activity: npt.NDArray[np.floating], sample_rate: int, converter: Converter
) -> npt.NDArray[np.float64]:
    """Sound whose membrane velocity is most like an activity, by regularised least squares.

    Equation, for each frequency, with V_c the transfer function of channel c as the converter uses it, S_c
    the spectrum of its activity and C the gain of the conditioning::

        X = Σ_c V_c* S_c / (Σ_c |V_c|² + λ max_ω Σ_c |V_c|²) / C

    It minimises ``Σ_c |V_c C X − S_c|²`` plus a penalty on ``|C X|²``. Given the velocity itself and λ → 0 it
    is the exact inverse; given spikes, it takes each for a unit of velocity in the direction that makes the
    channel fire (linear decoding; Rieke et al., "Spikes", MIT Press 1997, chapter 2).

    Parameters
    ----------
    activity
        Velocity, firing probability or impulses [channel, time].
    sample_rate
        Hz.
    converter
        Gives membrane and conditioning.

    Returns
    -------
    Sound [time], as long as the activity.
    """
    length, size = activity.shape[1], round(PIECE_S * sample_rate)
    pieces = ((first, activity[:, first : first + size]) for first in range(0, length, size))
    return _overlapped(pieces, length, sample_rate, converter)


def _overlapped(
    pieces: Iterable[tuple[int, npt.NDArray[np.floating]]],
    length: int,
    sample_rate: int,
    converter: Converter,
) -> npt.NDArray[np.float64]:
    """Sum of the sounds of pieces of activity, given by first sample and activity [channel, time]."""
    from scipy.fft import irfft, rfft

    margin = round(MARGIN_S * sample_rate)
    points = _points(sample_rate)
    inverse = _inverse(converter, sample_rate)
    sound = np.zeros(margin + length + points)
    for first, activity in pieces:
        spectrum = np.zeros(points // 2 + 1, dtype=np.complex128)
        for lanes in lane_blocks(len(activity)):
            rows = slice(lanes.start, lanes.stop)
            padded = np.pad(activity[rows].astype(np.float32), ((0, 0), (margin, 0)))
            spectrum += np.einsum("cf,cf->f", inverse[rows], rfft(padded, points, axis=1))
        sound[first : first + points] += irfft(spectrum, points)
    return sound[margin : margin + length]


def _impulses(
    trains: SpikeTrains, sample_rate: int, length: int
) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """First sample and impulses [channel, time] of every piece of the spike trains that has spikes."""
    at = np.clip(np.rint(trains.times * sample_rate).astype(np.int64), 0, length - 1)
    size = round(PIECE_S * sample_rate)
    for first in range(0, length, size):
        begin, end = np.searchsorted(at, [first, first + size])
        if begin < end:
            impulses = np.zeros((trains.channels, min(size, length - first)), dtype=np.float32)
            np.add.at(impulses, (trains.units[begin:end], at[begin:end] - first), 1)
            yield first, impulses


def _points(sample_rate: int) -> int:
    """Length of the transforms: a piece and what it sounds on either side."""
    from scipy.fft import next_fast_len

    return 2 * int(next_fast_len(-(-round((PIECE_S + 2 * MARGIN_S) * sample_rate) // 2), real=True))


@lru_cache(maxsize=2)
def _inverse(converter: Converter, sample_rate: int) -> npt.NDArray[np.complex64]:
    """Return what `membrane_inverse` multiplies spectra by [channel, frequency]; kept for the next sound."""
    points = _points(sample_rate)
    frequency: npt.NDArray[np.float64] = np.fft.rfftfreq(points, 1 / sample_rate).astype(np.float64)
    inverse = interpolated_transfer(frequency, range(converter.membrane.channels), converter.membrane)
    power = np.einsum("cf,cf->f", inverse.conj(), inverse).real
    own_rate = sample_rate if converter.sample_rate is None else converter.sample_rate
    gain = _conditioning_gain(frequency, own_rate, converter.conditioning)
    np.conjugate(inverse, out=inverse)
    inverse /= (gain * (power + REGULARISATION * power.max())).astype(np.complex64)
    return inverse


def _conditioning_gain(
    frequency_hz: npt.NDArray[np.float64], sample_rate: int, conditioning: Conditioning
) -> npt.NDArray[Any]:
    """Complex gain [frequency] of ear and pre-emphasis; 1 where the conditioning has none."""
    from scipy.signal import freqz

    gain = np.ones(len(frequency_hz), dtype=np.complex128)
    within = np.clip(frequency_hz, LOWEST_HZ, sample_rate / 2)
    if conditioning.ear != "none":
        gain *= freqz(ear_response(sample_rate), worN=within, fs=sample_rate)[1]
    if conditioning.emphasis_corner_hz is not None:
        taps = pre_emphasis_taps(sample_rate, conditioning.emphasis_corner_hz)
        gain *= freqz(taps, worN=within, fs=sample_rate)[1]
    return gain
