"""Third stage: nerve fibres fire at random, and a bushy cell spikes where many fire together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hearspike.converter.lanes import LANES, lane_blocks
from hearspike.converter.ranges import require_number, require_whole
from hearspike.converter.spike_trains import SpikeTrains
from hearspike.errors import InputError

Seed = int | np.random.SeedSequence


@dataclass(frozen=True)
class BushyCellParameters:
    """One bushy cell per channel and the fibres that drive it.

    Attributes
    ----------
    fibres
        Nerve fibres per channel, 1 … 100. 40: Cramer et al. 2022.
    fibre_refractory_s
        Time for which a fibre cannot fire again, s, at least 0. 1 ms: Cramer et al. 2022.
    tau_membrane_s
        Time constant of the membrane, s, above 0. 1 ms: Cramer et al. 2022.
    tau_synapse_s
        Time constant of the synaptic current, s, above 0. 0.5 ms: Cramer et al. 2022.
    refractory_s
        Time for which the cell is held at rest after a spike, s, at least 0. 1 ms: Cramer et al. 2022.
    drive_per_s
        Rise of the membrane, in thresholds per second, while all fibres' synaptic current of one spike
        each lasts, above 0; shared evenly between the fibres. 13000: Cramer et al. 2022.
    """

    fibres: int = 40
    fibre_refractory_s: float = 1e-3
    tau_membrane_s: float = 1e-3
    tau_synapse_s: float = 5e-4
    refractory_s: float = 1e-3
    drive_per_s: float = 13e3

    def __post_init__(self) -> None:
        require_whole(self, "fibres", least=1, most=100)
        for name in ("tau_membrane_s", "tau_synapse_s", "drive_per_s"):
            require_number(self, name, above=0)
        for name in ("fibre_refractory_s", "refractory_s"):
            require_number(self, name, least=0)


def random_keys(seed: Seed, channels: int, *, stream: int = 0) -> npt.NDArray[np.uint32]:
    """Keys [2, channel] of the streams of random numbers; a channel's own depend on no other channel.

    ``stream`` above 0 gives further, independent keys of the same seed, for further types of fibres.
    """
    if not isinstance(seed, np.random.SeedSequence) and seed < 0:
        raise InputError("seed", seed, "a whole number of at least 0")
    sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    if stream:
        sequence = np.random.SeedSequence(sequence.entropy, spawn_key=(*sequence.spawn_key, stream))
    return np.ascontiguousarray(sequence.generate_state(2 * channels).reshape(channels, 2).T)


class Fibres:
    """Nerve fibres that are alike, of `LANES` channels, stepping through a recording piece by piece.

    Parameters
    ----------
    count
        Fibres per channel.
    refractory_s
        Time for which a fibre cannot fire again, s.
    rate
        Steps per second, Hz.
    keys
        Keys of the channels' random numbers [2, channel], at most `LANES` channels.
    """

    def __init__(self, count: int, refractory_s: float, rate: float, keys: npt.NDArray[np.uint32]) -> None:
        self._count = count
        self._keys = np.zeros((2, LANES), dtype=np.uint32)
        self._keys[:, : keys.shape[1]] = keys
        self._recent = np.zeros((max(1, math.ceil(refractory_s * rate)), LANES), dtype=np.int32)
        self._step = 0

    def add_to(self, counts: npt.NDArray[np.uint8], probability: npt.NDArray[np.floating]) -> None:
        """Add to counts [time, lane] how many fibres fire with this probability [time, lane]."""
        from hearspike.converter.kernels import draw_fibres

        single = probability.astype(np.float32, copy=False)
        draw_fibres(single, self._keys, self._count, self._step, self._recent, counts)
        self._step += len(counts)


class BushyCells:
    """Bushy cells of `LANES` channels, stepping through a recording piece by piece.

    Parameters
    ----------
    parameters
        Fibres and cell.
    rate
        Steps per second, Hz.
    channels
        How many of the lanes are channels.
    """

    def __init__(self, parameters: BushyCellParameters, rate: float, channels: int) -> None:
        self._channels = channels
        self._refractory_steps = math.ceil(parameters.refractory_s * rate)
        self._constants = np.array(
            [
                math.exp(-1 / (rate * parameters.tau_membrane_s)),
                math.exp(-1 / (rate * parameters.tau_synapse_s)),
                parameters.drive_per_s / parameters.fibres / rate,
            ],
            dtype=np.float32,
        )
        self._current = np.zeros(LANES, dtype=np.float32)
        self._voltage = np.zeros(LANES, dtype=np.float32)
        self._waiting = np.zeros(LANES, dtype=np.int32)
        self._step = 0

    def advance(self, counts: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return steps and lanes [spike] of the spikes that firing fibres [time, lane] evoke."""
        from hearspike.converter.kernels import bushy_cells

        most = LANES * (len(counts) // (self._refractory_steps + 1) + 1)
        steps, lanes = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int32)
        found = bushy_cells(
            counts,
            self._current,
            self._voltage,
            self._waiting,
            self._constants,
            self._refractory_steps,
            self._step,
            steps,
            lanes,
        )
        self._step += len(counts)
        real = lanes[:found] < self._channels
        return steps[:found][real], lanes[:found][real]


def bushy_cell_spikes(
    probability: npt.NDArray[np.floating], rate: int, parameters: BushyCellParameters, *, seed: Seed
) -> SpikeTrains:
    """Spikes of the bushy cells.

    Each fibre that did not fire within the last ``fibre_refractory_s`` fires with probability P; the
    fibres of a channel are alike, so that the number n that fire is ``Binomial(fibres − refractory, P)``.
    The cell integrates::

        I ← I e^(−dt/τ_s) + n                          synaptic current
        v ← min(v e^(−dt/τ_m) + I (drive / fibres) dt, 1)

    spikes at ``v = 1`` and is then held at 0 for ``refractory_s``. A crossing in the last step is not
    counted, as in the reference.

    Parameters
    ----------
    probability
        Probability of firing per step [channel, time].
    rate
        Steps per second, Hz.
    parameters
        Fibres and cell.
    seed
        Of the fibres' random numbers.
    """
    probability = np.asarray(probability)
    channels, length = probability.shape
    keys = random_keys(seed, channels)
    found = []
    for block in lane_blocks(channels):
        lanes = np.zeros((length, LANES), dtype=np.float32)
        lanes[:, : len(block)] = probability[block.start : block.stop].T
        counts = np.zeros(lanes.shape, dtype=np.uint8)
        block_keys = keys[:, block.start : block.stop]
        Fibres(parameters.fibres, parameters.fibre_refractory_s, rate, block_keys).add_to(counts, lanes)
        steps, lane = BushyCells(parameters, rate, len(block)).advance(counts)
        found.append((steps, lane + block.start))
    return merged_trains(found, channels=channels, rate=rate, duration=length / rate)


def merged_trains(
    found: Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]],
    *,
    channels: int,
    rate: int,
    duration: float,
) -> SpikeTrains:
    """One `SpikeTrains` from the (steps, channels) that the blocks found, sorted by time, then channel."""
    steps = np.concatenate([block[0] for block in found])
    units = np.concatenate([block[1] for block in found])
    order = np.lexsort((units, steps))
    return SpikeTrains(
        times=steps[order] / rate,
        units=units[order].astype(np.uint16),
        duration=duration,
        channels=channels,
        sample_rate=rate,
    )
