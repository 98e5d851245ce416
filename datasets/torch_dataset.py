"""Spike files for the loaders of torch."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, RandomSampler, SequentialSampler

from hearspike.datasets.events import SpikeDataset, bin_events


class TorchFrames(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Frames [time, channel] and label of each sample, for `torch.utils.data.DataLoader`.

    A loader's batches are binned in one pass (``__getitems__``). A data set opened by `open_spike_file`
    is shared by all workers of a loader, as its spikes stay on the disk.

    Parameters
    ----------
    dataset
        The samples.
    bins, window
        See `hearspike.datasets.bin_events`.
    """

    def __init__(self, dataset: SpikeDataset, *, bins: int, window: float) -> None:
        self.dataset, self.bins, self.window = dataset, bins, window

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self.__getitems__([index % len(self)])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return several samples at once."""
        samples = np.asarray(indices, dtype=np.int64)
        frames = bin_events(self.dataset.events, samples=samples, bins=self.bins, window=self.window)
        labels = torch.from_numpy(self.dataset.labels[samples])
        return list(zip(torch.from_numpy(frames.counts), labels, strict=True))


def torch_loader(
    dataset: SpikeDataset, *, size: int, bins: int, window: float, seed: int | None = None
) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
    """Return a loader of batches: frames [sample, time, channel] and labels [sample].

    Parameters
    ----------
    dataset
        The samples.
    size
        Samples in a batch.
    bins, window
        See `hearspike.datasets.bin_events`.
    seed
        Of the order, another in every epoch; None keeps the order of the data set.
    """
    frames = TorchFrames(dataset, bins=bins, window=window)
    generator = torch.Generator().manual_seed(seed or 0)
    sampler = SequentialSampler(frames) if seed is None else RandomSampler(frames, generator=generator)
    return DataLoader(frames, batch_size=size, sampler=sampler)
