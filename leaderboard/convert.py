"""``hearspike convert``: audio files and folders of them → spike trains, all or nothing."""

import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import joblib

from hearspike.converter import Converter, SpikeTrains, read_audio, save_spike_table, save_spikes
from hearspike.datasets import write_spike_file
from hearspike.datasets.conversion import recording_seed
from hearspike.errors import InputError, Notice
from hearspike.files import new_folder, refuse_existing
from hearspike.progress import Progress, no_progress

FORMATS = ("npz", "csv")
PLOTS = ("png", "svg")


@dataclass(frozen=True)
class Source:
    """An audio file, and the name of what comes of it within the output folder, without suffix."""

    path: Path
    name: str


def find_audio(inputs: Sequence[Path]) -> list[Source]:
    """List the given files, and the audio files below the given folders, in a fixed order.

    Raises
    ------
    InputError
        If a folder holds no audio, or two files would end under one name.
    """
    import soundfile

    suffixes = {f".{name.lower()}" for name in soundfile.available_formats()} | {".aif", ".oga", ".opus"}
    sources = []
    for entry in inputs:
        if not entry.is_dir():
            sources.append(Source(entry, entry.stem))
            continue
        found = sorted(
            path for path in entry.rglob("*") if path.suffix.lower() in suffixes and path.is_file()
        )
        if not found:
            raise InputError(
                entry, "a folder without audio", f"files such as {', '.join(sorted(suffixes)[:6])}"
            )
        sources += [Source(path, path.relative_to(entry).with_suffix("").as_posix()) for path in found]
    seen: dict[str, Path] = {}
    for source in sources:
        if source.name in seen:
            raise InputError(source.path, f"the same name as {seen[source.name]}", "files of different names")
        seen[source.name] = source.path
    return sources


def convert_files(
    inputs: Sequence[Path],
    output: Path,
    *,
    converter: Converter,
    seed: int,
    form: str,
    plot: str | None,
    workers: int,
    progress: Progress = no_progress,
) -> dict[Path, int]:
    """Convert audio files; the spikes of a file depend on its content and the seed, not on the others.

    Parameters
    ----------
    inputs
        Audio files, and folders that are searched for them.
    output
        For one file, a name ending in ``.npz`` or ``.csv``. A name ending in ``.h5`` takes all files
        into one spike file without labels. A name without a suffix is a new folder with one file for each.
    converter
        Audio to spikes.
    seed
        Seed of the spikes.
    form
        ``npz`` or ``csv``: format of the files in a folder.
    plot
        ``png`` or ``svg`` to draw each file beside its spikes, or None.
    workers
        Number of processes.
    progress
        Called after every file.

    Returns
    -------
    counts
        Number of spikes from each file.

    Raises
    ------
    InputError
        If something exists already or cannot be read; nothing is written then.
    """
    for name, value, known in (("--format", form, FORMATS), ("--plot", plot, (*PLOTS, None))):
        if value not in known:
            raise InputError(name, value, f"one of {', '.join(str(item) for item in known if item)}")
    if output.suffix not in ("", ".npz", ".csv", ".h5"):
        raise InputError(
            "--output", str(output), "a name that ends in .npz, .csv or .h5, or that of a new folder"
        )
    refuse_existing(output)
    sources = find_audio(inputs)
    one_file = output.suffix in (".npz", ".csv")
    if one_file and len(sources) > 1:
        raise InputError(
            output, f"{len(sources)} files for it", "one file, or a name of a folder or .h5 file"
        )
    run = _Conversion(converter, seed, workers, progress)
    if one_file:
        return run.into_file(sources[0], output, plot)
    if output.suffix == ".h5":
        if plot:
            raise InputError("--plot", plot, "no plot with an .h5 file")
        return run.into_spike_file(sources, output)
    return run.into_folder(sources, output, form, plot)


@dataclass(frozen=True)
class _Conversion:
    converter: Converter
    seed: int
    workers: int
    progress: Progress

    def into_file(self, source: Source, output: Path, plot: str | None) -> dict[Path, int]:
        picture = output.with_suffix(f".{plot}") if plot else None
        if picture:
            refuse_existing(picture)
        (trains,) = self._all([source], _Writer(self.converter, self.seed, None, "npz", None))
        _save(output, trains)
        if picture:
            _draw(source.path, trains, picture, self.converter)
        return {source.path: len(trains)}

    def into_folder(
        self, sources: Sequence[Source], output: Path, form: str, plot: str | None
    ) -> dict[Path, int]:
        with new_folder(output) as folder:
            results = self._all(sources, _Writer(self.converter, self.seed, folder, form, plot))
        return {source.path: len(trains) for source, trains in zip(sources, results, strict=True)}

    def into_spike_file(self, sources: Sequence[Source], output: Path) -> dict[Path, int]:
        results = self._all(sources, _Writer(self.converter, self.seed, None, "npz", None))
        write_spike_file(
            output,
            [trains.times for trains in results],
            [trains.units for trains in results],
            labels=[0] * len(results),
            speakers=[0] * len(results),
            classes=["unlabelled"],
            sources=[source.name for source in sources],
            speaker_info={"name": ["unknown"]},
            attributes={
                "converter": json.dumps(asdict(self.converter), sort_keys=True),
                "seed": str(self.seed),
            },
            time_type="float32",
            channels=self.converter.membrane.channels,
        )
        return {source.path: len(trains) for source, trains in zip(sources, results, strict=True)}

    def _all(self, sources: Sequence[Source], writer: "_Writer") -> list[SpikeTrains]:
        jobs = (joblib.delayed(writer)(source) for source in sources)
        results = []
        parallel = joblib.Parallel(n_jobs=min(self.workers, len(sources)), return_as="generator")
        for done, (trains, notices) in enumerate(parallel(jobs), start=1):
            for notice in notices:
                warnings.warn(notice, Notice, stacklevel=3)
            results.append(trains)
            self.progress("spikes", done, len(sources), sources[done - 1].path.name)
        return results


@dataclass(frozen=True)
class _Writer:
    """Converts one file in a worker process, and writes what belongs into the folder, if there is one."""

    converter: Converter
    seed: int
    folder: Path | None
    form: str
    plot: str | None

    def __call__(self, source: Source) -> tuple[SpikeTrains, list[str]]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", Notice)
            waveform = read_audio(source.path)
        content = hashlib.sha256(source.path.read_bytes()).hexdigest()
        trains = self.converter(
            waveform.samples, waveform.sample_rate, seed=recording_seed(self.seed, content), threads=1
        )
        if self.folder:
            target = self.folder / f"{source.name}.{self.form}"
            target.parent.mkdir(parents=True, exist_ok=True)
            _save(target, trains)
            if self.plot:
                _draw(source.path, trains, target.with_suffix(f".{self.plot}"), self.converter)
        return trains, [str(item.message) for item in caught if issubclass(item.category, Notice)]


def _save(path: Path, trains: SpikeTrains) -> None:
    if path.suffix == ".npz":
        save_spikes(path, trains)
    else:
        save_spike_table(path, trains)


def _draw(audio: Path, trains: SpikeTrains, path: Path, converter: Converter) -> None:
    from hearspike.converter.figure import draw

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)  # told when the spikes were made
        waveform = read_audio(audio)
    draw(waveform, trains, path, frequencies_hz=converter.membrane.resonance_hz())
