"""The speed comparison runs what it says it runs, on networks that learn and spike alike."""

from importlib.util import find_spec

import pytest
import torch

from hearspike.baselines.event_batch import events_of
from hearspike.baselines.spiking_benchmark import (
    ACTIVITY,
    Workload,
    benchmark,
    implementations,
    random_frames,
    random_weights,
)
from hearspike.baselines.spiking_peers import PEERS

SMALL = (
    Workload(name="feed-forward", hidden=16, recurrent=False, samples=6, steps=15),
    Workload(name="recurrent", hidden=16, recurrent=True, samples=6, steps=15),
)


@pytest.mark.filterwarnings("ignore")  # of libraries that are compared, not used
@pytest.mark.parametrize("workload", SMALL, ids=lambda workload: workload.name)
def test_networks_are_the_same(workload: Workload) -> None:
    """Our layers and snnTorch give the same scores and gradients; the others are about as active."""
    frames = random_frames(workload, seed=0)
    events = events_of(frames)
    weights = random_weights(workload, events, seed=0)
    scores, gradients = {}, {}
    for name, forward, parameters in implementations(frames, events, weights, PEERS):
        score, spikes = forward()
        torch.autograd.backward(score.square().sum())
        assert 0.5 * ACTIVITY < spikes.mean() < 2 * ACTIVITY, name
        scores[name] = score.detach()
        first = parameters[0].grad
        assert first is not None
        gradients[name] = first
    expected, gradient = scores["snntorch"], gradients["snntorch"].T
    for name in ("hearspike fused", "hearspike torch loop"):
        assert (scores[name] - expected).abs().max() <= 1e-5 * expected.abs().max()
        assert (gradients[name] - gradient).abs().max() <= 1e-4 * gradient.abs().max()


@pytest.mark.filterwarnings("ignore")  # as above
def test_every_row_is_there() -> None:
    """One row for each workload, thread count and library that is installed."""
    rows = benchmark(workloads=SMALL, threads=(1,), repeats=1)
    installed = 3 + sum(find_spec(name) is not None for name in ("norse", "spikingjelly"))
    assert len(rows) == 2 * installed
    for row in rows:
        assert row.samples_per_s > 0
        assert (row.ratio_to_snntorch == 1) == (row.implementation == "snntorch")
