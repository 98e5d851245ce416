"""The event-driven layer is a plain torch loop over frames, spike by spike and gradient by gradient."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from hearspike.baselines.event_layer import LayerDynamics, Recorded, event_layer
from hearspike.datasets import SpikeEvents, bin_events

STEPS, NEURONS, INPUTS, SAMPLES = 40, 24, 15, 7
DYNAMICS = LayerDynamics(
    STEPS, 1.0, torch.full((NEURONS,), 0.7), torch.full((NEURONS,), 0.85), torch.ones(1, NEURONS), 50.0
)


def random_events(seed: int, rate: float = 60.0) -> SpikeEvents:
    """Spikes of which some come after the window of 1 s."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rate, size=SAMPLES)
    times = np.concatenate([np.sort(rng.uniform(0.0, 1.2, size=count)) for count in counts])
    units = rng.integers(INPUTS, size=len(times))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return SpikeEvents(times.astype(np.float32), units.astype(np.uint16), offsets, INPUTS)


def random_weights(seed: int, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    weights = scale * torch.randn(NEURONS, INPUTS, generator=generator)
    recurrent = 0.3 * scale * torch.randn(NEURONS, NEURONS, generator=generator)
    return weights.requires_grad_(), recurrent.requires_grad_()


class Surrogate(torch.autograd.Function):
    """SuperSpike below the threshold, 1 above it."""

    @staticmethod
    def forward(ctx: Any, above: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(above)
        return (above > 0).float()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        below = -ctx.saved_tensors[0].clamp(max=0)
        return torch.div(gradient, (50.0 * below + 1) ** 2)


def stepped(
    weights: torch.Tensor, recurrent: torch.Tensor | None, events: SpikeEvents
) -> tuple[torch.Tensor, torch.Tensor]:
    """The equations of the layer, step by step on frames: spikes and membranes."""
    frames = torch.from_numpy(bin_events(events, bins=STEPS, window=1.0).counts).transpose(0, 1)
    current = potential = spikes = torch.zeros(SAMPLES, NEURONS)
    record, membranes = [], []
    for frame in frames:
        current = 0.7 * current + frame @ weights.T
        if recurrent is not None:
            current = current + spikes @ recurrent.T
        potential = (0.85 * potential + current) * (1 - spikes.detach())
        spikes = Surrogate.apply(potential - 1)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        record.append(spikes)
        membranes.append(potential)
    return torch.stack(record), torch.stack(membranes)


def gradients(
    spikes: torch.Tensor, weights: torch.Tensor, recurrent: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    target = torch.randn(spikes.shape, generator=torch.Generator().manual_seed(2))
    return torch.autograd.grad(
        (spikes * target).sum(), [weights, recurrent], allow_unused=True, materialize_grads=True
    )


@pytest.mark.parametrize("scale", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("recurrence", [False, True])
def test_spikes_and_gradients_are_those_of_frames(scale: float, recurrence: bool) -> None:
    """Sums in another order differ by rounding alone."""
    events, (weights, recurrent) = random_events(0), random_weights(1, scale)
    square = recurrent if recurrence else None
    spikes = event_layer(weights, square, events, DYNAMICS)
    expected, _ = stepped(weights, square, events)
    assert (scale < 0.1) == (spikes.count_nonzero() < 0.02 * spikes.numel())
    torch.testing.assert_close(spikes, expected, rtol=0, atol=0)
    pairs = zip(gradients(spikes, weights, recurrent), gradients(expected, weights, recurrent), strict=True)
    for mine, theirs in pairs:
        # float32 over 40 steps, summed over 7 samples
        assert (mine - theirs).abs().max() <= 1e-4 * theirs.abs().max()


def test_recorded_values_take_the_place_of_the_models() -> None:
    """With its own activity as the record the layer's gradient is its own; with another one it differs."""
    events, (weights, recurrent) = random_events(3), random_weights(4, 0.4)
    own, membrane = (tensor.detach() for tensor in stepped(weights, recurrent, events))

    def gradient(recorded: Recorded | None) -> torch.Tensor:
        spikes = event_layer(weights, recurrent, events, DYNAMICS, recorded)
        return gradients(spikes, weights, recurrent)[0]

    free = gradient(None)
    # The membranes come from another order of sums, and the surrogate is steep.
    assert (gradient(Recorded(own, membrane)) - free).abs().max() <= 1e-4 * free.abs().max()
    # What the converter shows of a neuron after its reset makes no difference.
    assert torch.equal(gradient(Recorded(own, membrane * (1 - own))), gradient(Recorded(own, membrane)))
    silent = Recorded(torch.zeros_like(own), membrane)
    assert torch.equal(event_layer(weights, recurrent, events, DYNAMICS, silent), silent.spikes)
    assert (gradient(silent) - free).abs().max() > 0.1 * free.abs().max()


def test_every_neuron_has_its_own_constants() -> None:
    """A layer of different neurons is the neurons of uniform layers."""
    events, (weights, _) = random_events(6), random_weights(7, 0.5)
    alpha = torch.linspace(0.5, 0.9, NEURONS)
    beta = torch.linspace(0.9, 0.6, NEURONS)
    threshold = torch.linspace(0.5, 1.5, NEURONS)[None]
    mixed = event_layer(weights, None, events, replace(DYNAMICS, alpha=alpha, beta=beta, threshold=threshold))
    for j in (0, 11, 23):
        uniform = replace(
            DYNAMICS,
            alpha=alpha[j].repeat(NEURONS),
            beta=beta[j].repeat(NEURONS),
            threshold=threshold[:, j : j + 1].repeat(1, NEURONS),
        )
        assert torch.equal(mixed[..., j], event_layer(weights, None, events, uniform)[..., j])
    assert 0 < mixed.mean() < 0.5
