"""The command line. Every command is a few lines that call the part that does the work."""

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

import hearspike
from hearspike.errors import InputError, Notice

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from hearspike.leaderboard.reproduction import Agreement

EXIT_INPUT_ERROR = 1

HYDRA_COMMAND: dict[str, Any] = {
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "allow_interspersed_args": False,
    "help_option_names": [],
}
"""Settings of commands whose words go to hydra as they are, ``--help`` and ``-m`` included."""


def main() -> None:
    """Run the command line; errors of input end in one line and exit status 1."""
    warnings.showwarning = _show_warning
    try:
        commands(prog_name="hearspike", standalone_mode=True)
    except InputError as error:
        click.echo(f"hearspike: error: {' '.join(str(error).split())}", err=True)
        sys.exit(EXIT_INPUT_ERROR)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if issubclass(category, Notice):
        click.echo(f"hearspike: notice: {message}", err=True)
    else:
        click.echo(warnings.formatwarning(message, category, filename, lineno, line), err=True, nl=False)


@click.group(name="hearspike")
@click.version_option(hearspike.__version__, prog_name="hearspike")
def commands() -> None:
    """From audio through a model of the inner ear to spikes, models and a leaderboard."""


@commands.command()
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


@commands.command()
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


@commands.command(context_settings=HYDRA_COMMAND)
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


@commands.command()
@click.argument("out", type=click.Path(path_type=Path))
def merge(out: Path) -> None:
    """Write the spike files of OUT when all shards of its generation are converted."""
    from hearspike.datasets.generation import merge as run
    from hearspike.leaderboard.progress_display import show_progress

    with show_progress() as progress:
        sizes = run(out, progress=progress)
    click.echo(f"{out}: {_sizes(sizes)}")


@commands.command()
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


@commands.command()
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


@commands.command()
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


@commands.command(context_settings=HYDRA_COMMAND)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def evaluate(words: tuple[str, ...]) -> None:
    """Make a run and its record: evaluate dataset=… model=… backend=software|bss2; -m sweeps."""
    from hearspike.leaderboard.config import plain, run_hydra

    def task(config: "DictConfig") -> None:
        from hydra.core.hydra_config import HydraConfig

        from hearspike.leaderboard.evaluation import evaluate as run
        from hearspike.leaderboard.progress_display import show_progress
        from hearspike.leaderboard.resume import find_run

        folder, settings = Path(HydraConfig.get().runtime.output_dir), plain(config)
        record = find_run(settings, Path(settings["paths"]["runs"])) if settings["resume"] else None
        note = " (made before)" if record else ""
        if record is None:
            with show_progress() as progress:
                record = run(settings, folder, progress=progress)
        metric = record.metrics["accuracy"]
        run_name = f"{record.task['name']} {record.model} {record.backend}"
        click.echo(f"{folder}: {run_name}: accuracy {metric.value:.1%}{note}")

    run_hydra(task, "evaluate", words)


@commands.command(context_settings=HYDRA_COMMAND)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def tune(words: tuple[str, ...]) -> None:
    """Search for settings by accuracy on validation alone: tune -m model=… training.learning_rate=…."""
    from hearspike.leaderboard.config import plain, run_hydra

    def task(config: "DictConfig") -> float:
        from hearspike.leaderboard.progress_display import show_progress
        from hearspike.leaderboard.tuning import validation_accuracy

        with show_progress() as progress:
            accuracy = validation_accuracy(plain(config), progress=progress)
        click.echo(f"validation accuracy {accuracy:.1%}")
        return accuracy

    run_hydra(task, "tune", words)


@commands.command()
@click.option(
    "--runs", type=click.Path(path_type=Path), help="Folder with runs.  [default: that of evaluate]"
)
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    help="text, markdown, csv, latex, json or html.",
)
@click.option("--page", type=click.Path(path_type=Path), help="Write a site to this folder instead.")
def leaderboard(runs: Path | None, form: str, page: Path | None) -> None:
    """Print the tables of all records, or write them as a site that opens from disk."""
    from hearspike.leaderboard.config import default_paths
    from hearspike.leaderboard.standings import standings
    from hearspike.leaderboard.standings_forms import render_standings
    from hearspike.leaderboard.table import check_format

    check_format(form)
    folder = runs or default_paths()["runs"]
    if page:
        from hearspike.leaderboard.page import write_site

        count = write_site(folder, page)
        click.echo(f"{page / 'index.html'}: {count} runs")
    else:
        click.echo(render_standings(standings(folder), form), nl=False)


