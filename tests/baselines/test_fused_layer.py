"""The fused layer is snnTorch's, spike by spike and gradient by gradient."""

import numpy as np
import pytest
import torch
from numba import get_num_threads, set_num_threads
from threadpoolctl import threadpool_limits

from hearspike.baselines.fused_layer import fused_recurrent_layer, stepped_recurrent_layer
from hearspike.errors import InputError

Result = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
CONSTANTS = {"alpha": 0.67, "beta": 0.82, "slope": 50.0}


def run(
    layer: object, *, steps: int = 60, samples: int = 16, neurons: int = 40, scale: float = 0.4
) -> Result:
    """Return spikes and the gradients of drive and recurrent weights for a fixed random problem."""
    generator = torch.Generator().manual_seed(0)
    drive = scale * torch.randn(steps, samples, neurons, generator=generator)
    weights = scale * torch.randn(neurons, neurons, generator=generator) / neurons**0.5
    target = torch.randn(steps, samples, neurons, generator=generator)
    drive.requires_grad_()
    weights.requires_grad_()
    spikes = layer(drive, weights, **CONSTANTS)  # type: ignore[operator]
    torch.autograd.backward((spikes * target).sum())
    assert drive.grad is not None
    assert weights.grad is not None
    return spikes.detach(), drive.grad, weights.grad


@pytest.mark.parametrize("scale", [0.0, 0.1, 0.4, 1.0])
def test_spikes_and_gradients_are_those_of_snntorch(scale: float) -> None:
    """From silence to a spike every few steps; sums in another order differ by rounding alone."""
    fused, stepped = run(fused_recurrent_layer, scale=scale), run(stepped_recurrent_layer, scale=scale)
    assert (scale < 0.2) == (fused[0].mean().item() < 0.02)
    torch.testing.assert_close(fused[0], stepped[0], rtol=0, atol=0)
    for mine, theirs in zip(fused[1:], stepped[1:], strict=True):
        # float32 over 60 steps: 1e-4 of the largest gradient is the bound that the layer promises.
        assert (mine - theirs).abs().max() <= 1e-4 * theirs.abs().max()


def test_gradient_below_threshold_is_known_in_closed_form() -> None:
    """Where no neuron fires, the gradient is the surrogate's slope times the derivative of the potential.

    The potential's derivative by a drive n steps earlier is (alpha^(n+1) - beta^(n+1)) / (alpha - beta).
    """
    alpha, beta, slope = CONSTANTS["alpha"], CONSTANTS["beta"], CONSTANTS["slope"]
    drive = torch.full((30, 1, 1), 0.01, requires_grad=True)
    weights = torch.zeros(1, 1)
    spikes = fused_recurrent_layer(drive, weights, **CONSTANTS)
    assert spikes.sum() == 0
    torch.autograd.backward(spikes[-1].sum())
    assert drive.grad is not None
    age = np.arange(30)[::-1]
    response = (alpha ** (age + 1.0) - beta ** (age + 1.0)) / (alpha - beta)
    potential = 0.01 * response.sum()
    expected = response / (slope * abs(potential - 1) + 1) ** 2
    np.testing.assert_allclose(drive.grad[:, 0, 0].numpy(), expected, rtol=1e-4)


def test_threads_do_not_change_a_bit() -> None:
    """One thread and all of them give the same spikes and gradients."""
    before = get_num_threads()
    try:
        results = []
        for threads in (1, before):
            set_num_threads(threads)
            with threadpool_limits(limits=1, user_api="blas"):
                results.append(run(fused_recurrent_layer))
    finally:
        set_num_threads(before)
    for one, many in zip(*results, strict=True):
        assert torch.equal(one, many)


@pytest.mark.parametrize(
    ("drive", "weights", "message"),
    [
        (torch.zeros(2, 3, 4, dtype=torch.float64), torch.zeros(4, 4), "drive: got torch.float64"),
        (torch.zeros(2, 3, 4), torch.zeros(4, 5), r"\(2, 3, 4\) and \(4, 5\)"),
        (torch.zeros(3, 4), torch.zeros(4, 4), r"\(3, 4\) and \(4, 4\)"),
    ],
)
def test_wrong_tensors_are_refused(drive: torch.Tensor, weights: torch.Tensor, message: str) -> None:
    """Nothing is rounded or read beyond its end without a word."""
    with pytest.raises(InputError, match=message):
        fused_recurrent_layer(drive, weights, **CONSTANTS)


def test_single_step_and_single_sample() -> None:
    """The smallest layer has a step without a past."""
    spikes, drive_gradient, weight_gradient = run(
        fused_recurrent_layer, steps=1, samples=1, neurons=3, scale=2.0
    )
    assert spikes.shape == (1, 1, 3)
    assert torch.isfinite(drive_gradient).all()
    assert (weight_gradient == 0).all()
