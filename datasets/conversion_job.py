"""Convert many utterances side by side, keep each when it is done, and collect those that fail."""

import errno
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from hearspike.converter import Converter
from hearspike.datasets.conversion import audio_sha256, convert_recording
from hearspike.datasets.corpus import Recording
from hearspike.datasets.cuts import Cuts
from hearspike.datasets.parallel import run_parallel
from hearspike.datasets.work_folder import StoredSpikes, WorkFolder
from hearspike.errors import InputError, Notice
from hearspike.progress import Progress


@dataclass(frozen=True)
class ConversionJob:
    """Converts one utterance in whatever process it is sent to."""

    converter: Converter
    cuts: Cuts
    seed: int
    time_type: str
    work: WorkFolder

    def __call__(self, recording: Recording) -> "Outcome":
        """Convert and keep an utterance, unless it was kept before and its audio is still the same."""
        stored = self.work.load(recording.key)
        try:
            if stored is not None and stored.sha256 == audio_sha256(recording):
                return Outcome(recording, fresh=False)
            converted = convert_recording(self.converter, recording, seed=self.seed, cuts=self.cuts)
        except Exception as error:  # whatever it is, the others go on and the report names it
            name = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
            return Outcome(recording, fresh=True, failure=name + " ".join(str(error).split()))
        times = converted.times.astype(self.time_type)
        self.work.store(recording.key, StoredSpikes(times, converted.units, converted.sha256))
        return Outcome(recording, fresh=True, notices=converted.notices)


@dataclass(frozen=True)
class Outcome:
    """How one utterance went; ``fresh`` unless an earlier run had finished it."""

    recording: Recording
    fresh: bool
    failure: str | None = None
    notices: tuple[str, ...] = ()


def convert_all(
    job: ConversionJob,
    recordings: Sequence[Recording],
    workers: int,
    backend: str,
    report: str,
    progress: Progress,
) -> None:
    """Convert all recordings that are not finished yet.

    Parameters
    ----------
    job
        What to do with each.
    recordings
        All of them, finished or not.
    workers, backend
        See `hearspike.datasets.parallel.run_parallel`.
    report
        Name of the report of failures.
    progress
        Called after every recording, with the rate and the time left.

    Raises
    ------
    InputError
        If recordings failed, after all others were converted; or if the disk is full.
    """
    failures: list[tuple[str, str, str]] = []
    fresh, started = 0, time.monotonic()
    results = run_parallel(job, ((recording,) for recording in recordings), workers=workers, backend=backend)
    try:
        for done, outcome in enumerate(results, start=1):
            for notice in outcome.notices:
                warnings.warn(notice, Notice, stacklevel=2)
            if outcome.failure is not None:
                failures.append((outcome.recording.key, str(outcome.recording.path), outcome.failure))
            fresh += outcome.fresh
            if not fresh:
                started = time.monotonic()
            note = _pace(fresh, time.monotonic() - started, len(recordings) - done, len(failures))
            progress("spikes", done, len(recordings), note)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise InputError(
            job.work.path, "a disk that is full", "more space; then the same command goes on"
        ) from error
    if failures:
        path = job.work.report(report, failures)
        raise InputError(
            "corpus",
            f"{len(failures)} of {len(recordings)} recordings that fail, the first with {failures[0][2]}",
            f"recordings that can be converted. {path} lists all that fail; mend them or leave them out "
            "and start again",
        )


def _pace(fresh: int, seconds: float, left: int, failed: int) -> str:
    """Say how fast it goes and how long it will take; what an earlier run had finished does not count."""
    note = (
        "resumed"
        if not fresh
        else f"{fresh / max(seconds, 1e-9):.1f}/s, {_clock(seconds / fresh * left)} left"
    )
    return note + (f", {failed} failed" if failed else "")


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:d}:{minutes:02d}:{seconds:02d}"
