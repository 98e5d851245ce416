"""Fused layers are the plain torch loop and snnTorch, spike by spike and gradient by gradient."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
import snntorch
import torch

from hearspike.baselines.event_batch import EventBatch, events_of
from hearspike.baselines.neurons import LeakyReadout, Neurons, Reset
from hearspike.baselines.spiking_layer import (
    Implementation,
    leaky_readout,
    spiking_layer,
    spiking_layer_with_readout,
)
from hearspike.errors import InputError

CHANNELS = 30
OUTPUTS = 7
GRADIENT_TOLERANCE = 1e-4
"""Of the largest gradient: float32 sums over all steps, added in another order."""


@dataclass
class Problem:
    """A hidden layer and a readout with random input, weights and constants, and a random loss."""

    recurrent: bool = False
    reset: Reset = "subtract"
    adaptive: bool = False
    source: str = "events"
    together: bool = False
    dropout: float = 0.0
    neurons: int = 40
    samples: int = 5
    steps: int = 60
    scale: float = 0.5
    tensors: dict[str, torch.Tensor] = field(init=False)

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        n = self.neurons

        def normal(*shape: int) -> torch.Tensor:
            return torch.randn(shape, generator=generator)

        def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
            return low + (high - low) * torch.rand(shape, generator=generator)

        active = uniform(0, 1, self.samples, self.steps, CHANNELS) < 0.15
        self.frames = active * (1 + (uniform(0, 1, *active.shape) < 0.2).float())
        self.tensors = {
            "weight": self.scale * normal(CHANNELS, n),
            "recurrent_weight": 0.3 / n**0.5 * normal(n, n),
            "readout_weight": normal(n, OUTPUTS),
            "decay_syn": uniform(0.2, 0.7, n),
            "decay_mem": uniform(0.6, 0.9, n),
            "threshold": uniform(0.5, 1.5, n),
            "adaptation_decay": uniform(0.6, 0.9, n),
            "adaptation_strength": uniform(0.0, 0.3, n),
            "readout_decay": uniform(0.6, 0.9, OUTPUTS),
            "readout_decay_syn": uniform(0.3, 0.6, OUTPUTS),
        }
        self.targets = normal(self.samples, self.steps, OUTPUTS), normal(self.samples, self.steps, n)
        self.kept = (uniform(0, 1, self.samples, n) >= self.dropout) / (1 - self.dropout)

    def run(self, implementation: Implementation) -> dict[str, torch.Tensor]:
        """Return spikes (``together``: counts of them), traces and all gradients."""
        leaves = {name: tensor.clone().requires_grad_() for name, tensor in self.tensors.items()}
        adaptation = ("adaptation_decay", "adaptation_strength") if self.adaptive else ()
        neurons = Neurons(
            **{name: leaves[name] for name in ("decay_syn", "decay_mem", "threshold", *adaptation)},
            reset=self.reset,
            surrogate_slope=10.0,
        )
        source: EventBatch | torch.Tensor = events_of(self.frames.numpy())
        weight: torch.Tensor | None = leaves["weight"]
        if self.source != "events":
            source = self.frames.clone() if self.source == "spikes" else self.frames @ self.tensors["weight"]
            leaves["source"] = source.requires_grad_()
            weight = weight if self.source == "spikes" else None
        recurrent = leaves["recurrent_weight"] if self.recurrent else None
        if self.together:
            return self._run_together(source, weight, neurons, recurrent, leaves, implementation)
        spikes = spiking_layer(
            source, weight, neurons, recurrent_weight=recurrent, implementation=implementation
        )
        traces = leaky_readout(
            spikes,
            leaves["readout_weight"],
            decay_syn=0.5,
            decay_mem=leaves["readout_decay"],
            implementation=implementation,
        )
        loss = (traces * self.targets[0]).sum() + (spikes * self.targets[1]).sum()
        torch.autograd.backward(loss)
        gradients = {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}
        return {"spikes": spikes.detach(), "traces": traces.detach(), **gradients}

    def _run_together(
        self,
        source: EventBatch | torch.Tensor,
        weight: torch.Tensor | None,
        neurons: Neurons,
        recurrent: torch.Tensor | None,
        leaves: dict[str, torch.Tensor],
        implementation: Implementation,
    ) -> dict[str, torch.Tensor]:
        traces, counts = spiking_layer_with_readout(
            source,
            weight,
            neurons,
            recurrent_weight=recurrent,
            readout=LeakyReadout(
                weight=leaves["readout_weight"],
                decay_syn=leaves["readout_decay_syn"],
                decay_mem=leaves["readout_decay"],
            ),
            kept=self.kept if self.dropout > 0 else None,
            implementation=implementation,
        )
        loss = (traces * self.targets[0]).sum() + (counts * self.targets[1][:, 0]).sum()
        torch.autograd.backward(loss)
        gradients = {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}
        return {"spikes": counts.detach(), "traces": traces.detach(), **gradients}


def assert_same(mine: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    """Spikes to the bit, membranes to 1e-5, gradients to 1e-4 of their largest value."""
    assert mine.keys() == theirs.keys()
    assert torch.equal(mine["spikes"], theirs["spikes"])
    for name in mine.keys() - {"spikes"}:
        tolerance = 1e-5 if name == "traces" else GRADIENT_TOLERANCE
        assert theirs[name].abs().max() > 0, name
        error = (mine[name] - theirs[name]).abs().max() / theirs[name].abs().max()
        assert error <= tolerance, (name, error)


@pytest.mark.parametrize("source", ["events", "spikes", "drive"])
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("adaptive", [False, True])
def test_fused_is_the_torch_loop(source: str, recurrent: bool, reset: Reset, adaptive: bool) -> None:
    """Every kind of input, reset, recurrence and threshold; the gradient of every tensor."""
    problem = Problem(recurrent, reset, adaptive, source)
    fused = problem.run("fused")
    assert 0.02 < fused["spikes"].mean() < 0.4
    assert_same(fused, problem.run("torch"))


@pytest.mark.parametrize("source", ["events", "spikes", "drive"])
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_a_layer_and_its_readout_together_are_the_torch_loop(
    source: str, recurrent: bool, dropout: float
) -> None:
    """Counts, traces and every gradient, with and without spikes that the readout does not see."""
    problem = Problem(
        recurrent, "zero", recurrent, source, together=True, dropout=dropout, samples=19, neurons=70
    )
    assert_same(problem.run("fused"), problem.run("torch"))


def test_a_layer_and_its_readout_are_what_they_are_one_by_one() -> None:
    """With the same loss of the traces alone, apart or together."""
    apart, together = Problem(recurrent=True), Problem(recurrent=True, together=True)
    apart.tensors["readout_decay_syn"].fill_(0.5)
    together.tensors["readout_decay_syn"].fill_(0.5)
    for problem in (apart, together):
        problem.targets = problem.targets[0], torch.zeros_like(problem.targets[1])
    one, other = apart.run("fused"), together.run("fused")
    assert torch.equal(one.pop("spikes").sum(dim=1), other.pop("spikes"))
    for name, expected in one.items():
        error = (other[name] - expected).abs().max() / expected.abs().max()
        assert error <= GRADIENT_TOLERANCE, name


@pytest.mark.parametrize(
    "problem",
    [
        Problem(recurrent=True, together=True, samples=1, steps=1, neurons=1, scale=3.0, source="drive"),
        Problem(recurrent=True, together=True, samples=35, steps=7, neurons=130, scale=0.8),
        Problem(recurrent=True, samples=1, steps=1, neurons=1, scale=3.0, source="drive"),
        Problem(recurrent=True, samples=19, steps=25, neurons=64),
        Problem(recurrent=True, samples=35, steps=7, neurons=130, scale=0.8, source="spikes"),
    ],
    ids=[
        "one of each, together",
        "several tiles and chunks, together",
        "one of each",
        "whole tiles, unequal blocks",
        "several tiles and chunks",
    ],
)
def test_any_size(problem: Problem) -> None:
    """Sizes around those of tiles, chunks and blocks."""
    fused, stepped = problem.run("fused"), problem.run("torch")
    # With a single step most gradients are 0 for both.
    for name, expected in stepped.items():
        limit = GRADIENT_TOLERANCE * max(expected.abs().max().item(), 1e-6)
        assert (fused[name] - expected).abs().max() <= limit, name


@pytest.mark.parametrize("implementation", ["fused", "torch"])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("recurrent", [False, True])
def test_layers_are_those_of_snntorch(implementation: Implementation, reset: Reset, recurrent: bool) -> None:
    """The same network of snnTorch's ``Synaptic`` neurons, stepped as its users do."""
    problem = Problem(recurrent, reset)
    problem.tensors["decay_syn"].fill_(0.6)  # snnTorch takes one number for all
    problem.tensors["threshold"].fill_(1.0)
    problem.tensors["readout_decay"].fill_(0.8)
    mine = problem.run(implementation)
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in problem.tensors.items()}
    surrogate = snntorch.surrogate.fast_sigmoid(slope=10)
    hidden = snntorch.Synaptic(0.6, leaves["decay_mem"], spike_grad=surrogate, reset_mechanism=reset)
    output = snntorch.Synaptic(0.5, 0.8, reset_mechanism="none")
    spikes = current = membrane = torch.zeros(problem.samples, problem.neurons)
    output_current = trace = torch.zeros(problem.samples, OUTPUTS)
    all_spikes, traces = [], []
    for frame in problem.frames.unbind(1):
        drive = frame @ leaves["weight"]
        if recurrent:
            drive = drive + spikes @ leaves["recurrent_weight"]
        spikes, current, membrane = hidden(drive, current, membrane)
        _, output_current, trace = output(spikes @ leaves["readout_weight"], output_current, trace)
        all_spikes.append(spikes)
        traces.append(trace)
    loss = (torch.stack(traces, 1) * problem.targets[0]).sum()
    torch.autograd.backward(loss + (torch.stack(all_spikes, 1) * problem.targets[1]).sum())
    names = ["weight", "readout_weight", *(["recurrent_weight"] if recurrent else [])]
    theirs = {"spikes": torch.stack(all_spikes, 1).detach(), "traces": torch.stack(traces, 1).detach()}
    theirs |= {name: gradient for name in names if (gradient := leaves[name].grad) is not None}
    assert_same({name: mine[name] for name in theirs}, theirs)


