"""Spiking layers as a plain torch loop over steps: any device, any gradient, the truth for the fused ones.

`hearspike.baselines.neurons` has the equations.
"""

from typing import Any

import torch

from hearspike.baselines.event_batch import EventBatch
from hearspike.baselines.neurons import LeakyReadout, Neurons, Values


class _SuperSpike(torch.autograd.Function):
    """1 where the argument is above 0, 0 where it is not, NaN where it is none of both."""

    @staticmethod
    def forward(ctx: Any, distance: torch.Tensor, slope: float) -> torch.Tensor:  # noqa: ANN401  # untyped in torch
        ctx.save_for_backward(distance)
        ctx.slope = slope
        return torch.where(distance.isnan(), distance, (distance > 0).to(distance.dtype))

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:  # noqa: ANN401  # untyped in torch
        (distance,) = ctx.saved_tensors
        return gradient / (ctx.slope * distance.abs() + 1) ** 2, None


def torch_currents(source: EventBatch | torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    """Return what the input adds to the currents in every step [sample, step, neuron]."""
    dense = (
        source.dense(weight.device if weight is not None else "cpu")
        if isinstance(source, EventBatch)
        else source
    )
    return dense if weight is None else dense.to(weight.dtype) @ weight


def torch_spiking_layer(
    source: EventBatch | torch.Tensor,
    weight: torch.Tensor | None,
    neurons: Neurons,
    *,
    recurrent_weight: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the spikes of a layer; see `hearspike.baselines.spiking_layer.spiking_layer`."""
    # unbind, not [:, t]: the gradient of each such selection would be an array over all steps
    drive = torch_currents(source, weight).unbind(1)
    alpha, beta, theta, rho, kappa = neurons.constants(drive[0].shape[1], drive[0].device)
    spikes = current = membrane = adaptation = torch.zeros_like(drive[0])
    record = []
    for step_drive in drive:
        fired = spikes.detach()
        current = alpha * current + step_drive
        if recurrent_weight is not None:
            current = current + spikes @ recurrent_weight
        free = beta * membrane + current
        membrane = free - theta * fired if neurons.reset == "subtract" else free * (1 - fired)
        distance = membrane - theta
        if neurons.adaptive:
            adaptation = rho * adaptation + spikes
            distance = distance - kappa * adaptation
        spikes = _SuperSpike.apply(distance, neurons.surrogate_slope)  # type: ignore[no-untyped-call]  # untyped
        record.append(spikes)
    return torch.stack(record, 1)


def torch_spiking_layer_with_readout(
    source: EventBatch | torch.Tensor,
    weight: torch.Tensor | None,
    neurons: Neurons,
    *,
    recurrent_weight: torch.Tensor | None = None,
    readout: LeakyReadout,
    kept: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return traces and counts; see `hearspike.baselines.spiking_layer.spiking_layer_with_readout`."""
    spikes = torch_spiking_layer(source, weight, neurons, recurrent_weight=recurrent_weight)
    decay_syn, decay_mem = readout.decays(spikes.device)
    seen = spikes if kept is None else spikes * kept.unsqueeze(1)
    traces = torch_leaky_readout(seen, readout.weight, decay_syn=decay_syn, decay_mem=decay_mem)
    return traces, spikes.sum(dim=1)


def torch_leaky_readout(
    source: EventBatch | torch.Tensor, weight: torch.Tensor | None, *, decay_syn: Values, decay_mem: Values
) -> torch.Tensor:
    """Return the membranes of a readout; see `hearspike.baselines.spiking_layer.leaky_readout`."""
    current = membrane = torch.zeros(())
    record = []
    for step_drive in torch_currents(source, weight).unbind(1):
        current = decay_syn * current + step_drive
        membrane = decay_mem * membrane + current
        record.append(membrane)
    return torch.stack(record, 1)
