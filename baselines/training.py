"""Gradient training: selection on validation speakers only, and the same result whether stopped or not.

Everything random in an epoch - order, augmentation, dropout - is drawn from the seed and the number of the
epoch alone, so that the position of the random numbers is the number of epochs done.
"""

import copy
import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.baselines.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from hearspike.datasets import SpikeDataset, SpikeEvents
from hearspike.datasets.augmentation import Augmentation
from hearspike.datasets.graded_events import GradedEvents
from hearspike.errors import InputError
from hearspike.progress import Progress

Optimiser = Literal["adam", "adamax", "adamw"]
Schedule = Literal["constant", "exponential", "cosine"]
OPTIMISERS = {"adam": torch.optim.Adam, "adamax": torch.optim.Adamax, "adamw": torch.optim.AdamW}


@dataclass(frozen=True)
class Training:
    r"""Settings of a training run.

    The learning rate is :math:`\eta\,r(x)` at the share :math:`x` of all steps. After a linear rise over the
    share ``warm_up``, with :math:`y` the share of what is left and :math:`f` = ``final_rate``,

    .. math::
        r = 1 \ \text{(constant)}, \quad r = f^{\,y} \ \text{(exponential)}, \quad
        r = f + (1 - f) \tfrac12 (1 + \cos \pi y) \ \text{(cosine)}.

    A cosine after a warm-up is the one-cycle schedule of Smith and Topin (arXiv:1708.07120).

    Parameters
    ----------
    epochs
        Passes over the training set, at most.
    patience
        Stop when validation accuracy has not risen for this many epochs.
    batch_size
        Samples per step, at most; batches are as equal as can be.
    optimiser
        ``adam`` and ``adamax`` (Kingma and Ba, arXiv:1412.6980) add the gradient of the weight decay to that
        of the loss, ``adamw`` (Loshchilov and Hutter, arXiv:1711.05101) decays apart from it.
    learning_rate
        Largest step size :math:`\eta`.
    schedule
        ``constant``, ``exponential`` or ``cosine``.
    final_rate
        Learning rate at the end in units of ``learning_rate``; not used by ``constant``.
    warm_up
        Share of the steps in which the learning rate rises from 0.
    weight_decay
        Applied to matrices and kernels, not to biases, gains and time constants.
    gradient_limit
        Largest Euclidean norm of the gradient; longer ones are scaled down to it.
    label_smoothing
        Share of the target probability that is spread over all classes.
    augmentation
        Changes of the training samples, drawn anew in every epoch.
    averaging
        Share :math:`d` of the old in the average of the weights, running averages of normalisation included,
        that is updated after each step and that is judged and kept in place of the last weights (Polyak and
        Juditsky, SIAM J. Control Optim. 30:838, 1992; fading, as in Tarvainen and Valpola, arXiv:1703.01780);
        0 keeps the last weights. Of the first steps less is kept: at most :math:`(1 + n) / (10 + n)` after
        :math:`n`.
    """

    epochs: int
    patience: int
    batch_size: int
    optimiser: Optimiser
    learning_rate: float
    schedule: Schedule
    final_rate: float
    warm_up: float
    weight_decay: float
    gradient_limit: float
    label_smoothing: float
    augmentation: Augmentation
    averaging: float = 0.0

    def __post_init__(self) -> None:
        for name in ("epochs", "patience", "batch_size"):
            value = getattr(self, name)
            if value < 1:
                raise InputError(f"training.{name}", value, "at least 1")
        for name in ("learning_rate", "final_rate", "gradient_limit"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise InputError(f"training.{name}", value, "a positive number")
        for name in ("warm_up", "label_smoothing", "averaging"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise InputError(f"training.{name}", value, "at least 0 and below 1")
        if not self.weight_decay >= 0:
            raise InputError("training.weight_decay", self.weight_decay, "at least 0")
        for name, choices in (("optimiser", get_args(Optimiser)), ("schedule", get_args(Schedule))):
            if getattr(self, name) not in choices:
                raise InputError(f"training.{name}", getattr(self, name), f"one of {', '.join(choices)}")

    def rate(self, share: float) -> float:
        """Return the learning rate at a share, 0 to 1, of all steps."""
        if share < self.warm_up:
            return self.learning_rate * share / self.warm_up
        rest = (share - self.warm_up) / (1 - self.warm_up)
        if self.schedule == "exponential":
            return float(self.learning_rate * self.final_rate**rest)
        if self.schedule == "cosine":
            cosine = (1 + math.cos(math.pi * rest)) / 2
            return self.learning_rate * (self.final_rate + (1 - self.final_rate) * cosine)
        return self.learning_rate


@dataclass(frozen=True)
class EpochScore:
    """One point of a learning curve.

    Parameters
    ----------
    epoch
        Number of the epoch, from 1.
    loss
        Mean over the training samples, as they were seen: augmented, with dropout, while weights changed.
    train_accuracy
        Likewise.
    validation_accuracy
        Of the weights at the end of the epoch.
    """

    epoch: int
    loss: float
    train_accuracy: float
    validation_accuracy: float


Scores = Callable[[SpikeEvents], tuple[torch.Tensor, torch.Tensor]]
"""Maps samples to scores [sample, class], whose softmax is the prediction, and to a penalty."""


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


@contextmanager
def seeded_torch(rng: np.random.Generator) -> Iterator[None]:
    """Let torch draw from a seed that ``rng`` gives, and leave its global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**62)))
        yield


def train_by_gradient(
    module: torch.nn.Module,
    scores: Scores,
    train: SpikeDataset,
    validation: SpikeDataset,
    training: Training,
    *,
    seed: int,
    identity: str,
    progress: Progress,
    checkpoint: Path | None = None,
    rate_factors: Mapping[str, float] | None = None,
) -> tuple[EpochScore, ...]:
    """Minimise cross-entropy plus penalty and leave ``module`` with its best weights on ``validation``.

    Parameters
    ----------
    module
        The weights to train, in place; in training mode while it learns, else in evaluation mode.
    scores
        What the module makes of a batch.
    train, validation
        The data to learn from, and to choose the epoch by (the earliest of equally good ones).
    training
        Settings.
    seed
        Decides the order of samples, augmentation and dropout.
    identity
        Words that stand for everything else that the result depends on, such as the model's settings: a
        checkpoint of a run with another identity is refused.
    progress
        Called after every epoch.
    checkpoint
        Folder for checkpoints, after every epoch; a run that finds one goes on from it.
    rate_factors
        Last part of a parameter's name → factor on its learning rate.

    Returns
    -------
    history
        The learning curve.

    Raises
    ------
    InputError
        If the loss is no longer finite, or the checkpoint does not belong to this run.
    """
    optimiser = _optimiser(module, training, rate_factors or {})
    weights = copy.deepcopy(module.state_dict())
    run = _Run(module, optimiser, weights, dict(weights) if training.averaging else {}, [])
    identity = _fingerprint(identity, seed, train, validation)
    if checkpoint is not None and (found := read_checkpoint(checkpoint, identity=identity)) is not None:
        run.restore(found)
    with one_thread():
        while len(run.history) < training.epochs and not run.stalled(training.patience):
            epoch = len(run.history) + 1
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(epoch,)))
            loss, correct = _one_epoch(run, scores, train, training, rng)
            with run.judged_weights():
                accuracy = _accuracy(module, scores, validation, training.batch_size)
                run.note(EpochScore(epoch, loss, correct, accuracy))
            if checkpoint is not None:
                write_checkpoint(checkpoint, run.checkpoint(), identity=identity)
            note = f"train {correct:.1%}, validation {accuracy:.1%}, best {run.best.validation_accuracy:.1%}"
            progress("fit", epoch, training.epochs, note)
    module.load_state_dict(run.best_weights)
    module.eval()
    return tuple(run.history)


@dataclass
class _Run:
    """All that changes during training."""

    module: torch.nn.Module
    optimiser: torch.optim.Optimizer
    best_weights: Mapping[str, torch.Tensor]
    averages: dict[str, torch.Tensor]
    history: list[EpochScore]

    @property
    def best(self) -> EpochScore:
        """The earliest of the epochs with the highest validation accuracy."""
        return max(self.history, key=lambda score: (score.validation_accuracy, -score.epoch))

    def stalled(self, patience: int) -> bool:
        return bool(self.history) and len(self.history) - self.best.epoch >= patience

    def note(self, score: EpochScore) -> None:
        self.history.append(score)
        if self.best is score:
            self.best_weights = copy.deepcopy(self.module.state_dict())

    @torch.no_grad()
    def average(self, averaging: float, steps: int) -> None:
        """Let the weights after so many steps enter their averages."""
        share = 1 - min(averaging, (1 + steps) / (10 + steps))
        for name, tensor in self.module.state_dict().items() if self.averages else ():
            whole = not tensor.is_floating_point()
            self.averages[name] = tensor.clone() if whole else self.averages[name].lerp(tensor, share)

    @contextmanager
    def judged_weights(self) -> Iterator[None]:
        """Give the module the averages, if there are any, and then its weights again."""
        if not self.averages:
            yield
            return
        weights = copy.deepcopy(self.module.state_dict())
        self.module.load_state_dict(self.averages)
        yield
        self.module.load_state_dict(weights)

    def checkpoint(self) -> Checkpoint:
        tensors = {f"weights/{name}": tensor for name, tensor in self.module.state_dict().items()}
        tensors |= {f"best/{name}": tensor for name, tensor in self.best_weights.items()}
        tensors |= {f"averages/{name}": tensor for name, tensor in self.averages.items()}
        for index, entries in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{index}/{name}": tensor for name, tensor in entries.items()}
        return Checkpoint(len(self.history), tensors, {"history": [asdict(score) for score in self.history]})

    def restore(self, checkpoint: Checkpoint) -> None:
        parts: dict[str, dict[str, torch.Tensor]]
        parts = {"weights": {}, "best": {}, "averages": {}, "optimiser": {}}
        for name, tensor in checkpoint.tensors.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = tensor
        self.module.load_state_dict(parts["weights"])
        self.best_weights, self.averages = parts["best"], parts["averages"]
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in parts["optimiser"].items():
            index, _, entry = name.partition("/")
            state.setdefault(int(index), {})[entry] = tensor
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state, "param_groups": groups})
        self.history = [EpochScore(**score) for score in checkpoint.state["history"]]


def _optimiser(
    module: torch.nn.Module, training: Training, rate_factors: Mapping[str, float]
) -> torch.optim.Optimizer:
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        decay = training.weight_decay if parameter.ndim > 1 else 0.0
        factor = rate_factors.get(name.rpartition(".")[2], 1.0)
        groups.setdefault((decay, factor), []).append(parameter)
    optimiser: torch.optim.Optimizer = OPTIMISERS[training.optimiser](
        [
            {"params": parameters, "weight_decay": decay, "factor": factor}
            for (decay, factor), parameters in groups.items()
        ],
        lr=training.learning_rate,
    )
    return optimiser


def _one_epoch(
    run: _Run, scores: Scores, train: SpikeDataset, training: Training, rng: np.random.Generator
) -> tuple[float, float]:
    """Take one step per batch; return mean loss and accuracy over the samples as they were seen."""
    run.module.train()
    batches = _batches(rng.permutation(len(train)), training.batch_size)
    loss_sum, correct = 0.0, 0
    with seeded_torch(rng):
        for number, samples in enumerate(batches):
            share = (len(run.history) + number / len(batches)) / training.epochs
            for group in run.optimiser.param_groups:
                group["lr"] = group["factor"] * training.rate(share)
            batch = training.augmentation(train.select(samples), rng)
            labels = torch.from_numpy(batch.labels)
            values, penalty = scores(batch.events)
            loss = penalty + torch.nn.functional.cross_entropy(
                values, labels, label_smoothing=training.label_smoothing
            )
            if not torch.isfinite(loss):
                raise InputError(
                    "training.learning_rate", training.learning_rate, "a rate at which the loss stays finite"
                )
            run.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            torch.nn.utils.clip_grad_norm_(run.module.parameters(), training.gradient_limit)
            run.optimiser.step()
            run.average(training.averaging, len(run.history) * len(batches) + number)
            loss_sum += float(loss.detach()) * len(samples)
            correct += int((values.argmax(dim=1) == labels).sum())
    return loss_sum / len(train), correct / len(train)


def _batches(order: NDArray[np.integer], size: int) -> list[NDArray[np.integer]]:
    """Cut an order into batches of at most ``size``, as equal as can be."""
    return np.array_split(order, -(-len(order) // size))


@torch.no_grad()
def _accuracy(module: torch.nn.Module, scores: Scores, dataset: SpikeDataset, batch_size: int) -> float:
    module.eval()
    correct = 0
    for samples in _batches(np.arange(len(dataset)), batch_size):
        part = dataset.select(samples)
        labels = scores(part.events)[0].argmax(dim=1).numpy()
        correct += int(np.count_nonzero(labels == part.labels))
    return correct / len(dataset)


def _fingerprint(identity: str, seed: int, *datasets: SpikeDataset) -> str:
    """Return a checksum of what a run depends on."""
    checksum = hashlib.sha256(f"{identity}, seed {seed}".encode())
    for dataset in datasets:
        events = dataset.events
        graded = [events.values] if isinstance(events, GradedEvents) else []
        for array in (dataset.labels, events.offsets, events.units, events.times, *graded):
            checksum.update(np.ascontiguousarray(array).data)
    return checksum.hexdigest()
