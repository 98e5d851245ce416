"""Delays shift whole spikes by whole steps, share them between steps, and say which way to go."""

import numpy as np
import torch

from hearspike.baselines.axonal_delays import delay


def spikes(seed: int = 0) -> torch.Tensor:
    return (torch.rand(2, 12, 5, generator=torch.Generator().manual_seed(seed)) < 0.4).float()


def test_whole_delays_shift() -> None:
    """Axon a, unit u: the input of u, moved by its number of steps; what is too late is lost."""
    source = spikes()
    delays = torch.tensor([[0.0, 1.0, 2.0, 11.0, 12.0], [3.0, 0.0, 30.0, 5.0, 1.0]])
    delayed = delay(source, delays).reshape(2, 12, 2, 5).numpy()
    for axon, unit in np.ndindex(2, 5):
        steps = int(delays[axon, unit])
        expected = np.zeros((2, 12))
        if steps < 12:
            expected[:, steps:] = source[:, : 12 - steps, unit].numpy()
        np.testing.assert_array_equal(delayed[:, :, axon, unit], expected)


def test_a_spike_is_shared_between_two_steps() -> None:
    """A delay of 2.25 brings three quarters after 2 steps and one quarter after 3: nothing is lost."""
    source = torch.zeros(1, 6, 1)
    source[0, 1, 0] = 1.0
    delayed = delay(source, torch.tensor([[2.25]]))[0, :, 0]
    torch.testing.assert_close(delayed, torch.tensor([0.0, 0.0, 0.0, 0.75, 0.25, 0.0]))


def test_gradients_are_those_of_finite_differences() -> None:
    """Between whole delays the output is linear in the delay, so that differences are exact."""
    source = spikes().double().requires_grad_()
    delays = (
        torch.rand(3, 5, generator=torch.Generator().manual_seed(1)).double() * 8 + 0.01
    ).requires_grad_()
    assert torch.autograd.gradcheck(delay, (source, delays), eps=1e-6)


def test_a_delay_is_learnt() -> None:
    """From a delay of 1 step the gradient finds the 3.4 steps that were asked for."""
    source = torch.rand(8, 40, 1, generator=torch.Generator().manual_seed(2)).cumsum(1).sin()
    target = delay(source, torch.tensor([[3.4]]))
    delays = torch.full((1, 1), 1.0, requires_grad=True)
    optimiser = torch.optim.Adam([delays], lr=0.05)
    for _ in range(200):
        optimiser.zero_grad()
        loss = (delay(source, delays) - target).square().mean()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
    assert abs(float(delays.detach()) - 3.4) < 0.01
