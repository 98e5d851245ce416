"""Compiled inner loops over arrays [time, lane]: `LANES` channels side by side, their state in arrays.

All of them release the interpreter lock and touch only their own arguments, so that blocks of channels can
run in threads; the random numbers are functions of key and step, so that the order does not matter. The
equations are in the docstrings of the functions that call these.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from hearspike.converter.lanes import LANES

Floats = npt.NDArray[np.float32]
Kernel = TypeVar("Kernel", bound=Callable[..., object])


def _compiled(kernel: Kernel) -> Kernel:
    """Compile on the first call and keep the result on disk; multiply and add may be fused."""
    compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})(kernel)
    return cast(Kernel, compiled)


_ZERO, _HALF, _ONE, _TWO = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
_TO_UNIT = np.float32(2.0**-24)
MOST_FIBRES = 100
"""Above this many fibres 2^−fibres leaves single precision, in which `draw_fibres` works."""
_INVERSE = (1 / np.arange(1, MOST_FIBRES + 1)).astype(np.float32)


# Working values of `draw_fibres` lie in one array per type, at these offsets: so the compiler sees that they
# do not overlap, and uses vector instructions.
MASS, ODDS, REST = 0, LANES, 2 * LANES
READY, DRAWN, SWAP, BUSY = 0, LANES, 2 * LANES, 3 * LANES


@_compiled
def filter_spectrum(
    spectrum: npt.NDArray[np.complex64],
    knots: npt.NDArray[np.int32],
    weights: Floats,
    table: Floats,
    bins: int,
    fold: int,
    forward: bool,
    filtered: Floats,
) -> None:
    """Multiply a spectrum [frequency] by an interpolated table [knot, 2, lane] into [frequency, lane × 2].

    ``fold`` is the number of points of a transform into which bins above its half are folded down, or 0.
    """
    scale = np.float32(0.5) if fold else np.float32(1)
    sign = np.float32(-1) if forward else np.float32(1)
    kept = filtered.shape[0]
    parts = np.empty(2 * LANES, np.float32)
    for k in range(bins):
        knot = knots[k]
        w0, w1, w2, w3 = weights[k, 0], weights[k, 1], weights[k, 2], weights[k, 3]
        x, y = spectrum[k].real * scale, spectrum[k].imag * scale
        for lane in range(LANES):
            a = w0 * table[knot, 0, lane] + w1 * table[knot + 1, 0, lane]
            a += w2 * table[knot + 2, 0, lane] + w3 * table[knot + 3, 0, lane]
            b = w0 * table[knot, 1, lane] + w1 * table[knot + 1, 1, lane]
            b += w2 * table[knot + 2, 1, lane] + w3 * table[knot + 3, 1, lane]
            b *= sign
            parts[lane] = a * x - b * y
            parts[LANES + lane] = a * y + b * x
        if k < kept:
            for lane in range(LANES):
                filtered[k, 2 * lane] += parts[lane]
                filtered[k, 2 * lane + 1] += parts[LANES + lane]
        mirror = (fold - k) % fold if fold else kept
        if mirror < kept:
            for lane in range(LANES):
                filtered[mirror, 2 * lane] += parts[lane]
                filtered[mirror, 2 * lane + 1] -= parts[LANES + lane]


@_compiled
def refine(coarse: Floats, taps: Floats, first: int, fine: Floats) -> None:
    """Interpolate [time, lane] between coarse steps by taps [phase, tap], eight at once.

    The first tap of interpolated step 0 is coarse step 0; steps before ``first`` are left out.
    """
    phases, count = taps.shape
    for n in range(fine.shape[0]):
        at = (first + n) // phases
        phase = first + n - at * phases
        for lane in range(LANES):
            fine[n, lane] = _ZERO
        for j in range(0, count, 8):
            k = at + j
            w0, w1, w2, w3 = taps[phase, j], taps[phase, j + 1], taps[phase, j + 2], taps[phase, j + 3]
            w4, w5, w6, w7 = taps[phase, j + 4], taps[phase, j + 5], taps[phase, j + 6], taps[phase, j + 7]
            for lane in range(LANES):
                a = w0 * coarse[k, lane] + w1 * coarse[k + 1, lane]
                a += w2 * coarse[k + 2, lane] + w3 * coarse[k + 3, lane]
                a += w4 * coarse[k + 4, lane] + w5 * coarse[k + 5, lane]
                a += w6 * coarse[k + 6, lane] + w7 * coarse[k + 7, lane]
                fine[n, lane] += a


@_compiled
def hair_cell_euler(drive: npt.NDArray[Any], state: npt.NDArray[Any], constants: npt.NDArray[Any]) -> None:
    """Step the hair cell by explicit Euler; ``drive`` is velocity before and firing probability after."""
    a, b, g, y, loss, r, x, h, m = constants
    q, c, w = state[0], state[1], state[2]
    for n in range(drive.shape[0]):
        for lane in range(LANES):
            s = max(drive[n, lane] + a, _ZERO)
            ejected = g * s / (s + b) * q[lane]
            made = y * max(m - q[lane], _ZERO)
            reprocessed = x * w[lane]
            taken_up = r * c[lane]
            q[lane] = max(q[lane] + made - ejected + reprocessed, _ZERO)
            c_new = max(c[lane] + ejected - loss * c[lane], _ZERO)
            w[lane] = max(w[lane] + taken_up - reprocessed, _ZERO)
            c[lane] = c_new
            drive[n, lane] = h * c_new


@_compiled
def hair_cell_splitting(
    drive: npt.NDArray[Any], state: npt.NDArray[Any], constants: npt.NDArray[Any]
) -> None:
    """Step the hair cell by splitting; ``drive`` is velocity before and firing probability after."""
    a, b, g, h, qq, qc, qw, q0, cc, wc, ww = constants
    q, c, w = state[0], state[1], state[2]
    for n in range(drive.shape[0]):
        for lane in range(LANES):
            s = max(drive[n, lane] + a, _ZERO)
            width = s + b
            z = g * s
            left = width * width
            left = left / (left + z * width + _HALF * z * z)
            ejected = q[lane] * (_ONE - left)
            x = h * (c[lane] + _HALF * ejected)
            fires = x + _HALF * x * x
            drive[n, lane] = fires / (_ONE + fires)
            q_left = q[lane] - ejected
            c_now = c[lane] + ejected
            w_now = w[lane]
            q[lane] = qq * q_left + qc * c_now + qw * w_now + q0
            c[lane] = cc * c_now
            w[lane] = wc * c_now + ww * w_now


@_compiled
def _hash(x: np.uint32) -> np.uint32:
    """Mix 32 bits: two rounds of shift and multiply, with the constants of C. Wellons' low-bias search."""
    x = np.uint32(x ^ (x >> np.uint32(16)))
    x = np.uint32(x * np.uint32(0x7FEB352D))
    x = np.uint32(x ^ (x >> np.uint32(15)))
    x = np.uint32(x * np.uint32(0x846CA68B))
    return np.uint32(x ^ (x >> np.uint32(16)))


