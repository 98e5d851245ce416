"""Training chooses on validation, goes on where it was stopped, and follows its schedule."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hearspike.baselines.training import EpochScore, Optimiser, Schedule, Training, train_by_gradient
from hearspike.datasets import SpikeDataset, SpikeEvents, count_spikes
from hearspike.datasets.augmentation import Augmentation
from hearspike.errors import InputError

Data = tuple[SpikeDataset, SpikeDataset]

TRAINING = Training(
    epochs=6,
    patience=6,
    batch_size=50,
    optimiser="adamw",
    learning_rate=1e-2,
    schedule="cosine",
    final_rate=0.1,
    warm_up=0.2,
    weight_decay=1e-2,
    gradient_limit=1.0,
    label_smoothing=0.1,
    augmentation=Augmentation(channel_spread=1.0, event_loss=0.5),
)


class Stopped(Exception):
    """Somebody pulled the plug."""


def make_module() -> torch.nn.Sequential:
    """A network with everything that a checkpoint must hold: dropout, running averages, a bare vector."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.BatchNorm1d(20), torch.nn.Dropout(0.3), torch.nn.Linear(20, 8), torch.nn.ReLU(),
        torch.nn.Linear(8, 2),
    )  # fmt: skip


def run(
    module: torch.nn.Module,
    data: Data,
    training: Training = TRAINING,
    *,
    seed: int = 0,
    identity: str = "",
    checkpoint: Path | None = None,
    stop_after: int = 99,
    factors: dict[str, float] | None = None,
) -> tuple[EpochScore, ...]:
    def scores(events: SpikeEvents) -> tuple[torch.Tensor, torch.Tensor]:
        return module(torch.from_numpy(count_spikes(events).astype(np.float32))), torch.zeros(())

    def progress(stage: str, done: int, total: int, note: str) -> None:
        if done == stop_after:
            raise Stopped

    return train_by_gradient(
        module, scores, *data, training, seed=seed, identity=identity, progress=progress,
        checkpoint=checkpoint, rate_factors=factors,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("optimiser", "averaging"), [("adam", 0.0), ("adamax", 0.0), ("adamw", 0.0), ("adamw", 0.9)]
)
@pytest.mark.parametrize("epoch", [1, 3, 6])
def test_a_stopped_run_ends_with_the_same_bits(
    counted: Data, tmp_path: Path, epoch: int, optimiser: Optimiser, averaging: float
) -> None:
    """Stopped after an epoch and started anew in a new module: same weights, averages and learning curve."""
    training = dataclasses.replace(TRAINING, optimiser=optimiser, averaging=averaging)
    undisturbed, stopped, resumed = make_module(), make_module(), make_module()
    history = run(undisturbed, counted, training)
    with pytest.raises(Stopped):
        run(stopped, counted, training, checkpoint=tmp_path, stop_after=epoch)
    torch.nn.init.ones_(resumed.get_parameter("2.weight"))  # whatever it started from is of no account
    assert run(resumed, counted, training, checkpoint=tmp_path) == history
    for name, tensor in undisturbed.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    # Only the latest epoch is kept.
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-00006"]


def test_nothing_is_trained_again_after_the_end(counted: Data, tmp_path: Path) -> None:
    """A finished run resumes without another epoch."""
    history = run(make_module(), counted, checkpoint=tmp_path)
    assert run(make_module(), counted, checkpoint=tmp_path, stop_after=6) == history


def test_a_checkpoint_of_another_run_is_refused(counted: Data, timed: Data, tmp_path: Path) -> None:
    """Other settings, another seed, other data: all are noticed."""
    run(make_module(), counted, checkpoint=tmp_path)
    for data, seed, identity in ((counted, 1, ""), (counted, 0, "other"), (timed, 0, "")):
        with pytest.raises(InputError, match="a checkpoint of other settings or data"):
            run(make_module(), data, seed=seed, identity=identity, checkpoint=tmp_path)
    (tmp_path / "epoch-00006" / "tensors.safetensors").write_bytes(b"cut")
    with pytest.raises(InputError, match="damaged"):
        run(make_module(), counted, checkpoint=tmp_path)


def test_same_seed_same_weights_whatever_torch_drew_before(counted: Data) -> None:
    """Training depends on its seed, not on torch's global state, and leaves that state alone."""
    first, second, other = make_module(), make_module(), make_module()
    history = run(first, counted)
    torch.manual_seed(123)
    before = torch.random.get_rng_state()
    assert run(second, counted) == history
    assert torch.equal(torch.random.get_rng_state(), before)
    assert run(other, counted, seed=1) != history
    for one, two in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, two)


def test_the_best_epoch_on_validation_is_kept(counted: Data) -> None:
    """The kept weights reach the highest accuracy of the curve, which later weights did not."""
    train, validation = counted
    # Learning what is wrong on validation: accuracy falls from epoch to epoch.
    flipped = dataclasses.replace(validation, labels=1 - validation.labels)
    module = make_module()
    history = run(module, (train, flipped), dataclasses.replace(TRAINING, learning_rate=3e-3))
    best = max(score.validation_accuracy for score in history)
    assert history[-1].validation_accuracy < best
    counts = torch.from_numpy(count_spikes(validation.events).astype(np.float32))
    with torch.no_grad():
        assert np.mean(module(counts).argmax(1).numpy() == flipped.labels) == best


