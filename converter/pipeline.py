"""The whole ear in one call: conditioning, membrane, hair cells, bushy cells; and its named sets."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from hearspike.converter.audio import SHORTEST, Conditioning, condition, resample
from hearspike.converter.basilar_membrane import MembraneBlocks
from hearspike.converter.bushy_cell import BushyCellParameters, BushyCells, Seed, merged_trains, random_keys
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
        Rate that the sound is resampled to, Hz, 8000 … 384000; None keeps its own.
    conditioning, membrane, hair_cell, bushy_cell
        Parameters of the stages.
    """

    sample_rate: int | None = 48_000
    conditioning: Conditioning = field(default_factory=Conditioning)
    membrane: MembraneParameters = field(default_factory=MembraneParameters)
    hair_cell: HairCellParameters = field(default_factory=HairCellParameters)
    bushy_cell: BushyCellParameters = field(default_factory=BushyCellParameters)

    def __post_init__(self) -> None:
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
        if threads < 1:
            raise InputError("threads", threads, "a whole number of at least 1")
        duration = len(samples) / sample_rate
        rate = sample_rate if self.sample_rate is None else self.sample_rate
        sound = condition(resample(samples, sample_rate, rate), rate, self.conditioning)
        blocks = MembraneBlocks(sound, rate, self.membrane)
        step_rate = self.membrane.output_rate(rate)
        keys = random_keys(seed, self.membrane.channels)

        def convert(channels: range) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
            hair_cells = HairCells(self.hair_cell, step_rate, blocks.dtype)
            bushy_cells = BushyCells(self.bushy_cell, step_rate, keys[:, channels.start : channels.stop])
            pieces = [
                bushy_cells.advance(hair_cells.advance(blocks.velocity(segment, channels)))
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
        "reference": Converter(sample_rate=None, membrane=MembraneParameters(synthesis="reference-exact")),
    }
)
"""``heidelberg``: the published converter's algorithm on audio resampled to 48 kHz. ``reference``: the
published converter as it is, at the file's own rate and transform length, for checks against it."""


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
