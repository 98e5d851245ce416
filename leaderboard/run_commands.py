"""Commands that run models and benchmarks."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hearspike.leaderboard.command_settings import EXIT_INPUT_ERROR, HYDRA_COMMAND

if TYPE_CHECKING:
    from omegaconf import DictConfig


@click.command(context_settings=HYDRA_COMMAND)
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


@click.command(context_settings=HYDRA_COMMAND)
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


@click.command()
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


@click.command()
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


@click.command()
@click.option("--against", type=click.Path(path_type=Path), required=True, help="The baseline, a JSON file.")
@click.option("--update", type=click.Path(path_type=Path), help="Also write what came out as a new baseline.")
@click.option("--without-speed", is_flag=True, help="Leave out the benchmarks of speed.")
def regress(against: Path, update: Path | None, without_speed: bool) -> None:
    """Run a baseline's models and benchmarks again; exit with 1 if anything has become worse."""
    from hearspike.files import refuse_existing
    from hearspike.leaderboard import regression
    from hearspike.leaderboard.progress_display import show_progress
    from hearspike.leaderboard.table import render

    baseline = regression.read_baseline(against)
    if without_speed:
        baseline = regression.without_speed(baseline)
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


@click.command()
@click.argument("part")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Also write the rows to this file."
)
def bench(part: str, json_file: Path | None) -> None:
    """Measure the speed of a PART: converter, emulator, loading, snn, fused or all."""
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


@click.command()
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
