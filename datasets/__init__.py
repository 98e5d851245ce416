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
from hearspike.datasets.splits import HeldOutSpeakers, Split
from hearspike.datasets.task import Task, load_task

__all__ = [
    "Breach",
    "Corpus",
    "Cuts",
    "Frames",
    "HeldOutSpeakers",
    "Recording",
    "SpikeDataset",
    "SpikeEvents",
    "Split",
    "Task",
    "bin_events",
    "count_spikes",
    "load_task",
    "read_spike_file",
    "validate_spike_file",
    "write_spike_file",
]
