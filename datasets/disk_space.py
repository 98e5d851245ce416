"""Is there room for what a job will write? Asked before the work, not after hours of it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hearspike.datasets.corpus import Recording
from hearspike.datasets.cuts import Cuts
from hearspike.datasets.work_folder import Plan
from hearspike.errors import InputError

SPIKES_PER_SECOND_AND_CHANNEL = 20.0
"""Assumed upper estimate: spoken digits at 700 channels give 14 with the published converter."""

BYTES_PER_UTTERANCE = 4096
"""What an utterance takes besides its spikes: names, padding, a block of the file system."""


def check_space(
    folder: Path, recordings: Sequence[Recording], cuts: Cuts, plan: Plan, *, assemble: bool
) -> None:
    """Raise `InputError` if the disk has less room than these recordings are estimated to need.

    Parameters
    ----------
    folder
        Where to write; need not exist yet.
    recordings
        What is still to be converted.
    cuts
        How they are shortened.
    plan
        Tells type and channels, and the number of samples in the files.
    assemble
        Whether the spike files are written beside the finished utterances.
    """
    per_spike = np.dtype(plan.time_type).itemsize + np.dtype(np.uint16).itemsize
    rate = SPIKES_PER_SECOND_AND_CHANNEL * plan.channels * per_spike
    spikes = rate * sum(_duration(recording, cuts) for recording in recordings)
    # Finished utterances are there already, but their copy in the spike files is not; they are close
    # enough to what is to come that twice the remainder, or once, tells a full disk from an empty one.
    needed = (1 + assemble) * (spikes + BYTES_PER_UTTERANCE * len(recordings))
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            folder,
            f"{free / 1e9:.2f} GB free",
            f"room for about {needed / 1e9:.2f} GB of spikes from {len(recordings)} recordings",
        )


def _duration(recording: Recording, cuts: Cuts) -> float:
    """Length of an utterance in seconds; 0 if the file cannot be read, which the conversion reports."""
    import soundfile

    if recording.end is not None:
        length = recording.end - recording.start
    else:
        try:
            length = soundfile.info(recording.path).duration - recording.start
        except (soundfile.SoundFileError, OSError):
            return 0.0
    return max(0.0, min(length, length if cuts.longest_s is None else cuts.longest_s))