@_compiled
def draw_fibres(
    probability: Floats,
    keys: npt.NDArray[np.uint32],
    fibres: int,
    first_step: int,
    recent: npt.NDArray[np.int32],
    counts: npt.NDArray[np.uint8],
) -> None:
    """Add to ``counts`` how many of ``fibres`` fire in each step, those that fired recently left out.

    ``keys`` is [2, lane]; ``recent`` [slot, lane] holds the last counts, as many as a fibre's cycle is long.
    The law is binomial: its distribution function is added up until it passes a uniform number, which is a
    hash of key and step. Above one half the fibres that stay silent are drawn instead.
    """
    lane_keys = keys.copy().ravel()
    floats, wholes = np.empty(3 * LANES, np.float32), np.zeros(4 * LANES, np.int32)
    for slot in range(recent.shape[0]):
        for lane in range(LANES):
            wholes[BUSY + lane] += recent[slot, lane]
    for n in range(probability.shape[0]):
        step = np.uint32(first_step + n)
        oldest, chance, total = recent[(first_step + n) % recent.shape[0]], probability[n], counts[n]
        more = np.int32(0)
        for lane in range(LANES):
            bits = _hash(np.uint32(_hash(np.uint32(step + lane_keys[lane])) ^ lane_keys[LANES + lane]))
            u = np.float32(np.int32(bits >> np.uint32(8))) * _TO_UNIT
            busy = wholes[BUSY + lane] - oldest[lane]
            ready = np.int32(fibres - busy)
            p = min(chance[lane], _ONE)
            swap = p > _HALF
            p = _ONE - p if swap else p
            power = _ONE - p
            floats[ODDS + lane] = p / power
            none = power if ready & 1 else _ONE
            for bit in range(1, 7):
                power = power * power
                none = none * power if ready & (1 << bit) else none
            floats[MASS + lane] = none
            floats[REST + lane] = u - none
            wholes[BUSY + lane] = busy
            wholes[READY + lane] = ready
            wholes[SWAP + lane] = swap
            wholes[DRAWN + lane] = 0
            more |= np.int32(u >= none)
        k = 0
        while more and k < fibres:
            more = np.int32(0)
            for lane in range(LANES):
                ready, drawn = wholes[READY + lane], wholes[DRAWN + lane]
                wholes[DRAWN + lane] = drawn + (
                    np.int32(floats[REST + lane] >= _ZERO) & np.int32(drawn < ready)
                )
                mass = (
                    floats[MASS + lane] * floats[ODDS + lane] * np.float32(ready - np.int32(k)) * _INVERSE[k]
                )
                rest = floats[REST + lane] - mass
                floats[MASS + lane] = mass
                floats[REST + lane] = rest
                more |= np.int32(rest >= _ZERO)
            k += 1
        for lane in range(LANES):
            ready, drawn = wholes[READY + lane], wholes[DRAWN + lane]
            count = ready - drawn if wholes[SWAP + lane] else drawn
            oldest[lane] = count
            wholes[BUSY + lane] += count
            total[lane] += np.uint8(count)


