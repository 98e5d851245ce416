"""A task from a corpus and a converter: the spike files are made when they are first needed."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import joblib
from filelock import FileLock

from hearspike.converter import Converter
from hearspike.datasets.corpus import Corpus
from hearspike.datasets.generation import FILE_NAMES, generate, parameters_text
from hearspike.datasets.spike_files import SpikeFiles
from hearspike.datasets.splits import Split
from hearspike.datasets.task import Task
from hearspike.errors import InputError


@dataclass(frozen=True)
class ConvertedCorpus:
    """Spikes of a corpus.

    Parameters
    ----------
    name, window, time_scale
        See `hearspike.datasets.Task`.
    root
        Folder of the spike files; if it does not exist, it is generated, which can be stopped and goes on.
    corpus
        The recordings.
    converter
        From sound to spikes.
    converter_seed
        Seed of the nerve fibres' random numbers.
    split
        Sorts the samples into parts.
    """

    name: str
    root: Path
    corpus: Corpus
    converter: Converter
    converter_seed: int
    split: Split
    window: float
    time_scale: float

    def task(self) -> Task:
        """Generate what is missing and read it.

        Raises
        ------
        InputError
            If the folder holds spikes of another converter or seed, or cannot be made.
        """
        root = Path(self.root)
        root.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(root.parent / f".{root.name}.lock"):  # runs of one sweep side by side make it once
            if not root.exists():
                self._generate(root)
        files = SpikeFiles(
            name=self.name,
            root=root,
            **FILE_NAMES,
            cache=None,
            split=self.split,
            window=self.window,
            time_scale=self.time_scale,
        )
        self._check(files.files["train"])
        return files.task()

    def _generate(self, root: Path) -> None:
        generate(
            self.corpus,
            self.split,
            self.converter,
            root,
            seed=self.converter_seed,
            workers=joblib.cpu_count(),
            time_type="float16",
        )

    def _check(self, path: Path) -> None:
        wanted = {"converter": parameters_text(self.converter), "seed": str(self.converter_seed)}
        with h5py.File(path, "r") as file:
            for name, text in wanted.items():
                if file.attrs.get(name) != text:
                    raise InputError(path, f"another {name}", f"spikes of {text}, or no such folder")