@pytest.mark.parametrize("implementation", ["fused", "torch"])
def test_gradients_are_finite_differences_of_the_smoothed_network(implementation: Implementation) -> None:
    r"""Below threshold, spikes replaced by the surrogate's integral have the same gradient.

    The derivative of :math:`x / (1 + \lambda |x|)` is :math:`(1 + \lambda |x|)^{-2}`. As long as no neuron
    fires, the smoothed network differs from ours only in its output, and its loss can be differenced in
    float64.
    """
    rng = np.random.default_rng(1)
    samples, steps, units, neurons, slope = 3, 20, 6, 4, 5.0
    frames = (rng.random((samples, steps, units)) < 0.3).astype(np.float32)
    weight = 0.05 * rng.standard_normal((units, neurons))
    alpha, beta = rng.uniform(0.3, 0.6, neurons), rng.uniform(0.5, 0.8, neurons)
    threshold, target = rng.uniform(0.9, 1.1, neurons), rng.standard_normal((samples, steps, neurons))
    values = {"weight": weight, "decay_syn": alpha, "decay_mem": beta, "threshold": threshold}

    def smoothed_loss(**changed: np.ndarray) -> float:
        current, membrane, loss = np.zeros((samples, neurons)), np.zeros((samples, neurons)), 0.0
        now = values | changed
        for step in range(steps):
            current = now["decay_syn"] * current + frames[:, step] @ now["weight"]
            membrane = now["decay_mem"] * membrane + current
            distance = membrane - now["threshold"]
            assert (distance < 0).all()
            loss += float((target[:, step] * distance / (1 + slope * np.abs(distance))).sum())
        return loss

    leaves = {
        name: torch.tensor(value, dtype=torch.float32).requires_grad_() for name, value in values.items()
    }
    layer_weight = leaves["weight"]
    neuron = Neurons(
        **{name: leaf for name, leaf in leaves.items() if name != "weight"},
        reset="zero",
        surrogate_slope=slope,
    )
    spikes = spiking_layer(events_of(frames), layer_weight, neuron, implementation=implementation)
    torch.autograd.backward((spikes * torch.tensor(target, dtype=torch.float32)).sum())
    for name, value in values.items():
        numeric = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            step = np.zeros_like(value)
            step[index] = 1e-5
            change = smoothed_loss(**{name: value + step}) - smoothed_loss(**{name: value - step})
            numeric[index] = change / 2e-5
        gradient = leaves[name].grad
        assert gradient is not None
        # float32 against float64 with differences of second order
        np.testing.assert_allclose(gradient.numpy(), numeric, atol=1e-4 * np.abs(numeric).max())


