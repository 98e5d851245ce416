r"""A layer of current-based neurons driven by events, whose activity may come from somewhere else.

Spikes :math:`S^{in}` of a sample's events enter in the step in which they lie:

.. math::
    I_j[t] &= \alpha_j I_j[t-1] + \sum_i W_{ji} S^{in}_i[t] + \sum_k R_{jk} S_k[t-1] \\
    V_j[t] &= (\beta_j V_j[t-1] + I_j[t]) \, (1 - S_j[t-1]), \qquad S_j[t] = [V_j[t] > \theta_j]

Backwards, :math:`\partial S / \partial V = (\lambda |V - \theta| + 1)^{-2}` (SuperSpike; Zenke and Ganguli,
Neural Computation 30:1514, 2018), but 1 where a neuron fired: it was at its threshold then, wherever its
membrane is at the end of the step. The reset passes no gradient.

In the loop (Cramer et al., PNAS 119:e2109194119, 2022) spikes and membranes are those that a chip showed: a
value :math:`x` of the model is replaced by the measured :math:`\tilde x` through :math:`f(x, \tilde x)` with
:math:`f = \tilde x` and :math:`\partial f / \partial x = 1`. The gradient needs of the forward pass nothing
but :math:`V` and :math:`S`, so the model itself need not run.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hearspike.datasets import SpikeEvents


@dataclass(frozen=True)
class LayerDynamics:
    """Constants of the neurons.

    Parameters
    ----------
    steps
        Number of time steps.
    window
        Seconds of all steps together.
    alpha, beta
        Decay of current and membrane in a step [neuron].
    threshold
        Thresholds [sample or 1, neuron].
    slope
        Steepness of the surrogate.
    """

    steps: int
    window: float
    alpha: torch.Tensor
    beta: torch.Tensor
    threshold: torch.Tensor
    slope: float


@dataclass(frozen=True)
class Recorded:
    """What a chip showed of a layer.

    Parameters
    ----------
    spikes
        Spikes in a step [step, sample, neuron].
    membrane
        Potential at its end [step, sample, neuron].
    """

    spikes: torch.Tensor
    membrane: torch.Tensor


class _EventLayer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401  # torch's context has no public type
        weights: torch.Tensor,
        recurrent: torch.Tensor,
        events: SpikeEvents,
        dynamics: LayerDynamics,
        recorded: Recorded | None,
    ) -> torch.Tensor:
        if recorded is None:
            recorded = _simulate(weights, recurrent, events, dynamics)
        ctx.save_for_backward(recorded.membrane, recorded.spikes, recurrent)
        ctx.shapes = (weights.shape, events, dynamics)
        return recorded.spikes

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401  # as above
        from hearspike.baselines import event_layer_kernels

        membrane, spikes, recurrent = ctx.saved_tensors
        shape, events, dynamics = ctx.shapes
        by_source = torch.zeros(shape[1], shape[0])
        recurrent_by_source = torch.zeros(recurrent.shape)
        event_layer_kernels.backward(
            gradient.contiguous().numpy(),
            membrane.numpy(),
            spikes.numpy(),
            dynamics.threshold.expand(membrane.shape[1:]).contiguous().numpy(),
            dynamics.slope,
            events.times,
            events.units,
            events.offsets,
            dynamics.steps / dynamics.window,
            recurrent.contiguous().numpy(),
            dynamics.alpha.numpy(),
            dynamics.beta.numpy(),
            by_source.numpy(),
            recurrent_by_source.numpy(),
        )
        return by_source.T, recurrent_by_source.T, None, None, None


def _simulate(
    weights: torch.Tensor, recurrent: torch.Tensor, events: SpikeEvents, dynamics: LayerDynamics
) -> Recorded:
    from hearspike.baselines import event_layer_kernels

    shape = (dynamics.steps, len(events), len(weights))
    membrane, spikes = torch.empty(shape), torch.empty(shape)
    event_layer_kernels.forward(
        events.times,
        events.units,
        events.offsets,
        dynamics.steps / dynamics.window,
        np.ascontiguousarray(weights.numpy().T),
        np.ascontiguousarray(recurrent.numpy().T),
        dynamics.alpha.numpy(),
        dynamics.beta.numpy(),
        dynamics.threshold.expand(shape[1:]).contiguous().numpy(),
        membrane.numpy(),
        spikes.numpy(),
    )
    return Recorded(spikes, membrane)


def event_layer(
    weights: torch.Tensor,
    recurrent: torch.Tensor | None,
    events: SpikeEvents,
    dynamics: LayerDynamics,
    recorded: Recorded | None = None,
) -> torch.Tensor:
    """Return the spikes of the layer, with gradients for its weights.

    Parameters
    ----------
    weights
        Weights [neuron, input], float32 on the CPU.
    recurrent
        Weights [neuron, source neuron], or None.
    events
        Spikes of the inputs; those after the window are not seen.
    dynamics
        Constants of the neurons.
    recorded
        What a chip showed of the layer for these events, in place of what the model would do.

    Returns
    -------
    spikes
        [step, sample, neuron]
    """
    square = weights.new_zeros(0, 0) if recurrent is None else recurrent
    spikes = _EventLayer.apply(weights, square, events, dynamics, recorded)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert isinstance(spikes, torch.Tensor)
    return spikes
