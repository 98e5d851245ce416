"""The whole ear in one call: conditioning, membrane, hair cells, bushy cells; and its named sets."""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from hearspike.converter.audio import SHORTEST, Conditioning, condition, resample
from hearspike.converter.basilar_membrane import MembraneBlocks
from hearspike.converter.bushy_cell import (
    BushyCellParameters,
    BushyCells,
    Fibres,
    Seed,
    merged_trains,
    random_keys,
)
from hearspike.converter.fibre_types import ALIKE, FibreType, fibres_per_type, hair_cell_of
from hearspike.converter.hair_cell import HairCellParameters, HairCells
from hearspike.converter.lanes import lane_blocks
from hearspike.converter.membrane_response import MembraneParameters
from hearspike.converter.ranges import require_whole
from hearspike.converter.spike_trains import SpikeTrains
from hearspike.errors import InputError


@dataclass(frozen=True)
class Converter:
    """From a waveform to spike trains.

    Attributes
    ----------
    sample_rate
        Rate that the sound is resampled to, Hz, 8000 … 384000; None keeps its own. 48000: well above the
        18 kHz below which Euler steps of the hair cell ring.
    conditioning, membrane, hair_cell, bushy_cell
        Parameters of the stages.
    fibre_types
        Types of nerve fibres that each channel's fibres are shared among; their fibres add up in the
        bushy cell.
    """

    sample_rate: int | None = 48_000
    conditioning: Conditioning = field(default_factory=Conditioning)
    membrane: MembraneParameters = field(default_factory=MembraneParameters)
    hair_cell: HairCellParameters = field(default_factory=HairCellParameters)
    bushy_cell: BushyCellParameters = field(default_factory=BushyCellParameters)
    fibre_types: tuple[FibreType, ...] = ALIKE

    def __post_init__(self) -> None:
        total = sum(kind.share for kind in self.fibre_types)
        if not math.isclose(total, 1):
            raise InputError("Converter.fibre_types", f"shares that add up to {total:g}", "a sum of 1")
        if self.sample_rate is not None:
            require_whole(self, "sample_rate", least=8000, most=384_000)

    def __call__(
        self, samples: npt.NDArray[np.floating], sample_rate: int, *, seed: Seed, threads: int = 1
    ) -> SpikeTrains:
        """Spikes that a sound evokes; the same for the same seed, whatever the number of threads.

        Parameters
        ----------
        samples
            Samples [time].
        sample_rate
            Hz.
        seed
            Of the nerve fibres' random numbers.
        threads
            Blocks of channels worked on at once.

        Raises
        ------
        InputError
            If the samples are not a vector of at least two finite numbers, or a number is out of range.
        """
        samples = _checked(samples, sample_rate)
        _check_threads(threads)
        duration = len(samples) / sample_rate
        rate = sample_rate if self.sample_rate is None else self.sample_rate
        sound = condition(resample(samples, sample_rate, rate), rate, self.conditioning)
        blocks = MembraneBlocks(sound, rate, self.membrane)
        step_rate = self.membrane.output_rate(rate)
        keys = [
            random_keys(seed, self.membrane.channels, stream=stream)
            for stream in range(len(self.fibre_types))
        ]

        def convert(channels: range) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
            nerve = self._nerve(step_rate, blocks.dtype, [k[:, channels.start : channels.stop] for k in keys])
            bushy_cells = BushyCells(self.bushy_cell, step_rate, len(channels))
            pieces = [
                bushy_cells.advance(_fibres_firing(nerve, blocks.velocity(segment, channels)))
                for segment in blocks.segments
            ]
            steps, lanes = (np.concatenate(part) for part in zip(*pieces, strict=True))
            return steps, lanes + channels.start

        work = list(lane_blocks(self.membrane.channels))
        if threads > 1:
            with ThreadPoolExecutor(threads) as pool:
                found = list(pool.map(convert, work))
        else:
            found = [convert(channels) for channels in work]
        return merged_trains(found, channels=self.membrane.channels, rate=step_rate, duration=duration)

    def batch(
        self,
        recordings: Sequence[npt.NDArray[np.floating]],
        sample_rates: int | Sequence[int],
        *,
        seeds: Sequence[Seed],
        threads: int = 1,
    ) -> list[SpikeTrains]:
        """Spikes of many recordings, each the same as a call by itself with its seed would give.

        Parameters
        ----------
        recordings
            Samples [time] of each recording; the lengths may differ.
        sample_rates
            Hz, one for all or one for each.
        seeds
            One for each recording, such as ``np.random.SeedSequence(0).spawn(len(recordings))``.
        threads
            Recordings worked on at once.

        Raises
        ------
        InputError
            As for a single recording, before any is converted; if the numbers of recordings, rates and
            seeds differ.
        """
        rates = [sample_rates] * len(recordings) if isinstance(sample_rates, int) else list(sample_rates)
        for name, given in (("sample_rates", rates), ("seeds", seeds)):
            if len(given) != len(recordings):
                raise InputError(
                    name, f"{len(given)} of them", f"one for each of {len(recordings)} recordings"
                )
        _check_threads(threads)
        for i, (samples, rate) in enumerate(zip(recordings, rates, strict=True)):
            try:
                _checked(samples, rate)
            except InputError as error:
                subject = f"recording {i}: {error.subject}"
                raise InputError(subject, error.value, error.expected) from None
        with ThreadPoolExecutor(threads) as pool:
            return list(
                pool.map(lambda samples, rate, seed: self(samples, rate, seed=seed), recordings, rates, seeds)
            )

    def _nerve(
        self, rate: int, dtype: npt.DTypeLike, keys: Sequence[npt.NDArray[np.uint32]]
    ) -> list[tuple[HairCells, Fibres]]:
        """Hair cell and fibres of each type, for the channels of the keys [type][2, channel]."""
        cell = self.bushy_cell
        counts = fibres_per_type(cell.fibres, self.fibre_types)
        return [
            (
                HairCells(hair_cell_of(kind, self.hair_cell), rate, dtype),
                Fibres(count, cell.fibre_refractory_s, rate, own_keys),
            )
            for kind, count, own_keys in zip(self.fibre_types, counts, keys, strict=True)
        ]