def test_a_spike_reaches_the_next_step_through_recurrence_and_reset() -> None:
    """Two neurons by hand: the first is kicked over threshold, and its spike drives the second."""
    drive = torch.zeros(1, 4, 2)
    drive[0, 0, 0] = 1.5
    recurrent = torch.tensor([[0.0, 2.0], [0.0, 0.0]])
    constants = {"decay_syn": 0.0, "decay_mem": 0.9, "threshold": 1.0, "surrogate_slope": 1.0}
    spikes = {
        reset: spiking_layer(drive, None, Neurons(**constants, reset=reset), recurrent_weight=recurrent)
        for reset in ("subtract", "zero")
    }
    # Subtracted: 1.5, 0.35, 0.315, … and, a step later, 2.0, 0.8, …; held at 0: the same spikes.
    for found in spikes.values():
        assert found[0].tolist() == [[1, 0], [0, 1], [0, 0], [0, 0]]
    drive[0, 0, 0] = 3.0  # 3.0, 1.7, 0.53 against 3.0, 0, 0
    again = [
        spiking_layer(drive, None, Neurons(**constants, reset=reset))[0, :, 0].tolist()
        for reset in ("subtract", "zero")
    ]
    assert again == [[1, 1, 0, 0], [1, 0, 0, 0]]


