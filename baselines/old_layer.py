r"""A recurrent layer of current-based neurons as one operation over all time steps.

The dynamics are those of snnTorch's ``Synaptic`` neuron with reset to zero, driven by
:math:`\mathrm{drive}_j[t]` and by the layer's own spikes:

.. math::
    I_j[t] &= \alpha I_j[t-1] + \mathrm{drive}_j[t] + \sum_k R_{jk} S_k[t-1] \\
    V_j[t] &= (\beta V_j[t-1] + I_j[t]) \, (1 - S_j[t-1]), \qquad S_j[t] = [V_j[t] > 1]

Backwards, :math:`\partial S / \partial V` is the SuperSpike surrogate :math:`(\lambda |V - 1| + 1)^{-2}`
(Zenke and Ganguli, Neural Computation 30:1514, 2018) and the reset passes no gradient. A step-by-step loop
spends most of its time on dense products with :math:`R`; here the forward pass adds the rows of neurons that
fired, and the backward pass keeps the one product that is dense, the gradient through :math:`R`.
"""

from typing import Any

import numpy as np
import torch

from hearspike.errors import InputError


class _FusedRecurrentLayer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401  # torch's context has no public type
        drive: torch.Tensor,
        recurrent: torch.Tensor,
        alpha: float,
        beta: float,
        slope: float,
    ) -> torch.Tensor:
        from hearspike.baselines import fused_kernels

        membrane = torch.empty(drive.shape)
        by_source = np.ascontiguousarray(recurrent.numpy().T)
        fused_kernels.forward(drive.numpy(), by_source, alpha, beta, membrane.numpy())
        ctx.save_for_backward(membrane, recurrent)
        ctx.constants = (alpha, beta, slope)
        return (membrane > 1).to(torch.float32)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401  # as above
        from hearspike.baselines import fused_kernels

        membrane, recurrent = ctx.saved_tensors
        alpha, beta, slope = ctx.constants
        slopes = (membrane - 1).abs_().mul_(slope).add_(1).square_().reciprocal_()
        free = torch.ones_like(membrane)
        free[1:] = membrane[:-1] <= 1
        drive_gradient, by_source = torch.empty(membrane.shape), torch.zeros(recurrent.shape)
        fused_kernels.backward(
            gradient.contiguous().numpy(),
            slopes.numpy(),
            free.numpy(),
            np.ascontiguousarray(recurrent.numpy()),
            alpha,
            beta,
            drive_gradient.numpy(),
            by_source.numpy(),
        )
        return drive_gradient, by_source.T, None, None, None


def stepped_recurrent_layer(
    drive: torch.Tensor, recurrent_weights: torch.Tensor, *, alpha: float, beta: float, slope: float
) -> torch.Tensor:
    """Return what `fused_recurrent_layer` returns, step by step with snnTorch's neurons, on any device."""
    import snntorch

    neurons = snntorch.Synaptic(
        alpha, beta, spike_grad=snntorch.surrogate.fast_sigmoid(slope=slope), reset_mechanism="zero"
    ).to(drive.device)
    spikes = current = membrane = torch.zeros_like(drive[0])
    record = []
    for step_drive in drive.unbind(0):
        total = step_drive + spikes @ recurrent_weights.T
        spikes, current, membrane = neurons(total, current, membrane)
        record.append(spikes)
    return torch.stack(record)


def fused_recurrent_layer(
    drive: torch.Tensor, recurrent_weights: torch.Tensor, *, alpha: float, beta: float, slope: float
) -> torch.Tensor:
    """Return the spikes of the layer, with gradients for both tensors.

    Parameters
    ----------
    drive
        Input current of every step [step, sample, neuron], float32 on the CPU.
    recurrent_weights
        Weights [target neuron, source neuron].
    alpha, beta
        Decay of current and membrane in one step.
    slope
        Steepness of the surrogate.

    Returns
    -------
    spikes
        0 or 1 [step, sample, neuron].

    Raises
    ------
    InputError
        If the tensors are not float32 on the CPU, or their shapes do not belong together.
    """
    for name, tensor in (("drive", drive), ("recurrent_weights", recurrent_weights)):
        if tensor.dtype != torch.float32 or tensor.device.type != "cpu":
            raise InputError(name, f"{tensor.dtype} on {tensor.device}", "float32 on the CPU")
    if drive.ndim != 3 or recurrent_weights.shape != (drive.shape[-1],) * 2:
        found = f"{tuple(drive.shape)} and {tuple(recurrent_weights.shape)}"
        raise InputError("drive, recurrent_weights", found, "[step, sample, neuron] and [neuron, neuron]")
    spikes = _FusedRecurrentLayer.apply(  # type: ignore[no-untyped-call]  # torch leaves it untyped
        drive.contiguous(), recurrent_weights, alpha, beta, slope
    )
    assert isinstance(spikes, torch.Tensor)
    return spikes
