"""A room, background noise and a recording level, as functions of arrays."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]
"""Samples over time."""


def room_impulse_response(
    reverberation_time: float,
    sample_rate: float,
    *,
    direct_to_reverberant_db: float,
    rng: np.random.Generator,
) -> Signal:
    """Impulse response of a room as direct sound and exponentially decaying noise.

    ``h(t) = δ(t) + a b(t) exp(-3 ln(10) t / T60)`` for ``0 ≤ t < T60``

    with ``b(t)`` white Gaussian noise, ``T60`` the time in which the energy falls by 60 dB, and ``a``
    such that the energy of the first term is ``direct_to_reverberant_db`` above that of the second.
    Polack's statistical model of the late reverberation: J.-D. Polack, La transmission de l'énergie
    sonore dans les salles, thesis, Université du Maine, Le Mans 1988. It leaves out single early
    reflections and the faster decay at high frequencies.

    Parameters
    ----------
    reverberation_time
        T60 [s].
    sample_rate
        [Hz]
    direct_to_reverberant_db
        Energy of the direct sound over that of the reverberation [dB].
    rng
        Source of the noise.

    Returns
    -------
    response
        Shape (T60 * sample_rate,); its first sample, 1 plus noise, is the direct sound.
    """
    time = np.arange(round(reverberation_time * sample_rate)) / sample_rate
    decay = np.exp(-3.0 * np.log(10.0) * time / reverberation_time)
    reverberation = rng.standard_normal(len(time)) * decay
    energy = 10.0 ** (-direct_to_reverberant_db / 10.0)
    response: Signal = reverberation * np.sqrt(energy / np.sum(reverberation**2))
    response[0] += 1.0
    return response


def reverberate(speech: Signal, response: Signal) -> Signal:
    """Speech as heard in a room: the convolution, as long as the speech.

    Parameters
    ----------
    speech
        Dry speech, shape (time,); what rings on after its end is cut, so end it with a margin.
    response
        Impulse response at the same sample rate, shape (any,).
    """
    from scipy.signal import oaconvolve

    wet: Signal = oaconvolve(speech, response)[: len(speech)]
    return wet


def spectral_tilt(signal: Signal, sample_rate: float, *, db_per_octave: float, pivot: float) -> Signal:
    """Signal through a microphone whose gain rises or falls evenly with the logarithm of frequency.

    ``G(f) = (f / f0) ** (s / (20 log10 2))``, G = 0 at f = 0

    with the slope ``s`` [dB per octave] and the frequency ``f0`` of unit gain.

    Parameters
    ----------
    signal
        Shape (time,).
    sample_rate, pivot
        Sample rate and ``f0`` [Hz].
    db_per_octave
        ``s``; negative for a dull microphone.
    """
    from scipy.fft import next_fast_len

    length = next_fast_len(len(signal), real=True)
    frequency = np.fft.rfftfreq(length, 1.0 / sample_rate)
    gain = np.zeros_like(frequency)
    gain[1:] = (frequency[1:] / pivot) ** (db_per_octave / (20.0 * np.log10(2.0)))
    return np.fft.irfft(gain * np.fft.rfft(signal, length), length)[: len(signal)]


def long_term_spectrum(speech: Sequence[Signal], *, bins: int) -> Signal:
    """Mean power spectrum of many utterances.

    ``S(f) = < |DFT(w x)(f)|² >`` over half-overlapping segments ``x`` with a Hann window ``w``
    (P. D. Welch, IEEE Trans. Audio Electroacoust. 15:70, 1967).

    Parameters
    ----------
    speech
        Waveforms at one sample rate, at least one of them ``2 * (bins - 1)`` samples long.
    bins
        Number of frequencies from zero to half the sample rate.

    Returns
    -------
    power
        Shape (bins,), to any scale.
    """
    length = 2 * (bins - 1)
    power, segments = np.zeros(bins), 0
    for waveform in speech:
        if len(waveform) >= length:
            segment = np.lib.stride_tricks.sliding_window_view(waveform, length)[:: length // 2]
            power += np.sum(np.abs(np.fft.rfft(np.hanning(length) * segment)) ** 2, axis=0)
            segments += len(segment)
    return power / segments


def shaped_noise(power: Signal, samples: int, *, rng: np.random.Generator) -> Signal:
    """Gaussian noise with a given power spectrum.

    White noise whose discrete Fourier transform is multiplied by ``sqrt(S(f))``, with ``S`` read
    between its bins by linear interpolation.

    Parameters
    ----------
    power
        ``S`` at evenly spaced frequencies from zero to half the sample rate, shape (bins,), to any
        scale; ones give white noise, `pink_spectrum` pink noise, `long_term_spectrum` speech-shaped.
    samples
        Length of the noise.
    rng
        Source of the white noise.

    Returns
    -------
    noise
        Shape (samples,), unit mean power.
    """
    from scipy.fft import next_fast_len

    length = next_fast_len(samples, real=True)
    white = np.fft.rfft(rng.standard_normal(length))
    position = np.linspace(0.0, len(power) - 1.0, len(white))
    shape = np.sqrt(np.interp(position, np.arange(len(power)), power))
    noise: Signal = np.fft.irfft(shape * white, length)[:samples]
    noise /= np.sqrt(np.mean(noise**2))
    return noise


def pink_spectrum(*, bins: int) -> Signal:
    """Power inversely proportional to frequency, nothing at zero frequency; shape (bins,)."""
    power = np.zeros(bins)
    power[1:] = 1.0 / np.arange(1, bins)
    return power


def add_noise(speech: Signal, noise: Signal, *, snr_db: float) -> Signal:
    """Speech plus noise at a ratio of their mean powers over the whole signal.

    ``y = x + n sqrt(<x²> / <n²> 10^(-SNR/10))``

    Parameters
    ----------
    speech, noise
        ``x`` and ``n``, shape (time,).
    snr_db
        Signal-to-noise ratio [dB].
    """
    gain = np.sqrt(np.mean(speech**2) / np.mean(noise**2) * 10.0 ** (-snr_db / 10.0))
    noisy: Signal = speech + gain * noise
    return noisy


def set_peak(signal: Signal, *, level_dbfs: float) -> Signal:
    """Scale so that the largest magnitude lies at a level relative to full scale, 1.

    Parameters
    ----------
    signal
        Shape (time,).
    level_dbfs
        Peak level [dB re full scale]; at most 0, or the signal clips.
    """
    scaled: Signal = signal * (10.0 ** (level_dbfs / 20.0) / np.max(np.abs(signal)))
    return scaled
