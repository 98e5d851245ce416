"""The command line. Every command is a few lines that call the part that does the work."""

import sys
import warnings
from typing import TextIO

import click

import hearspike
from hearspike.errors import InputError, Notice
from hearspike.leaderboard import audio_commands, data_commands, record_commands, run_commands
from hearspike.leaderboard.command_settings import EXIT_INPUT_ERROR


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


for _module in (audio_commands, data_commands, run_commands, record_commands):
    for _command in vars(_module).values():
        if isinstance(_command, click.Command):
            commands.add_command(_command)
