"""Commands on data sets: made, fetched, listed, checked."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hearspike.errors import InputError
from hearspike.leaderboard.command_settings import EXIT_INPUT_ERROR, HYDRA_COMMAND

if TYPE_CHECKING:
    from omegaconf import DictConfig


@click.command(context_settings=HYDRA_COMMAND)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def generate(words: tuple[str, ...]) -> None:
    """Turn a corpus of speech into spike files: generate corpus=fsdd corpus.root=DIR out=DIR."""
    from hearspike.leaderboard.config import plain, run_hydra

    def task(config: "DictConfig") -> None:
        from hearspike.leaderboard.generate import generate_from_config
        from hearspike.leaderboard.progress_display import show_progress

        settings = plain(config)
        with show_progress() as progress:
            sizes = generate_from_config(settings, progress=progress)
        shard = f", shard {settings['shard']} converted" if settings["shard"] else ""
        click.echo(f"{settings['out']}{shard}: {_sizes(sizes)}")

    run_hydra(task, "generate", words)


def _sizes(sizes: dict[str, int]) -> str:
    return ", ".join(f"{size} for {part}" for part, size in sizes.items())


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
def merge(out: Path) -> None:
    """Write the spike files of OUT when all shards of its generation are converted."""
    from hearspike.datasets.generation import merge as run
    from hearspike.leaderboard.progress_display import show_progress

    with show_progress() as progress:
        sizes = run(out, progress=progress)
    click.echo(f"{out}: {_sizes(sizes)}")


@click.command()
@click.argument("name")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder to make.  [default: in the workspace]"
)
@click.option(
    "--copy", "copies", type=click.Path(path_type=Path), multiple=True, help="An archive at hand; repeat."
)
@click.option("--checksum", "checksums", multiple=True, help="FILE=md5:… or FILE=sha256:…; repeat.")
def download(name: str, output: Path | None, copies: tuple[Path, ...], checksums: tuple[str, ...]) -> None:
    """Download and check a published data set: shd, ssc, fsdd, speech_commands or heidelberg_digits."""
    from hearspike.datasets.download import download as run
    from hearspike.leaderboard.config import default_paths
    from hearspike.leaderboard.progress_display import show_progress

    given = {}
    for word in checksums:
        file, equals, checksum = word.partition("=")
        if not (file and equals and checksum):
            raise InputError("--checksum", word, "FILE=md5:… or FILE=sha256:…")
        given[file] = checksum
    with show_progress() as progress:
        folder = run(
            name,
            output or default_paths()["datasets"] / name,
            copies=copies,
            checksums=given,
            progress=progress,
        )
    click.echo(f"{name}: {folder}")


@click.command()
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Folder with data sets.  [default: in the workspace]"
)
@click.option("--format", "form", default="text", show_default=True, help="text, markdown or csv.")
@click.option("--figure", type=click.Path(path_type=Path), help="Also draw each data set: FOLDER/NAME.png.")
def datasets(folder: Path | None, form: str, figure: Path | None) -> None:
    """List the data sets there are: samples, speakers, spikes, channels used."""
    import pandas as pd

    from hearspike.datasets.description import describe, summarise_folder
    from hearspike.datasets.set_figure import draw_set
    from hearspike.leaderboard.config import default_paths
    from hearspike.leaderboard.table import render

    sets = summarise_folder(folder or default_paths()["datasets"])
    if figure:
        for name, summaries in sets.items():
            draw_set(summaries, figure / f"{name}.png")
    rows = [vars(describe(summary)) for summaries in sets.values() for summary in summaries]
    table = pd.DataFrame(rows).map(lambda cell: f"{cell:.4g}" if isinstance(cell, float) else cell)
    click.echo(render(table, form), nl=False)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def validate(files: tuple[Path, ...]) -> None:
    """Check that spike FILES keep the contract of SHD and SSC; exit with 1 if one does not."""
    from hearspike.datasets import validate_spike_file

    breaches = {file: validate_spike_file(file) for file in files}
    for file, found in breaches.items():
        for breach in found:
            click.echo(f"{file}: {breach}")
        if not found:
            click.echo(f"{file}: keeps the contract")
    if any(breaches.values()):
        sys.exit(EXIT_INPUT_ERROR)
