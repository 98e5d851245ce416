"""Commands on sound: to spikes and back."""

from pathlib import Path

import click

from hearspike.errors import InputError


@click.command()
@click.argument("audio", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="FILE.npz or FILE.csv for one file; FILE.h5 for all in one spike file; else a new folder.",
)
@click.option("--preset", default="heidelberg", show_default=True, help="Named parameter set of the ear.")
@click.option(
    "--channels", type=int, default=700, show_default=True, help="Places along the basilar membrane."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the spikes.")
@click.option("--format", "form", default="npz", show_default=True, help="npz or csv, for files in a folder.")
@click.option("--plot", help="Draw each file beside its spikes: png or svg.")
@click.option("--workers", type=int, help="Processes.  [default: one per core]")
def convert(
    audio: tuple[Path, ...],
    output: Path,
    preset: str,
    channels: int,
    seed: int,
    form: str,
    plot: str | None,
    workers: int | None,
) -> None:
    """Turn AUDIO files, and folders of them, into spike trains."""
    import joblib

    from hearspike.converter import preset as named_preset
    from hearspike.leaderboard.convert import convert_files
    from hearspike.leaderboard.progress_display import show_progress

    if seed < 0:
        raise InputError("--seed", seed, "a whole number of at least 0")
    if workers is not None and workers < 1:
        raise InputError("--workers", workers, "at least 1 process")
    with show_progress() as progress:
        counts = convert_files(
            audio,
            output,
            converter=named_preset(preset, channels=channels),
            seed=seed,
            form=form,
            plot=plot,
            workers=workers or joblib.cpu_count(),
            progress=progress,
        )
    click.echo(f"{output}: {sum(counts.values())} spikes from {len(counts)} recordings")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Sound file to make: .wav, .flac or .ogg.",
)
@click.option(
    "--sample", "samples", type=int, multiple=True, help="Sample of an .h5 file; repeat.  [default: 0]"
)
@click.option("--preset", help="What made the spikes.  [default: what the file says, or heidelberg]")
@click.option("--rate", type=int, default=16_000, show_default=True, help="Rate of the sound, Hz.")
def listen(file: Path, output: Path, samples: tuple[int, ...], preset: str | None, rate: int) -> None:
    """Turn the spikes of FILE (.npz, .csv or .h5) back into a sound."""
    from hearspike.leaderboard.listen import listen as run

    seconds = run(file, output, samples=samples, converter=preset, sample_rate=rate)
    click.echo(f"{output}: {seconds:.2f} s of sound from {max(1, len(samples))} of the recordings in {file}")
