"""First stage: sound moves the basilar membrane. Spectrum × transfer function → velocity of each place."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from hearspike.converter.lanes import LANES, lane_blocks
from hearspike.converter.membrane_response import (
    MembraneParameters,
    knot_position,
    transfer_function,
    transfer_table,
)

LONGEST_SEGMENT = 2**17
"""Steps of velocity computed in one transform; longer recordings are cut, which bounds the memory."""

RINGING_S = 0.15
"""Sound heard before a segment (after it, where the wave runs backward) when a recording is cut, and silence
around the whole in the causal synthesis: the slowest place rings for about 0.06 s."""

GUARD_S = 0.05
"""The same on the other side, for what little a band-limited response spreads against the wave."""


COARSEST = 16
"""Most steps of velocity per step of its transform, where a block's band is so narrow that few will do."""

TAPS = 16
"""Steps of the transform from which one step of velocity is interpolated."""


@dataclass(frozen=True)
class Segment:
    """A stretch of a recording, ready to be filtered.

    Attributes
    ----------
    spectrum
        Spectrum of the stretch and its margins [frequency].
    knots, weights
        First of four knots of the transfer table, and their Lagrange weights, for each frequency [frequency],
        [frequency, 4].
    points
        Length of the inverse transform.
    folded
        Whether the spectrum above half the output rate is folded down (the reference) or was never above it.
    forward
        Whether the transfer function is conjugated, so that the wave runs forward in time.
    margin, steps
        Steps of the transform that lie before the stretch, and its own steps.
    """

    spectrum: npt.NDArray[np.complexfloating]
    knots: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    points: int
    folded: bool
    forward: bool
    margin: int
    steps: int