@commands.command()
@click.argument("name")
@click.option(
    "--runs", type=click.Path(path_type=Path), help="Folder with runs.  [default: that of evaluate]"
)
@click.option("--format", "form", default="text", show_default=True, help="text, markdown or csv.")
@click.option("--figure", type=click.Path(path_type=Path), help="Also draw it: a png, svg or pdf file.")
def report(name: str, runs: Path | None, form: str, figure: Path | None) -> None:
    """Print the answer to one question from records: NAME is timing, speakers or representation."""
    from hearspike.leaderboard.config import default_paths
    from hearspike.leaderboard.record import read_records
    from hearspike.leaderboard.report_figures import save_figure
    from hearspike.leaderboard.reports import as_text
    from hearspike.leaderboard.reports import report as gather
    from hearspike.leaderboard.table import render

    table = gather(name, read_records(runs or default_paths()["runs"]))
    if figure:
        save_figure(name, table, figure)
    click.echo(render(as_text(table), form), nl=False)


@commands.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--root", type=click.Path(path_type=Path), help="Folder of the data.  [default: the record's]")
def reproduce(run: Path, root: Path | None) -> None:
    """Run the record in folder RUN again; exit with 1 if it does not come out as recorded."""
    from hearspike.leaderboard.progress_display import show_progress
    from hearspike.leaderboard.reproduction import reproduce as run_again

    with show_progress() as progress:
        agreements = run_again(run, root=root, progress=progress)
    _show_agreements(agreements)


@commands.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The NIR file to write.")
@click.option("--for", "framework", help="snntorch or norse.  [default: NIR's own equations]")
@click.option("--root", type=click.Path(path_type=Path), help="Folder of the data.  [default: the record's]")
def export(run: Path, output: Path, framework: str | None, root: Path | None) -> None:
    """Write the spiking network of the run in folder RUN as a NIR file, for other frameworks."""
    from hearspike.leaderboard.exchange import export as write

    write(run, output, framework=framework, root=root)
    click.echo(output)


@commands.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path), required=True, help="Folder for the bundle.")
def submit(run: Path, to: Path) -> None:
    """Bundle the run in folder RUN, with record, weights and checksums, for others to verify."""
    from hearspike.leaderboard.submission import submit as bundle

    click.echo(bundle(run, to))


