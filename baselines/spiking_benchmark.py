"""How fast spiking networks train: fused layers, the plain torch loop, and other libraries if installed."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numba
import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.baselines.event_batch import EventBatch, events_of
from hearspike.baselines.neurons import LeakyReadout, Neurons
from hearspike.baselines.spiking_layer import Implementation, spiking_layer_with_readout
from hearspike.baselines.spiking_peers import DECAY_MEM, DECAY_SYN, PEERS, SLOPE, Forward, Peers

CHANNELS, OUTPUTS = 700, 20
SPIKES_PER_SAMPLE, SPREAD = 8500, 0.2
"""Mean and relative standard deviation of the spikes of a sample of SHD, as assumed here."""
ACTIVITY = 0.075
"""Share of the hidden neurons that spike in a step, to which the input weights are scaled."""
STEPS_PER_TURN = 5
"""Training steps that are timed whenever an implementation has its turn, after one that is not."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A network and a batch.

    Parameters
    ----------
    name
        As it stands in the table.
    hidden, recurrent
        Hidden neurons, and whether they feed back on themselves.
    samples, steps
        Size of the batch.
    """

    name: str
    hidden: int
    recurrent: bool
    samples: int = 128
    steps: int = 100


WORKLOADS = (
    Workload(name="700-128-20", hidden=128, recurrent=False),
    Workload(name="700-256-20 recurrent", hidden=256, recurrent=True),
)


@dataclass(frozen=True, kw_only=True)
class TrainingSpeed:
    """Measured speed of a training step: forward, backward, optimiser.

    Parameters
    ----------
    network, implementation, threads
        What was measured.
    hidden_activity
        Mean spikes of a hidden neuron in a step.
    samples_per_s, samples_per_cpu_s
        Samples per wall time and per processor time, medians; the second is what is left to compare on a
        machine that does other things as well, but counts threads that wait.
    ratio_to_snntorch
        Of samples per wall time; None if snnTorch was not measured.
    """

    network: str
    implementation: str
    threads: int
    hidden_activity: float
    samples_per_s: float
    samples_per_cpu_s: float
    ratio_to_snntorch: float | None


FUSED_WORKLOAD = Workload(name="700-128-20 recurrent", hidden=128, recurrent=True, samples=32)
"""Small enough for a second, large enough that the layers take most of a step."""


@dataclass(frozen=True, kw_only=True)
class FusedSpeed:
    """How many times less processor time a training step takes with fused layers, on one thread.

    Parameters
    ----------
    network
        What was measured.
    fused_ms, torch_loop_ms
        Processor time of a step with fused layers and with the plain torch loop, medians in milliseconds.
    ratio_to_torch_loop
        Of the two: a number without a clock, much the same on every machine.
    """

    network: str
    fused_ms: float
    torch_loop_ms: float
    ratio_to_torch_loop: float


def random_frames(workload: Workload, *, seed: int) -> NDArray[np.float32]:
    """Return a batch of spike counts [sample, step, channel], dense early in a sample as speech is."""
    rng = np.random.default_rng(seed)
    frames = np.zeros((workload.samples, workload.steps, CHANNELS), np.float32)
    for frame in frames:
        count = max(1, round(rng.normal(SPIKES_PER_SAMPLE, SPREAD * SPIKES_PER_SAMPLE)))
        at = (rng.beta(1.2, 2.0, count) * workload.steps).astype(np.int64)
        np.add.at(frame, (at, rng.integers(0, CHANNELS, count)), 1)
    return frames


def own_forward(
    implementation: Implementation, source: EventBatch | torch.Tensor, weights: list[torch.Tensor]
) -> Forward:
    """Return the forward pass of our layers: the mean of the readout over time, and spikes."""
    neurons = Neurons(
        decay_syn=DECAY_SYN, decay_mem=DECAY_MEM, threshold=1.0, reset="subtract", surrogate_slope=SLOPE
    )
    first, last, *recurrent = weights
    readout = LeakyReadout(weight=last, decay_syn=DECAY_SYN, decay_mem=DECAY_MEM)

    def forward() -> tuple[torch.Tensor, torch.Tensor]:
        traces, counts = spiking_layer_with_readout(
            source,
            first,
            neurons,
            recurrent_weight=recurrent[0] if recurrent else None,
            readout=readout,
            implementation=implementation,
        )
        return traces.mean(1), counts / traces.shape[1]

    return forward


def random_weights(workload: Workload, events: EventBatch, *, seed: int) -> list[torch.Tensor]:
    """Return weights [source, target] of input, readout and recurrence at which `ACTIVITY` is reached."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [(CHANNELS, workload.hidden), (workload.hidden, OUTPUTS)]
    shapes += [(workload.hidden, workload.hidden)] * workload.recurrent
    weights = [(2 * torch.rand(s, generator=generator) - 1) / s[0] ** 0.5 for s in shapes]
    low, high = 0.0, 16.0
    for _ in range(10):
        scale = (low + high) / 2
        _, spikes = own_forward("fused", events, [scale * weights[0], *weights[1:]])()
        low, high = (scale, high) if spikes.mean() < ACTIVITY else (low, scale)
    weights[0] *= (low + high) / 2
    return weights


