"""Commands on records: tables, reports, checks, bundles."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hearspike.leaderboard.command_settings import EXIT_INPUT_ERROR

if TYPE_CHECKING:
    from hearspike.leaderboard.reproduction import Agreement


@click.command()
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


@click.command()
@click.argument("name")
@click.option(
    "--runs", type=click.Path(path_type=Path), help="Folder with runs.  [default: that of evaluate]"
)
@click.option("--format", "form", default="text", show_default=True, help="text, markdown or csv.")
@click.option("--figure", type=click.Path(path_type=Path), help="Also draw it: a png, svg or pdf file.")
def report(name: str, runs: Path | None, form: str, figure: Path | None) -> None:
    """Print the answer to one question from records: NAME is timing, speakers or representation."""
    from hearspike.leaderboard.config import default_paths
    from hearspike.leaderboard.report_figures import save_figure
    from hearspike.leaderboard.reports import as_text
    from hearspike.leaderboard.reports import report as gather
    from hearspike.leaderboard.store import load_records
    from hearspike.leaderboard.table import render

    table = gather(name, list(load_records(runs or default_paths()["runs"]).values()))
    if figure:
        save_figure(name, table, figure)
    click.echo(render(as_text(table), form), nl=False)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--root", type=click.Path(path_type=Path), help="Folder of the data.  [default: the record's]")
def reproduce(run: Path, root: Path | None) -> None:
    """Run the record in folder RUN again; exit with 1 if it does not come out as recorded."""
    from hearspike.leaderboard.progress_display import show_progress
    from hearspike.leaderboard.reproduction import reproduce as run_again

    with show_progress() as progress:
        agreements = run_again(run, root=root, progress=progress)
    _show_agreements(agreements)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The NIR file to write.")
@click.option("--for", "framework", help="snntorch or norse.  [default: NIR's own equations]")
@click.option("--root", type=click.Path(path_type=Path), help="Folder of the data.  [default: the record's]")
def export(run: Path, output: Path, framework: str | None, root: Path | None) -> None:
    """Write the spiking network of the run in folder RUN as a NIR file, for other frameworks."""
    from hearspike.leaderboard.exchange import export as write

    write(run, output, framework=framework, root=root)
    click.echo(output)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path), required=True, help="Folder for the bundle.")
def submit(run: Path, to: Path) -> None:
    """Bundle the run in folder RUN, with record, weights and checksums, for others to verify."""
    from hearspike.leaderboard.submission import submit as bundle

    click.echo(bundle(run, to))


@click.command()
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