def segments(
    samples: npt.NDArray[np.floating], sample_rate: int, parameters: MembraneParameters
) -> list[Segment]:
    """Spectra of a recording, whole or cut into stretches of at most `LONGEST_SEGMENT` steps.

    Parameters
    ----------
    samples
        Samples [time].
    sample_rate
        Hz.
    parameters
        The membrane; its ``synthesis`` decides the layout.

    Notes
    -----
    The reference takes the ``M = N // 2 + 1`` bins of the one-sided spectrum of N samples through an M-point
    inverse transform. Its step is thereby ``2 (M − 1) / M`` samples, not 2: a drift of one step over the
    recording, kept here in a recording that is not cut. It reads the transfer function of bin k at
    ``1 + k (r − 1) / (M − 1)`` Hz, r the output rate, up to 1 Hz beside the bin: kept everywhere in its
    synthesis.
    """
    sound: npt.NDArray[np.float64] = np.asarray(samples, dtype=np.float64)
    if parameters.synthesis == "causal":
        return _cut(sound, sample_rate, 1, parameters)
    points = len(samples) // 2 + 1
    if parameters.synthesis == "reference":
        points = _fast_length(points)
        if points > LONGEST_SEGMENT:
            return _cut(sound, sample_rate, 2, parameters)
    spectrum: npt.NDArray[np.complexfloating] = _spectrum(sound, max(2 * (points - 1), len(sound)))[:points]
    if parameters.synthesis == "reference":
        spectrum = spectrum.astype(np.complex64)
    knots, weights = _interpolation(np.linspace(1, parameters.output_rate(sample_rate), points))
    return [Segment(spectrum, knots, weights, points, True, False, 0, len(samples) // 2 + 1)]


def _cut(
    samples: npt.NDArray[np.float64], sample_rate: int, stride: int, parameters: MembraneParameters
) -> list[Segment]:
    """Stretches with sound (or silence) on both sides; ``stride`` samples make one step."""
    causal = parameters.synthesis == "causal"
    total = -(-len(samples) // stride) if causal else len(samples) // 2 + 1
    ringing, guard = (int(np.ceil(time * sample_rate / stride)) for time in (RINGING_S, GUARD_S))
    margin = ringing if causal else guard
    longest = min(total, LONGEST_SEGMENT - ringing - guard)
    points = _fast_length(longest + ringing + guard)
    padded = np.pad(samples, (margin * stride, stride * points))
    rate = parameters.output_rate(sample_rate)
    bins = points * stride // 2 + (stride == 1)
    bin_hz = sample_rate / (points * stride)
    knots, weights = _interpolation(
        np.arange(bins) * bin_hz if causal else 1 + np.arange(bins) * bin_hz * ((rate - 1) / rate)
    )
    cut = []
    for first in range(0, total, longest):
        stretch = padded[first * stride : (first + points) * stride]
        spectrum = _spectrum(stretch, points * stride)[:bins].astype(np.complex64)
        steps = min(longest, total - first)
        cut.append(Segment(spectrum, knots, weights, points, not causal, causal, margin, steps))
    return cut


def _fast_length(points: int) -> int:
    """Return the next length whose transform is fast, itself and thinned out by up to `COARSEST`."""
    from scipy.fft import next_fast_len

    return 2 * COARSEST * int(next_fast_len(-(-points // (2 * COARSEST)), real=True))


def _spectrum(samples: npt.NDArray[np.float64], points: int) -> npt.NDArray[np.complex128]:
    from scipy.fft import rfft

    spectrum: npt.NDArray[np.complex128] = rfft(samples, points)
    return spectrum


def _interpolation(
    frequency_hz: npt.NDArray[Any],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """First knot and Lagrange weights of the cubic through four knots around each frequency."""
    position = knot_position(frequency_hz)
    first = np.maximum(np.floor(position).astype(np.int32) - 1, 0)
    x = position - first
    weights = np.stack(
        (
            -(x - 1) * (x - 2) * (x - 3) / 6,
            x * (x - 2) * (x - 3) / 2,
            -x * (x - 1) * (x - 3) / 2,
            x * (x - 1) * (x - 2) / 6,
        ),
        axis=1,
    )
    return first, weights.astype(np.float32)


def interpolated_transfer(
    frequency_hz: npt.NDArray[np.float64], channels: Sequence[int], parameters: MembraneParameters
) -> npt.NDArray[np.complex64]:
    """Transfer function [channel, frequency] as the synthesis uses it: conjugated where it is causal.

    Parameters
    ----------
    frequency_hz
        Rising frequencies [frequency], Hz.
    channels
        Which channels, in this order.
    parameters
        The membrane.
    """
    knots, weights = _interpolation(frequency_hz)
    values = transfer_table(parameters, float(frequency_hz[-1]) + 1.0).values
    sign = -1 if parameters.synthesis == "causal" else 1
    response = np.empty((len(channels), len(frequency_hz)), dtype=np.complex64)
    for row, channel in enumerate(channels):
        around = values[:, :, channel][knots[:, np.newaxis] + np.arange(4)]
        real, imaginary = np.einsum("fk,fkp->pf", weights, around)
        response[row] = real + sign * 1j * imaginary
    return response


class _Buffers(threading.local):
    """Arrays that a thread takes up again and again: fresh memory costs about as much as a transform."""

    def __init__(self) -> None:
        self._kept: dict[str, npt.NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, int], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return an array of a shape, whatever it holds; the next one of that name lies in the same place."""
        size = shape[0] * shape[1]
        if name not in self._kept or len(self._kept[name]) < size:
            self._kept[name] = np.empty(size, dtype=dtype)
        return self._kept[name][:size].reshape(shape)


class MembraneBlocks:
    """Velocity of the membrane by blocks of `LANES` channels, so that only one block is in memory.

    Parameters
    ----------
    samples
        Conditioned samples [time].
    sample_rate
        Hz.
    parameters
        The membrane. ``"reference-exact"`` evaluates the transfer function at each bin, in double
        precision, since below 20 kHz the reference's hair cell amplifies the smallest difference; the
        others interpolate its table, in single precision.
    """

    def __init__(
        self, samples: npt.NDArray[np.floating], sample_rate: int, parameters: MembraneParameters
    ) -> None:
        self._parameters = parameters
        self._rate = parameters.output_rate(sample_rate)
        self._exact = parameters.synthesis == "reference-exact"
        self._highest_hz = sample_rate / 2 + 1.0
        self.segments = segments(samples, sample_rate, parameters)
        self.dtype = np.dtype(np.float64 if self._exact else np.float32)
        self._buffers = _Buffers()
        if not self._exact:
            transfer_table(parameters, self._highest_hz)  # built before threads could build it several times

    def velocity(self, segment: Segment, channels: Sequence[int]) -> npt.NDArray[Any]:
        """Velocity [time, lane] of a segment in at most `LANES` channels; lanes left over are still.

        The next call from the same thread may overwrite it.
        """
        from scipy.fft import irfft

        if self._exact:
            direct = self._direct(segment, channels)
            velocity: npt.NDArray[Any] = irfft(direct, segment.points, axis=0, overwrite_x=True)
            return velocity[segment.margin : segment.margin + segment.steps]
        band = int(transfer_table(self._parameters, self._highest_hz).band_knots[list(channels)].max())
        bins = int(np.searchsorted(segment.knots, band))
        coarseness = coarseness_of(bins, segment.points)
        points = segment.points // coarseness
        # Transforms of contiguous numbers, and copies before and after, are faster than across the lanes.
        filtered = self._interpolated(segment, channels, bins, points)
        by_lane = irfft(filtered, points, axis=1)
        fine = self._buffers.array("velocity", (segment.steps, LANES), np.float32)
        if coarseness == 1:
            np.copyto(fine, by_lane[:, segment.margin : segment.margin + segment.steps].T)
        else:
            _refine(by_lane, coarseness, segment.margin, fine)
        return fine

    def _interpolated(
        self, segment: Segment, channels: Sequence[int], bins: int, points: int
    ) -> npt.NDArray[np.complex64]:
        """Spectrum of the velocity [lane, frequency], for a transform of ``points``, from its first bins."""
        from hearspike.converter.kernels import filter_spectrum

        everything = transfer_table(self._parameters, self._highest_hz)
        table = np.zeros((len(everything.values), 2, LANES), dtype=np.float32)
        table[:, :, : len(channels)] = everything.values[:, :, channels]
        filtered = self._buffers.array("by frequency", (points // 2 + 1, LANES), np.complex64)
        filtered[:] = 0
        parts = filtered.view(np.float32)
        fold = segment.points if segment.folded else 0
        filter_spectrum(
            segment.spectrum, segment.knots, segment.weights, table, bins, fold, segment.forward, parts
        )
        by_lane = self._buffers.array("by lane", filtered.shape[::-1], np.complex64)
        np.copyto(by_lane, filtered.T)
        return by_lane

    def _direct(self, segment: Segment, channels: Sequence[int]) -> npt.NDArray[np.complex128]:
        frequency = np.linspace(1, self._rate, segment.points)
        places = self._parameters.places_cm()
        one_sided = np.zeros((segment.points, LANES), dtype=np.complex128)
        for lane, channel in enumerate(channels):
            response = transfer_function(frequency, float(places[channel]), self._parameters)
            one_sided[:, lane] = response * segment.spectrum
        mirrored = np.roll(one_sided[::-1], 1, axis=0).conj()
        folded: npt.NDArray[np.complex128] = (one_sided + mirrored)[: segment.points // 2 + 1] / 2
        return folded


def coarseness_of(bins: int, points: int) -> int:
    """How many steps of a transform of ``points`` can be one, for a spectrum that ends after ``bins``.

    A power of two, at most `COARSEST`. The band takes at most a third of the coarser rate, so that the
    interpolation filter has another third of it for its slope.
    """
    coarseness = 1
    while 2 * coarseness <= COARSEST and 3 * bins <= points // (2 * coarseness):
        coarseness *= 2
    return coarseness


@lru_cache(maxsize=8)
def interpolation_taps(coarseness: int) -> npt.NDArray[np.float32]:
    """Weights [phase, tap] of the coarse steps around each fine one, over the gain of the shorter transform.

    A sinc of the coarse rate under a Kaiser window (Oppenheim and Schafer, Discrete-Time Signal Processing,
    section on Kaiser windows): `TAPS` steps and a slope of a third of the rate attenuate images and bend the
    band by A = 8 + 2.285 (2π / 3) (TAPS − 1) = 80 dB, β = 0.1102 (A − 8.7).
    """
    attenuation_db = 8 + 2.285 * 2 * np.pi / 3 * (TAPS - 1)
    beta = 0.1102 * (attenuation_db - 8.7)
    distance = np.arange(coarseness)[:, np.newaxis] / coarseness - (np.arange(TAPS) - TAPS // 2 + 1)
    window = np.i0(beta * np.sqrt(1 - (distance / (TAPS / 2)) ** 2))
    taps = np.sinc(distance) * window
    taps /= taps.sum(axis=1, keepdims=True) * coarseness
    return taps.astype(np.float32)


def _refine(
    by_lane: npt.NDArray[np.float32], coarseness: int, first: int, fine: npt.NDArray[np.float32]
) -> None:
    """Fill in velocity [time, lane], from step ``first`` on, by every ``coarseness``-th step [lane, time]."""
    from hearspike.converter.kernels import refine

    before = TAPS // 2 - 1
    last = first + len(fine) - 1
    wanted = np.arange(first // coarseness - before, last // coarseness + TAPS - before)
    coarse = np.ascontiguousarray(by_lane.take(wanted, axis=1, mode="wrap").T)
    refine(coarse, interpolation_taps(coarseness), first % coarseness, fine)


def basilar_membrane_velocity(
    samples: npt.NDArray[np.floating],
    sample_rate: int,
    parameters: MembraneParameters,
    *,
    channels: Sequence[int] | None = None,
) -> npt.NDArray[Any]:
    """Velocity of the basilar membrane that a sound evokes.

    Equation: ``v_c(t) = Re F⁻¹[ V(ω, c) · F[x](ω) ]``, V from `transfer_function`, conjugated by the
    causal synthesis.

    Parameters
    ----------
    samples
        Conditioned samples [time].
    sample_rate
        Hz.
    parameters
        The membrane.
    channels
        Which channels to compute, in this order; all by default.

    Returns
    -------
    Velocity [channel, time] at ``parameters.output_rate(sample_rate)``, in the unit of the reference; in
    double precision by ``"reference-exact"``, else single.
    """
    wanted = range(parameters.channels) if channels is None else channels
    blocks = MembraneBlocks(samples, sample_rate, parameters)
    rows = [
        np.concatenate(
            [blocks.velocity(segment, block)[:, : len(block)].T.copy() for segment in blocks.segments], 1
        )
        for block in _blocks_of(wanted)
    ]
    return np.ascontiguousarray(np.concatenate(rows))


def _blocks_of(channels: Sequence[int]) -> Iterator[Sequence[int]]:
    for block in lane_blocks(len(channels)):
        yield channels[block.start : block.stop]