@_compiled
def bushy_cells(
    counts: npt.NDArray[np.uint8],
    current: Floats,
    voltage: Floats,
    waiting: npt.NDArray[np.int32],
    constants: Floats,
    refractory_steps: int,
    first_step: int,
    steps: npt.NDArray[np.int64],
    lanes: npt.NDArray[np.int32],
) -> int:
    """Integrate the bushy cells [lane]; write step and lane of each spike and return the number of spikes.

    ``steps`` and ``lanes`` must hold one spike per lane for every ``refractory_steps + 1`` steps begun.
    """
    membrane_decay, synapse_decay, gain = constants
    crossed = np.empty(LANES, np.int32)
    found = 0
    for n in range(counts.shape[0]):
        some = np.int32(0)
        for lane in range(LANES):
            hit = np.int32(voltage[lane] >= _ONE)
            crossed[lane] = hit
            some |= hit
            current[lane] = current[lane] * synapse_decay + np.float32(np.int32(counts[n, lane]))
            blocked = np.int32(refractory_steps) if hit else waiting[lane]
            moved = min(voltage[lane] * membrane_decay + current[lane] * gain, _ONE)
            voltage[lane] = moved if blocked <= 0 else _ZERO
            waiting[lane] = max(blocked - 1, 0)
        if some:
            for lane in range(LANES):
                if crossed[lane]:
                    steps[found] = first_step + n - 1
                    lanes[found] = lane
                    found += 1
    return found