def implementations(
    frames: NDArray[np.float32], events: EventBatch, weights: list[torch.Tensor], peers: Peers
) -> Iterator[tuple[str, Forward, list[torch.Tensor]]]:
    """Give each implementation that is installed its own copy of the weights."""

    def copies() -> list[torch.Tensor]:
        return [weight.clone().requires_grad_() for weight in weights]

    mine, plain = copies(), copies()
    dense = torch.from_numpy(frames)
    yield "hearspike fused", own_forward("fused", events, mine), mine
    yield "hearspike torch loop", own_forward("torch", dense, plain), plain
    for name, build in peers.items():
        theirs = copies()
        forward = build(dense.transpose(0, 1).contiguous(), theirs)
        if forward is not None:
            yield name, forward, theirs


def measure(
    workload: Workload, *, threads: int, repeats: int, peers: Peers = PEERS, seed: int = 0
) -> list[TrainingSpeed]:
    """Time training steps of every implementation in turn, with the same data and weights."""
    frames = random_frames(workload, seed=seed)
    events = events_of(frames)
    labels = torch.from_numpy(np.random.default_rng(seed).integers(0, OUTPUTS, workload.samples))
    runs: dict[str, Callable[[], torch.Tensor]] = {}
    with _threads(threads):
        for name, forward, weights in implementations(
            frames, events, random_weights(workload, events, seed=seed), peers
        ):
            runs[name] = _training_step(forward, weights, labels)
        times: dict[str, list[tuple[float, float, float]]] = {name: [] for name in runs}
        for _ in range(repeats):
            for name, run in runs.items():
                run()  # the first compiles, and each brings its data and memory back, as in training
                for _ in range(STEPS_PER_TURN):
                    wall, cpu = time.perf_counter(), time.process_time()
                    spikes = run()
                    spent = (time.perf_counter() - wall, time.process_time() - cpu, float(spikes.mean()))
                    times[name].append(spent)
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in times.items()
    }
    return [
        TrainingSpeed(
            network=workload.name,
            implementation=name,
            threads=threads,
            hidden_activity=activity,
            samples_per_s=workload.samples / wall,
            samples_per_cpu_s=workload.samples / cpu,
            ratio_to_snntorch=medians["snntorch"][0] / wall if "snntorch" in medians else None,
        )
        for name, (wall, cpu, activity) in medians.items()
    ]


def fused_benchmark(*, workload: Workload = FUSED_WORKLOAD, repeats: int = 3) -> list[FusedSpeed]:
    """Time the two implementations of our own in turn, with the same data and weights."""
    fused, loop = (row.samples_per_cpu_s for row in measure(workload, threads=1, repeats=repeats, peers={}))
    return [
        FusedSpeed(
            network=workload.name,
            fused_ms=1e3 * workload.samples / fused,
            torch_loop_ms=1e3 * workload.samples / loop,
            ratio_to_torch_loop=fused / loop,
        )
    ]


def _training_step(
    forward: Forward, weights: list[torch.Tensor], labels: torch.Tensor
) -> Callable[[], torch.Tensor]:
    optimiser = torch.optim.Adam(weights, lr=1e-5)  # too small to change the activity

    def step() -> torch.Tensor:
        optimiser.zero_grad()
        scores, spikes = forward()
        torch.autograd.backward(torch.nn.functional.cross_entropy(scores, labels))
        optimiser.step()
        return spikes.detach()

    return step


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(count)
    numba.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        numba.set_num_threads(before[1])


def benchmark(
    *, workloads: tuple[Workload, ...] = WORKLOADS, threads: tuple[int, ...] = (1, 2), repeats: int = 3
) -> list[TrainingSpeed]:
    """Time every workload with every number of threads that the machine has; one row per implementation."""
    most = numba.get_num_threads()
    counts = [count for count in threads if count <= most]
    return [
        row for load in workloads for count in counts for row in measure(load, threads=count, repeats=repeats)
    ]
