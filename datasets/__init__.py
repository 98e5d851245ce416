"""Corpora of speech, spike files in the layout of SHD and SSC, splits and tasks."""

from hearspike.datasets.contract import Breach
from hearspike.datasets.corpus import Corpus, Recording
from hearspike.datasets.cuts import Cuts
from hearspike.datasets.events import (
    Frames,
    SpikeDataset,
    SpikeEvents,
    bin_events,
    count_spikes,
)
from hearspike.datasets.spike_file import (
    read_spike_file,
    validate_spike_file,
    write_spike_file,
)
from hearspike.datasets.spike_files import SpikeFiles
from hearspike.datasets.splits import HeldOutSpeakers, Split
from hearspike.datasets.task import NO_SPEAKER, Task, TaskSource

__all__ = [
    "NO_SPEAKER",
    "Breach",
    "Corpus",
    "Cuts",
    "Frames",
    "HeldOutSpeakers",
    "Recording",
    "SpikeDataset",
    "SpikeEvents",
    "SpikeFiles",
    "Split",
    "Task",
    "TaskSource",
    "bin_events",
    "count_spikes",
    "read_spike_file",
    "validate_spike_file",
    "write_spike_file",
]