def test_adaptation_stretches_the_intervals_between_spikes() -> None:
    """Constant drive: no interval is shorter than the one before, and the last is longer than the first."""
    neurons = Neurons(
        decay_syn=0.0,
        decay_mem=0.9,
        threshold=1.0,
        reset="subtract",
        surrogate_slope=1.0,
        adaptation_decay=0.99,
        adaptation_strength=0.2,
    )
    spikes = spiking_layer(torch.full((1, 100, 1), 0.4), None, neurons)[0, :, 0]
    intervals = torch.diff(torch.nonzero(spikes)[:, 0])[:8]
    assert (torch.diff(intervals) >= 0).all()
    assert intervals[-1] > intervals[0]


@pytest.mark.parametrize("implementation", ["fused", "torch"])
@pytest.mark.parametrize("where", ["source", "weight", "drive"])
def test_what_is_not_a_number_is_never_silent(implementation: Implementation, where: str) -> None:
    """It stays not a number from there on, whatever it touches."""
    frames, weight = np.zeros((2, 5, 3), np.float32), torch.ones(3, 4)
    frames[1, 2, 1] = np.nan if where == "source" else 1
    if where == "weight":
        weight[1, 3] = torch.nan
    neurons = Neurons(decay_syn=0.5, decay_mem=0.5, threshold=9.0, reset="zero", surrogate_slope=1.0)
    source: EventBatch | torch.Tensor = events_of(frames)
    layer_weight: torch.Tensor | None = weight
    if where == "drive":
        source, layer_weight = torch.zeros(2, 5, 4), None
        source[1, 2, 3] = torch.nan
    spikes = spiking_layer(source, layer_weight, neurons, implementation=implementation)
    readout = LeakyReadout(weight=torch.ones(4, 2), decay_syn=0.5, decay_mem=0.5)
    traces, counts = spiking_layer_with_readout(
        source, layer_weight, neurons, readout=readout, implementation=implementation
    )
    assert counts[1, 3].isnan()
    assert traces[1, -1].isnan().all()
    assert spikes[1, 2:, 3].isnan().all()
    if where != "weight" or implementation == "fused":  # a dense product spreads it to silent inputs
        assert not spikes[1, :2].isnan().any()
        assert not spikes[0].isnan().any()


