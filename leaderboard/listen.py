"""``hearspike listen``: spikes from a file of any kind → a sound file."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from hearspike.converter import (
    Converter,
    SpikeTrains,
    load_spike_table,
    load_spikes,
    preset,
    reconstruct,
)
from hearspike.errors import InputError
from hearspike.files import new_file, refuse_existing

SOUND_FORMATS = (".wav", ".flac", ".ogg")
PAUSE_S = 0.3
"""Silence between samples, s."""
AFTER_LAST_SPIKE_S = 0.05
"""What a sample of a spike file, which does not tell its length, is taken to last after its last spike, s."""


def listen(
    path: Path,
    output: Path,
    *,
    samples: Sequence[int] = (),
    converter: str | None = None,
    sample_rate: int = 16_000,
) -> float:
    """Write the sound that an ear may have heard when it made the spikes of a file.

    Parameters
    ----------
    path
        ``.npz`` or ``.csv`` of `hearspike convert`, or a spike file (``.h5``) of hearspike, SHD or SSC.
    output
        File to make; ``.wav``, ``.flac`` or ``.ogg`` decides the format.
    samples
        Numbers of samples in a spike file, which follow one another with a pause; the first if none is given.
    converter
        Preset that made the spikes. None takes what a spike file of hearspike says of itself, and
        ``heidelberg`` where nothing is said, as of SHD and SSC.
    sample_rate
        Of the sound, Hz.

    Returns
    -------
    Length of the sound, s.

    Raises
    ------
    InputError
        If a file cannot be read or exists already, or there is no such sample or preset.
    """
    if output.suffix not in SOUND_FORMATS:
        raise InputError("--output", str(output), f"a name that ends in {', '.join(SOUND_FORMATS)}")
    refuse_existing(output)
    trains, ear = _spikes(path, samples)
    if converter is not None or ear is None:
        ear = preset(converter or "heidelberg")
    if trains[0].channels != ear.membrane.channels:
        ear = replace(ear, membrane=replace(ear.membrane, channels=trains[0].channels))

    import soundfile

    pause = np.zeros(round(PAUSE_S * sample_rate), dtype=np.float32)
    parts = [reconstruct(one, ear, sample_rate=sample_rate).samples for one in trains]
    sound = np.concatenate([part for heard in parts for part in (pause, heard)][1:])
    with new_file(output) as temporary:
        soundfile.write(temporary, sound, sample_rate)
    return len(sound) / sample_rate


def _spikes(path: Path, samples: Sequence[int]) -> tuple[list[SpikeTrains], Converter | None]:
    """Spike trains of the samples of a file, and the converter that the file says it is of."""
    if path.suffix not in (".npz", ".csv"):
        return _of_spike_file(path, samples or (0,))
    if any(samples):
        raise InputError("--sample", samples[0], f"0, since {path} holds one recording")
    if path.suffix == ".npz":
        return [load_spikes(path)], None
    return [load_spike_table(path)], None


def _of_spike_file(path: Path, samples: Sequence[int]) -> tuple[list[SpikeTrains], Converter | None]:
    from hearspike.datasets import read_spike_file

    events = read_spike_file(path).events
    for sample in samples:
        if not 0 <= sample < len(events):
            raise InputError("--sample", sample, f"0 to {len(events) - 1}, a sample of {path}")
    chosen = events.select(np.asarray(samples, dtype=np.int64))
    trains = []
    for first, end in zip(chosen.offsets[:-1], chosen.offsets[1:], strict=True):
        times = chosen.times[first:end].astype(np.float64)
        duration = (float(times[-1]) if len(times) else 0.0) + AFTER_LAST_SPIKE_S
        trains.append(SpikeTrains(times, chosen.units[first:end], duration, events.channels, 1))
    with h5py.File(path, "r") as file:
        said = file.attrs.get("converter")
    return trains, None if said is None else _converter_of(str(said), path)


def _converter_of(said: str, path: Path) -> Converter:
    import pydantic

    try:
        return pydantic.TypeAdapter(Converter).validate_json(said)
    except pydantic.ValidationError as error:
        found = f"{said[:40]}… ({error.error_count()} faults)"
        raise InputError(f"converter of {path}", found, "parameters of a converter, or --preset") from None
