"""Spiking layers and readouts as one operation over all time steps, driven by events, on the CPU.

`hearspike.baselines.neurons` has the equations, `hearspike.baselines.spiking_layer` the public functions. A
loop over steps spends its time on dense products with mostly silent inputs and on the start of many small
operations; here the forward pass adds the rows of units that fired, and the only dense products left are the
gradients that go back through weights to spikes, since the surrogate is nowhere 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.baselines.event_batch import GROUP, EventBatch
from hearspike.baselines.kernel_threads import threads_for
from hearspike.baselines.neurons import CONSTANTS, Neurons, Values, spread

BLOCKS = 16
"""Blocks, at most, in which samples are shared out to threads; gradients are added up within each."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class _Setting:
    """What is no tensor: the input as events if it came as events, and how neurons spike."""

    events: EventBatch | None
    to_zero: bool
    slope: float
    spiking: bool


class _FusedLayer(torch.autograd.Function):
    """Spikes, or membranes of neurons that do not spike; a readout is a layer with slope 0 and no spikes."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401  # torch's context has no public type
        source: torch.Tensor | None,
        weight: torch.Tensor | None,
        recurrent: torch.Tensor | None,
        setting: _Setting,
        *constants: torch.Tensor,
    ) -> torch.Tensor:
        from hearspike.baselines import fused_kernels
        from hearspike.baselines.row_kernels import in_tiles

        events = setting.events
        neurons = len(constants[0])
        rows = _padded_constants(constants)
        samples, steps = _samples_and_steps(source, events)
        distance = np.empty((samples, steps, rows.shape[1]), np.float32)
        spikes = np.empty((samples, steps, neurons), np.float32)
        traces = np.empty((3, *distance.shape) if any(ctx.needs_input_grad[4:]) else (0, 0, 0, 0), np.float32)
        listed = 0 if source is None or weight is None else len(weight)
        lists = (
            *_empty_list(samples, steps, listed, with_values=True),
            *_empty_list(samples, steps, 0 if recurrent is None else rows.shape[1], with_values=False),
        )
        arguments: tuple[Any, ...] = (
            *_by_step(events),
            GROUP,
            _array(source, 3),
            in_tiles(_array(weight, 2)),
            in_tiles(_array(recurrent, 2)),
            rows,
            setting.to_zero,
            0.0 if setting.spiking else np.inf,
            distance,
            spikes,
            traces,
            *lists,
        )
        with threads_for(distance.size):
            fused_kernels.forward(*arguments)
        ctx.save_for_backward(weight, recurrent)
        ctx.rest = (events, setting, rows, distance, traces, lists)
        return torch.from_numpy(spikes if setting.spiking else distance[..., :neurons])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401  # as above
        from hearspike.baselines import fused_kernels
        from hearspike.baselines.row_kernels import TILE, in_tiles

        weight, recurrent = ctx.saved_tensors
        events, setting, rows, distance, traces, lists = ctx.rest
        samples, steps, neurons = gradient.shape
        blocks, width = min(BLOCKS, samples), distance.shape[2]
        needs_source, needs_weight = ctx.needs_input_grad[:2]
        units = 0 if weight is None else len(weight)
        inputs = neurons if weight is None else units + -units % TILE
        results = {
            "source": np.empty((samples, steps, inputs) if needs_source else (0, 0, 0), np.float32),
            "weight": np.empty((blocks, width // TILE, units if needs_weight else 0, TILE), np.float32),
            "recurrent": np.empty(
                (blocks, width // TILE, 0 if recurrent is None else neurons, TILE), np.float32
            ),
            "constants": np.empty((blocks, 5, width)),
        }
        arguments = (
            gradient.contiguous().numpy(),
            distance,
            traces,
            rows,
            setting.to_zero,
            setting.slope,
            in_tiles(_array(weight if needs_source else None, 2).T),
            in_tiles(_array(recurrent, 2).T),
            *_by_unit(events if needs_weight else None),
            *lists,
            *results.values(),
        )
        with threads_for(distance.size):
            fused_kernels.backward(*arguments)
            by_weight = _total(results["weight"], neurons) if needs_weight else None
            by_recurrent = _total(results["recurrent"], neurons) if recurrent is not None else None
        return (
            torch.from_numpy(results["source"])[..., : units or neurons] if needs_source else None,
            by_weight,
            by_recurrent,
            None,
            *torch.from_numpy(results["constants"][..., :neurons].sum(axis=0).astype(np.float32)),
        )


def _samples_and_steps(source: torch.Tensor | None, events: EventBatch | None) -> tuple[int, int]:
    if events is not None:
        return len(events), events.steps
    assert source is not None
    return source.shape[0], source.shape[1]


def _padded_constants(constants: tuple[torch.Tensor, ...]) -> Floats:
    """Return [5, width]; neurons that only fill a tile never reach their threshold of 1."""
    from hearspike.baselines.row_kernels import padded

    rows = padded(torch.stack(constants).numpy())
    rows[CONSTANTS.index("threshold"), len(constants[0]) :] = 1
    return rows


def _array(tensor: torch.Tensor | None, dimensions: int) -> Floats:
    if tensor is None:
        return np.empty((0,) * dimensions, np.float32)
    array: Floats = tensor.contiguous().numpy()
    return array


def _by_step(events: EventBatch | None) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats]:
    if events is None:
        return np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.float32)
    return events.offsets, events.units, events.values


def _by_unit(events: EventBatch | None) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats]:
    return _by_step(None) if events is None else events.by_unit


def _empty_list(samples: int, steps: int, units: int, *, with_values: bool) -> tuple[NDArray[Any], ...]:
    """Return room for the units that are active in each step, and where the steps end.

    There is room for all; memory that no entry is written to is never taken up.
    """
    entries = np.empty((samples if units else 0, steps * units), np.int32)
    values = (np.empty(entries.shape, np.float32),) if with_values else ()
    return entries, *values, np.zeros((len(entries), steps + 1), np.int64)


def _total(blocks: Floats, columns: int) -> torch.Tensor:
    from hearspike.baselines import fused_kernels

    total = np.empty((blocks.shape[2], columns), np.float32)
    fused_kernels.sum_blocks(blocks, total)
    return torch.from_numpy(total)


def _apply(
    source: EventBatch | torch.Tensor,
    weight: torch.Tensor | None,
    recurrent_weight: torch.Tensor | None,
    constants: tuple[torch.Tensor, ...],
    setting: "_Setting",
) -> torch.Tensor:
    tensor = None if isinstance(source, EventBatch) else source.contiguous()
    result = _FusedLayer.apply(  # type: ignore[no-untyped-call]  # torch leaves it untyped
        tensor, weight, recurrent_weight, setting, *constants
    )
    assert isinstance(result, torch.Tensor)
    return result


def _count(source: EventBatch | torch.Tensor, weight: torch.Tensor | None) -> int:
    if weight is not None:
        return weight.shape[1]
    assert isinstance(source, torch.Tensor)
    return source.shape[2]


def fused_spiking_layer(
    source: EventBatch | torch.Tensor,
    weight: torch.Tensor | None,
    neurons: Neurons,
    *,
    recurrent_weight: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the spikes of a layer; see `hearspike.baselines.spiking_layer.spiking_layer`."""
    events = source if isinstance(source, EventBatch) else None
    setting = _Setting(events, neurons.reset == "zero", neurons.surrogate_slope, spiking=True)
    constants = neurons.constants(_count(source, weight), torch.device("cpu"))
    return _apply(source, weight, recurrent_weight, constants, setting)


def fused_leaky_readout(
    source: EventBatch | torch.Tensor, weight: torch.Tensor | None, *, decay_syn: Values, decay_mem: Values
) -> torch.Tensor:
    """Return the membranes of a readout; see `hearspike.baselines.spiking_layer.leaky_readout`."""
    events = source if isinstance(source, EventBatch) else None
    # With threshold 0 the distance is the membrane, and with slope 0 the surrogate is 1.
    setting = _Setting(events, to_zero=False, slope=0.0, spiking=False)
    values = (decay_syn, decay_mem, 0.0, 0.0, 0.0)
    count = _count(source, weight)
    constants = tuple(
        spread(name, value, count, torch.device("cpu")) for name, value in zip(CONSTANTS, values, strict=True)
    )
    return _apply(source, weight, None, constants, setting)
