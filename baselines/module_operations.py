"""Counting the operations of torch modules that do not spike, from the activity of a few samples."""

from typing import Any

import torch

from hearspike.baselines.interface import Operations

COUNTED = (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d)


@torch.no_grad()
def count_module_operations(module: torch.nn.Module, inputs: torch.Tensor) -> Operations:
    r"""Count the products of weights and activations per sample.

    A convolution or a linear layer takes an effective MAC for each pair of a weight and an input that are
    both not 0, as NeuroBench counts them; zeros that pad the input do not count as dense either.
    Biases are no synapses. An LSTM layer of :math:`h` units takes :math:`4h` products for each input, and in
    every step but the first, before which its state is 0, for each unit.

    Parameters
    ----------
    module
        In evaluation mode.
    inputs
        [sample, …] What enters it.
    """
    effective, dense = 0.0, 0.0

    def count(layer: torch.nn.Module, given: tuple[torch.Tensor, ...], output: Any) -> None:  # noqa: ANN401  # a tensor or a tuple
        nonlocal effective, dense
        if isinstance(layer, torch.nn.LSTM):
            own, full = _lstm_products(layer, given[0])
        elif isinstance(layer, COUNTED):
            weights = layer.get_parameter("weight")
            own = _products(layer, given[0] != 0, weights != 0)
            full = _products(layer, torch.ones_like(given[0]), torch.ones_like(weights))
        else:
            return
        effective, dense = effective + own, dense + full

    hooks = [layer.register_forward_hook(count) for layer in module.modules()]
    try:
        module(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return Operations(effective / len(inputs), 0.0, dense=dense / len(inputs))


def _products(layer: torch.nn.Module, inputs: torch.Tensor, weights: torch.Tensor) -> float:
    """Apply the layer without bias to inputs and weights that are 0 or 1, and add everything up."""
    active, connected = inputs.float(), weights.float()
    if isinstance(layer, torch.nn.Linear):
        return float(active.flatten(0, -2).sum(0).double() @ connected.sum(0).double())
    assert isinstance(layer, torch.nn.Conv1d | torch.nn.Conv2d)
    return float(layer._conv_forward(active, connected, None).sum(dtype=torch.float64))


def _lstm_products(layer: torch.nn.LSTM, inputs: torch.Tensor) -> tuple[float, float]:
    """Return effective and dense products; ``inputs`` is [sample, time, input]."""
    samples, steps, _ = inputs.shape
    effective, dense = 0.0, 0.0
    for name, weights in layer.named_parameters():
        if not name.startswith("weight"):
            continue
        full = float(samples * steps * weights.numel())
        dense += full
        if name.startswith("weight_hh"):
            effective += full * (steps - 1) / steps
        elif name.startswith("weight_ih_l0"):
            effective += float(torch.count_nonzero(inputs)) * len(weights)
        else:
            effective += full
    return effective, dense