def _fibres_firing(
    nerve: Sequence[tuple[HairCells, Fibres]], velocity: npt.NDArray[np.floating]
) -> npt.NDArray[np.uint8]:
    """Fibres of all types that fire [time, lane]; overwrites the velocity [time, lane]."""
    counts = np.zeros(velocity.shape, dtype=np.uint8)
    for i, (hair_cells, fibres) in enumerate(nerve, start=1):
        own = velocity if i == len(nerve) else velocity.copy()
        fibres.add_to(counts, hair_cells.advance(own))
    return counts


def _check_threads(threads: int) -> None:
    if threads < 1:
        raise InputError("threads", threads, "a whole number of at least 1")


def _checked(samples: npt.NDArray[np.floating], sample_rate: int) -> npt.NDArray[np.floating]:
    samples = np.asarray(samples)
    if samples.ndim != 1 or len(samples) < SHORTEST or samples.dtype.kind not in "fiu":
        found = f"an array of shape {samples.shape} and type {samples.dtype}"
        raise InputError("samples", found, f"a vector of at least {SHORTEST} real numbers")
    if not np.all(np.isfinite(samples)):
        raise InputError("samples", "values that are NaN or infinite", "finite samples")
    if isinstance(sample_rate, bool) or int(sample_rate) != sample_rate or sample_rate < 1:
        raise InputError("sample_rate", sample_rate, "a whole number of Hz above 0")
    return samples


PRESETS: Mapping[str, Converter] = MappingProxyType(
    {
        "heidelberg": Converter(),
        "causal": Converter(
            conditioning=Conditioning(window="ramps"),
            membrane=MembraneParameters(synthesis="causal"),
            hair_cell=HairCellParameters(scheme="splitting"),
        ),
        "speech": Converter(
            sample_rate=24_000,
            conditioning=Conditioning(
                window="ramps", ear="bs1387", emphasis_corner_hz=77.6, level_over="active"
            ),
            membrane=MembraneParameters(synthesis="causal"),
            hair_cell=HairCellParameters(scheme="splitting"),
        ),
        "reference": Converter(sample_rate=None, membrane=MembraneParameters(synthesis="reference-exact")),
    }
)
"""``heidelberg``: the published converter's algorithm on audio resampled to 48 kHz. ``reference``: the
published converter as it is, at the file's own rate and transform length, for checks against it. ``causal``:
without its faults. ``speech``: that at half the rate, with outer and middle ear, pre-emphasis and the level
of active speech; chosen on validation speakers (docs/converter.md)."""


def preset(name: str, *, channels: int = 700) -> Converter:
    """Return a named parameter set.

    Parameters
    ----------
    name
        One of `PRESETS`.
    channels
        Number of channels, spread over the same range of places.

    Raises
    ------
    InputError
        If there is no such preset.
    """
    if name not in PRESETS:
        raise InputError("preset", name, f"one of {', '.join(PRESETS)}")
    converter = PRESETS[name]
    return replace(converter, membrane=replace(converter.membrane, channels=channels))
