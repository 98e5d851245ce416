"""Progress on the standard error stream: a bar on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hearspike.progress import Progress

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Yield a function that shows the progress of each stage."""
    if sys.stderr.isatty():
        with _bars() as progress:
            yield progress
    else:
        yield _lines()


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TimeElapsedColumn(),
        rich_progress.TimeRemainingColumn(),
        rich_progress.TextColumn("{task.fields[note]}"),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, rich_progress.TaskID] = {}

        def progress(stage: str, done: int, total: int, note: str) -> None:
            if stage not in tasks or bars.tasks[tasks[stage]].finished:
                tasks[stage] = bars.add_task(stage, total=total, note=note)
            bars.update(tasks[stage], completed=done, total=total, note=note)

        yield progress


def _lines() -> Progress:
    last = {"time": -SECONDS_BETWEEN_LINES}

    def progress(stage: str, done: int, total: int, note: str) -> None:
        now = time.monotonic()
        if done == total or now - last["time"] >= SECONDS_BETWEEN_LINES:
            last["time"] = now
            print(f"{stage}: {done}/{total} {note}", file=sys.stderr, flush=True)

    return progress