def digest() -> str:
    """Return the checksum of all results of a problem that fills several blocks."""
    checksum = hashlib.sha256()
    for together in (False, True):
        problem = Problem(recurrent=True, adaptive=True, together=together, samples=50, steps=80, neurons=130)
        results = problem.run("fused")
        checksum.update(b"".join(results[name].numpy().tobytes() for name in sorted(results)))
    return checksum.hexdigest()


def test_threads_do_not_change_a_bit() -> None:
    """One thread and two of numba, torch and linear algebra, in processes of their own."""
    found = set()
    for threads in ("1", "2"):
        names = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        environment = os.environ | dict.fromkeys(names, threads)
        command = [sys.executable, __file__]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found.add(result.stdout.strip())
    assert len(found) == 1
    assert len(found.pop()) == 64


NEURONS = Neurons(decay_syn=0.5, decay_mem=0.5, threshold=1.0, reset="zero", surrogate_slope=1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: spiking_layer(torch.zeros(2, 3, 4), torch.zeros(5, 6), NEURONS), r"weight: got \(5, 6\)"),
        (lambda: spiking_layer(torch.zeros(3, 4), None, NEURONS), r"source: got \(3, 4\)"),
        (lambda: spiking_layer(torch.zeros(2, 3, 4).double(), None, NEURONS), "source: got torch.float64"),
        (
            lambda: spiking_layer(torch.zeros(2, 3, 4), None, NEURONS, recurrent_weight=torch.zeros(4, 5)),
            r"recurrent_weight: got \(4, 5\)",
        ),
        (
            lambda: spiking_layer(events_of(np.zeros((1, 1, 1), np.float32)), None, NEURONS),
            "weight: got None",
        ),
        (
            lambda: spiking_layer_with_readout(
                torch.zeros(2, 3, 4),
                None,
                NEURONS,
                readout=LeakyReadout(weight=torch.zeros(5, 2), decay_syn=0.5, decay_mem=0.5),
            ),
            r"readout.weight: got \(5, 2\)",
        ),
        (
            lambda: spiking_layer_with_readout(
                torch.zeros(2, 3, 4),
                None,
                NEURONS,
                readout=LeakyReadout(weight=torch.zeros(4, 2), decay_syn=0.5, decay_mem=0.5),
                kept=torch.ones(2, 3),
            ),
            r"kept: got \(2, 3\)",
        ),
        (
            lambda: leaky_readout(torch.zeros(2, 3, 4), None, decay_syn=1.5, decay_mem=0.5),
            "decay_syn: got 1.5",
        ),
        (
            lambda: leaky_readout(torch.zeros(2, 3, 4), None, decay_syn=torch.ones(3), decay_mem=0.5),
            r"decay_syn: got \(3,\)",
        ),
    ],
)
def test_wrong_arguments_are_refused(call: Callable[[], object], message: str) -> None:
    """Nothing is rounded, repeated or read beyond its end without a word."""
    with pytest.raises(InputError, match=message):
        call()


if __name__ == "__main__":
    print(digest())  # the answer to the process that asked
