"""Layers of spiking neurons and leaky readouts over all time steps: what spiking models are built from.

`hearspike.baselines.neurons` has the equations. A layer runs ``fused``, compiled and driven by events, on
the CPU, or as a plain ``torch`` loop over steps on any device; both give the same spikes and gradients.
Weights are [source, target], so that the row that a spike adds lies in one piece.
"""

from typing import Literal, get_args

import torch

from hearspike.baselines.event_batch import EventBatch
from hearspike.baselines.fused_layer import (
    fused_leaky_readout,
    fused_spiking_layer,
    fused_spiking_layer_with_readout,
)
from hearspike.baselines.neurons import LeakyReadout, Neurons, Values, check_decay
from hearspike.baselines.torch_layer import (
    torch_leaky_readout,
    torch_spiking_layer,
    torch_spiking_layer_with_readout,
)
from hearspike.errors import InputError

Implementation = Literal["fused", "torch"]
"""Ways to compute a layer, which agree."""


def spiking_layer(
    source: EventBatch | torch.Tensor,
    weight: torch.Tensor | None,
    neurons: Neurons,
    *,
    recurrent_weight: torch.Tensor | None = None,
    implementation: Implementation = "fused",
) -> torch.Tensor:
    """Return the spikes of a layer, with gradients for every tensor that asks for one.

    Parameters
    ----------
    source
        Input of the layer: events, or an array [sample, step, unit], such as the spikes of the layer below.
    weight
        [unit, neuron]; None if ``source`` already is what flows into each neuron [sample, step, neuron].
    neurons
        Their constants; tensors among them get gradients as well.
    recurrent_weight
        [source neuron, target neuron]; None for a feed-forward layer.
    implementation
        ``fused`` or ``torch``.

    Returns
    -------
    spikes
        [sample, step, neuron] 0 or 1, and NaN from where on a membrane is not a number.

    Raises
    ------
    InputError
        If shapes do not belong together, or ``fused`` gets tensors that are not float32 on the CPU.
    """
    _check(source, weight, recurrent_weight, implementation)
    layer = fused_spiking_layer if implementation == "fused" else torch_spiking_layer
    return layer(source, weight, neurons, recurrent_weight=recurrent_weight)


def spiking_layer_with_readout(
    source: EventBatch | torch.Tensor,
    weight: torch.Tensor | None,
    neurons: Neurons,
    *,
    recurrent_weight: torch.Tensor | None = None,
    readout: LeakyReadout,
    kept: torch.Tensor | None = None,
    implementation: Implementation = "fused",
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what a readout shows of a layer: fused, the spikes need not be written down.

    Further parameters are those of `spiking_layer`.

    Parameters
    ----------
    readout
        Weights and decays of the readout, which sees the spikes in the step in which they are fired.
    kept
        [sample, neuron] factors on the spikes that the readout sees, without gradient, as dropout needs
        them; None for 1.

    Returns
    -------
    traces
        Membranes of the readout [sample, step, readout neuron]; NaN for a sample in which a membrane of the
        layer is not a number.
    counts
        Spikes [sample, neuron].

    Raises
    ------
    InputError
        As `spiking_layer`.
    """
    count = _check(source, weight, recurrent_weight, implementation)
    if readout.weight.ndim != 2 or len(readout.weight) != count:
        raise InputError("readout.weight", tuple(readout.weight.shape), f"[{count} neurons, readout neuron]")
    if kept is not None and kept.shape != (len(source), count):
        raise InputError("kept", tuple(kept.shape), f"[{len(source)} samples, {count} neurons]")
    if implementation == "fused":
        _check_kind({"readout.weight": readout.weight, "kept": kept})
    layer = (
        fused_spiking_layer_with_readout if implementation == "fused" else torch_spiking_layer_with_readout
    )
    return layer(source, weight, neurons, recurrent_weight=recurrent_weight, readout=readout, kept=kept)


def leaky_readout(
    source: EventBatch | torch.Tensor,
    weight: torch.Tensor | None,
    *,
    decay_syn: Values,
    decay_mem: Values,
    implementation: Implementation = "fused",
) -> torch.Tensor:
    """Return the membranes [sample, step, neuron] of neurons without threshold, which never spike.

    Parameters and errors are those of `spiking_layer`.
    """
    _check(source, weight, None, implementation)
    check_decay("decay_syn", decay_syn)
    check_decay("decay_mem", decay_mem)
    readout = fused_leaky_readout if implementation == "fused" else torch_leaky_readout
    return readout(source, weight, decay_syn=decay_syn, decay_mem=decay_mem)


def _check(
    source: EventBatch | torch.Tensor,
    weight: torch.Tensor | None,
    recurrent_weight: torch.Tensor | None,
    implementation: str,
) -> int:
    """Refuse what does not belong together, and return the number of neurons."""
    if implementation not in get_args(Implementation):
        raise InputError("implementation", implementation, f"one of {', '.join(get_args(Implementation))}")
    if isinstance(source, EventBatch):
        if weight is None:
            raise InputError("weight", None, "weights [unit, neuron] for a source of events")
        units = source.channels
    else:
        if source.ndim != 3 or 0 in source.shape:
            raise InputError("source", tuple(source.shape), "[sample, step, unit]")
        units = source.shape[2]
    if weight is not None and (weight.ndim != 2 or len(weight) != units):
        raise InputError("weight", tuple(weight.shape), f"[{units} units, neuron]")
    neurons = units if weight is None else weight.shape[1]
    if recurrent_weight is not None and recurrent_weight.shape != (neurons, neurons):
        raise InputError("recurrent_weight", tuple(recurrent_weight.shape), f"[{neurons}, {neurons}]")
    if implementation == "fused":
        _check_kind({"source": source, "weight": weight, "recurrent_weight": recurrent_weight})
    return neurons


def _check_kind(tensors: dict[str, EventBatch | torch.Tensor | None]) -> None:
    for name, tensor in tensors.items():
        if isinstance(tensor, torch.Tensor) and (tensor.dtype, tensor.device.type) != (torch.float32, "cpu"):
            raise InputError(name, f"{tensor.dtype} on {tensor.device}", "float32 on the CPU")