@commands.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--root", type=click.Path(path_type=Path), help="Folder of the data.  [default: the record's]")
@click.option("--train", is_flag=True, help="Train anew instead of taking the weights of the bundle.")
def verify(bundle: Path, root: Path | None, train: bool) -> None:
    """Run somebody's BUNDLE again on the test set; exit with 1 if it does not come out as claimed."""
    from hearspike.leaderboard.progress_display import show_progress
    from hearspike.leaderboard.submission import verify as check

    with show_progress() as progress:
        agreements = check(bundle, root=root, train=train, progress=progress)
    _show_agreements(agreements)


def _show_agreements(agreements: "list[Agreement]") -> None:
    from hearspike.leaderboard.reproduction import tabulate
    from hearspike.leaderboard.table import render

    click.echo(render(tabulate(agreements), "text"), nl=False)
    if not all(item.agrees for item in agreements):
        sys.exit(EXIT_INPUT_ERROR)


@commands.command()
@click.option("--against", type=click.Path(path_type=Path), required=True, help="The baseline, a JSON file.")
@click.option("--update", type=click.Path(path_type=Path), help="Also write what came out as a new baseline.")
def regress(against: Path, update: Path | None) -> None:
    """Run a baseline's models and benchmarks again; exit with 1 if anything has become worse."""
    from hearspike.files import refuse_existing
    from hearspike.leaderboard import regression
    from hearspike.leaderboard.progress_display import show_progress
    from hearspike.leaderboard.table import render

    baseline = regression.read_baseline(against)
    if update:
        refuse_existing(update)
    with show_progress() as progress:
        now = regression.measure(baseline, progress=progress)
    if update:
        regression.write_baseline(now, update)
    if not baseline.values:
        click.echo(f"{against} had no values to compare with")
        return
    verdicts = regression.compare(baseline, now)
    click.echo(render(regression.tabulate(verdicts), "text"), nl=False)
    if any(item.verdict == "worse" for item in verdicts):
        sys.exit(EXIT_INPUT_ERROR)


@commands.command()
@click.argument("overrides", nargs=-1)
def demo(overrides: tuple[str, ...]) -> None:
    """Run the whole path: speech, spikes, models in software and on emulated chips, table.

    OVERRIDES are those of `hearspike generate`; without any, synthetic digits are spoken and no data is
    needed. Real speech: hearspike demo corpus=fsdd corpus.root=DIR
    """
    from hearspike.leaderboard.demo import demo as run
    from hearspike.leaderboard.progress_display import show_progress
    from hearspike.leaderboard.standings import standings
    from hearspike.leaderboard.standings_forms import render_standings

    with show_progress() as progress:
        _, runs = run(overrides, progress=progress)
    click.echo(render_standings(standings(runs), "text"), nl=False)
    click.echo(f"records: {runs}")


@commands.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="File to write, .npz")
@click.option("--chips", type=int, default=8, show_default=True, help="Number of chips.")
@click.option("--chip-seed", type=int, default=0, show_default=True, help="Seed of the population.")
@click.option("--profile", default="uncalibrated", show_default=True, help="Name of the chips' profile.")
@click.option("--tau-mem-us", type=float, default=6.0, show_default=True, help="Membrane time constant.")
@click.option("--tau-syn-us", type=float, default=6.0, show_default=True, help="Synaptic time constant.")
@click.option("--refractory-us", type=float, default=2.0, show_default=True, help="Refractory period.")
@click.option("--noise-seed", type=int, default=0, show_default=True, help="Seed of the readings' noise.")
def calibrate(
    output: Path,
    chips: int,
    chip_seed: int,
    profile: str,
    tau_mem_us: float,
    tau_syn_us: float,
    refractory_us: float,
    noise_seed: int,
) -> None:
    """Calibrate emulated chips as in the lab, for evaluate backend=bss2 backend.calibration=FILE.

    Times are those of the chip: time constants of the network over backend.time_scale.
    """
    from hearspike.leaderboard.calibrate import calibrate_from_command, describe
    from hearspike.leaderboard.progress_display import show_progress

    with show_progress() as progress:
        calibrated, seconds = calibrate_from_command(
            output,
            profile=profile,
            tau_mem=tau_mem_us / 1e6,
            tau_syn=tau_syn_us / 1e6,
            refractory=refractory_us / 1e6,
            chips=chips,
            chip_seed=chip_seed,
            noise_seed=noise_seed,
            progress=progress,
        )
    click.echo(describe(calibrated), nl=False)
    click.echo(f"{output}: {chips} chips in {seconds:.0f} s")


@commands.command()
@click.argument("part")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Also write the rows to this file."
)
def bench(part: str, json_file: Path | None) -> None:
    """Measure the speed of a PART: converter, emulator, loading or snn."""
    from hearspike.files import new_file, refuse_existing
    from hearspike.leaderboard.bench import bench as run
    from hearspike.leaderboard.table import render

    if json_file:
        refuse_existing(json_file)
    table = run(part)
    click.echo(
        render(table.map(lambda cell: f"{cell:.4g}" if isinstance(cell, float) else cell), "text"), nl=False
    )
    if json_file:
        with new_file(json_file) as temporary:
            temporary.write_text(table.to_json(orient="records", indent=2) + "\n", encoding="utf-8")


@commands.command()
def info() -> None:
    """Say which versions, machine and data sets there are."""
    from hearspike.leaderboard.config import default_paths
    from hearspike.leaderboard.machine import describe_machine, git_commit, package_versions

    facts = {**package_versions(), **describe_machine(), **(git_commit() or {})}
    folder = default_paths()["datasets"]
    present = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    facts["data sets"] = f"{folder}: {', '.join(present) or 'none'}"
    for name, fact in facts.items():
        click.echo(f"{name}: {fact if fact is not None else 'not installed'}")