def test_kept_weights_are_averages_over_steps(counted: Data) -> None:
    """By the recursion, from the weights after each step, of which every epoch has one."""
    module, seen = make_module(), [make_module().state_dict()]

    def scores(events: SpikeEvents) -> tuple[torch.Tensor, torch.Tensor]:
        return module(torch.from_numpy(count_spikes(events).astype(np.float32))), torch.zeros(())

    def progress(stage: str, done: int, total: int, note: str) -> None:
        seen.append({name: tensor.clone() for name, tensor in module.state_dict().items()})

    training = dataclasses.replace(TRAINING, batch_size=256, averaging=0.25)
    history = train_by_gradient(module, scores, *counted, training, seed=0, identity="", progress=progress)
    best = max(history, key=lambda score: (score.validation_accuracy, -score.epoch)).epoch
    for name in ("2.weight", "0.running_mean"):
        average = seen[0][name]
        for step in range(best):
            kept = min(0.25, (1 + step) / (10 + step))
            average = kept * average + (1 - kept) * seen[step + 1][name]
        torch.testing.assert_close(module.state_dict()[name], average)
        assert not torch.allclose(average, seen[best][name], rtol=1e-3)


def test_patience_ends_training(counted: Data) -> None:
    """It stops as many epochs after the best as it is told."""
    train, validation = counted
    flipped = dataclasses.replace(validation, labels=1 - validation.labels)
    history = run(make_module(), (train, flipped), dataclasses.replace(TRAINING, epochs=50, patience=3))
    best = max(history, key=lambda score: (score.validation_accuracy, -score.epoch))
    assert len(history) == best.epoch + 3 < 50


def test_validation_labels_teach_nothing(counted: Data) -> None:
    """With one epoch there is no choice, and validation labels leave no trace in the weights."""
    train, validation = counted
    training = dataclasses.replace(TRAINING, epochs=1)
    modules = make_module(), make_module()
    run(modules[0], (train, validation), training)
    run(modules[1], (train, dataclasses.replace(validation, labels=1 - validation.labels)), training)
    for one, two in zip(*(module.parameters() for module in modules), strict=True):
        assert torch.equal(one, two)


def test_one_step_is_that_of_torch(counted: Data) -> None:
    """One full batch without extras equals a step written by hand."""
    training = dataclasses.replace(
        TRAINING, epochs=1, batch_size=10_000, schedule="constant", warm_up=0.0, label_smoothing=0.0,
        augmentation=Augmentation(), gradient_limit=1e-3,
    )  # fmt: skip
    train, _ = counted
    module, expected = torch.nn.Linear(20, 2), torch.nn.Linear(20, 2)
    expected.load_state_dict(module.state_dict())
    run(module, counted, training, factors={"bias": 10.0})
    groups: list[dict[str, Any]] = [
        {"params": [expected.weight]},
        {"params": [expected.bias], "lr": 0.1, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(
        groups,
        lr=1e-2, weight_decay=1e-2,
    )  # fmt: skip
    values = expected(torch.from_numpy(count_spikes(train.events).astype(np.float32)))
    loss = torch.nn.functional.cross_entropy(values, torch.from_numpy(train.labels))
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    norm = math.sqrt(sum(float((p.grad**2).sum()) for p in expected.parameters() if p.grad is not None))
    for parameter in expected.parameters():
        assert parameter.grad is not None
        parameter.grad.mul_(1e-3 / norm)
    optimiser.step()
    for one, two in zip(module.parameters(), expected.parameters(), strict=True):
        # The sum over samples is taken in another order; Adam divides by the small gradient.
        torch.testing.assert_close(one, two, rtol=0, atol=2e-4)


def test_schedules() -> None:
    """Rise, middle and end of each, from their formulas."""
    cases: tuple[tuple[Schedule, float, float], ...] = (
        ("constant", 1.0, 1.0),
        ("exponential", math.sqrt(0.1), 0.1),
        ("cosine", 0.55, 0.1),
    )
    for schedule, middle, end in cases:
        training = dataclasses.replace(TRAINING, schedule=schedule, learning_rate=2.0)
        assert training.rate(0.1) == pytest.approx(1.0)
        assert training.rate(0.2) == pytest.approx(2.0)
        assert training.rate(0.6) == pytest.approx(2 * middle)
        assert training.rate(1.0) == pytest.approx(2 * end)


def test_a_loss_that_is_not_finite_stops_the_run(counted: Data) -> None:
    """It is not trained on in silence."""
    module = make_module()
    torch.nn.init.constant_(module.get_parameter("4.bias"), math.nan)
    with pytest.raises(InputError, match="stays finite"):
        run(module, counted)


@pytest.mark.parametrize(
    ("key", "value"),
    [("epochs", 0), ("learning_rate", -1.0), ("warm_up", 1.0), ("weight_decay", -1.0), ("optimiser", "sgd"),
     ("schedule", "steps"), ("averaging", 1.0)],
)  # fmt: skip
def test_wrong_settings_are_refused(key: str, value: Any) -> None:
    """Each names its key."""
    with pytest.raises(InputError, match=rf"training\.{key}"):
        dataclasses.replace(TRAINING, **{key: value})
