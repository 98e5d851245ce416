"""Gradient training: mini-batches, clipping, and selection on validation speakers only."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.datasets import SpikeDataset
from hearspike.errors import InputError
from hearspike.progress import Progress


@dataclass(frozen=True)
class Training:
    """Settings of a training run.

    Parameters
    ----------
    epochs
        Passes over the training set, at most.
    patience
        Stop when validation accuracy has not risen for this many epochs.
    batch_size
        Samples per step.
    learning_rate
        Step size of Adam in the first epoch.
    learning_rate_decay
        Factor on the learning rate after each epoch.
    gradient_limit
        Largest Euclidean norm of the gradient; longer ones are scaled down to it.
    """

    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    learning_rate_decay: float
    gradient_limit: float

    def __post_init__(self) -> None:
        for name in ("epochs", "patience", "batch_size"):
            value = getattr(self, name)
            if value < 1:
                raise InputError(f"training.{name}", value, "at least 1")
        for name in ("learning_rate", "learning_rate_decay", "gradient_limit"):
            value = getattr(self, name)
            if not value > 0:
                raise InputError(f"training.{name}", value, "a positive number")


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread of torch and of linear algebra, then with as many as before.

    The operations of one time step are too small to share: two threads wait for each other more than they
    help, and on a busy machine they stall. The result, too, would depend on the number of threads.
    """
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)


def train_by_gradient(
    module: torch.nn.Module,
    loss: Callable[[SpikeDataset], torch.Tensor],
    predict: Callable[[SpikeDataset], NDArray[np.int64]],
    train: SpikeDataset,
    validation: SpikeDataset,
    training: Training,
    *,
    rng: np.random.Generator,
    progress: Progress,
) -> float:
    """Minimise ``loss`` with Adam and leave ``module`` with its best weights on ``validation``.

    Parameters
    ----------
    module
        The weights to train, in place.
    loss
        Loss of a batch.
    predict
        Labels that the module gives to a batch.
    train, validation
        The data to learn from, and to choose the epoch by (the earliest of equally good ones).
    training
        Settings.
    rng
        Decides the order of samples.
    progress
        Called after every epoch.

    Returns
    -------
    accuracy
        Accuracy on ``validation`` of the weights that were kept.
    """
    optimiser = torch.optim.Adam(module.parameters(), lr=training.learning_rate)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, training.learning_rate_decay)
    best_accuracy, best_epoch, best_weights = -1.0, 0, copy.deepcopy(module.state_dict())
    for epoch in range(1, training.epochs + 1):
        for batch in _batches(rng.permutation(len(train)), training.batch_size):
            optimiser.zero_grad()
            value = loss(train.select(batch))
            value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            torch.nn.utils.clip_grad_norm_(module.parameters(), training.gradient_limit)
            optimiser.step()
        schedule.step()
        accuracy = _accuracy(predict, validation, training.batch_size)
        if accuracy > best_accuracy:
            best_accuracy, best_epoch = accuracy, epoch
            best_weights = copy.deepcopy(module.state_dict())
        progress("fit", epoch, training.epochs, f"validation {accuracy:.1%}, best {best_accuracy:.1%}")
        if epoch - best_epoch >= training.patience:
            break
    module.load_state_dict(best_weights)
    return best_accuracy


def _batches(order: NDArray[np.integer], size: int) -> list[NDArray[np.integer]]:
    return [order[start : start + size] for start in range(0, len(order), size)]


def _accuracy(
    predict: Callable[[SpikeDataset], NDArray[np.int64]], dataset: SpikeDataset, batch_size: int
) -> float:
    correct = 0
    for batch in _batches(np.arange(len(dataset)), batch_size):
        part = dataset.select(batch)
        correct += int(np.count_nonzero(predict(part) == part.labels))
    return correct / len(dataset)
