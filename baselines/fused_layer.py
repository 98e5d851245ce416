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
from hearspike.baselines.neurons import CONSTANTS, LeakyReadout, Neurons, Values, spread

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
    """Spikes, or membranes of neurons that do not spike; with a readout, its membranes and counts of spikes.

    A readout alone is a layer with slope 0 and no spikes.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401  # torch's context has no public type
        source: torch.Tensor | None,
        weight: torch.Tensor | None,
        recurrent: torch.Tensor | None,
        readout: torch.Tensor | None,
        readout_decays: torch.Tensor | None,
        kept: torch.Tensor | None,
        setting: _Setting,
        *constants: torch.Tensor,
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        from hearspike.baselines import fused_forward
        from hearspike.baselines.row_kernels import in_tiles

        events = setting.events
        neurons = len(constants[0])
        rows = _padded_constants(constants)
        samples, steps = _samples_and_steps(source, events)
        distance = np.empty((samples, steps, rows.shape[1]), np.float32)
        spikes = np.empty((samples if readout is None else 0, steps, neurons), np.float32)
        traces = np.empty((3, *distance.shape) if any(ctx.needs_input_grad[7:]) else (0, 0, 0, 0), np.float32)
        listed = 0 if source is None or weight is None else len(weight)
        fired = 0 if recurrent is None and readout is None else rows.shape[1]
        lists = (
            *_empty_list(samples, steps, listed, with_values=True),
            *_empty_list(samples, steps, fired, with_values=False),
        )
        potentials = np.empty(
            (0, 0, 0) if readout is None else (samples, steps, readout.shape[1]), np.float32
        )
        results = {
            "readout_currents": np.empty(
                potentials.shape if ctx.needs_input_grad[4] else (0, 0, 0), np.float32
            ),
            "potentials": potentials,
            "counts": np.empty((0 if readout is None else samples, neurons), np.float32),
        }
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
            _array(kept, 2),
            in_tiles(_array(readout, 2)),
            _array(readout_decays, 2),
            *results.values(),
        )
        with threads_for(distance.size):
            fused_forward.forward(*arguments)
        ctx.set_materialize_grads(False)
        ctx.neurons = neurons
        ctx.save_for_backward(weight, recurrent, readout, readout_decays, kept)
        ctx.rest = (events, setting, rows, distance, traces, lists, results["readout_currents"], potentials)
        if readout is not None:
            return torch.from_numpy(potentials), torch.from_numpy(results["counts"])
        return torch.from_numpy(spikes if setting.spiking else distance[..., :neurons])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401  # as above
        from hearspike.baselines import fused_backward
        from hearspike.baselines.row_kernels import TILE, in_tiles

        weight, recurrent, readout, readout_decays, kept = ctx.saved_tensors
        events, setting, rows, distance, traces, lists, readout_currents, potentials = ctx.rest
        samples, steps, width = distance.shape
        neurons, blocks = ctx.neurons, min(BLOCKS, samples)
        needs_source, needs_weight = ctx.needs_input_grad[:2]
        units = 0 if weight is None else len(weight)
        inputs = neurons if weight is None else units + -units % TILE
        classes = 0 if readout is None else readout.shape[1]
        tiles = width // TILE
        results = {
            "source": np.empty((samples, steps, inputs) if needs_source else (0, 0, 0), np.float32),
            "weight": np.empty((blocks, tiles, units if needs_weight else 0, TILE), np.float32),
            "recurrent": np.empty((blocks, tiles, 0 if recurrent is None else neurons, TILE), np.float32),
            "constants": np.empty((blocks, 5, width)),
            "readout": np.empty((blocks, -(-classes // TILE), neurons, TILE), np.float32),
            "decays": np.empty((blocks, 2, classes)),
        }
        by_traces = gradients[0]
        if by_traces is None:  # nothing but the counts had a part in the loss
            by_traces = torch.zeros(potentials.shape if classes else (samples, steps, neurons))
        arguments = (
            _array(None if classes else by_traces, 3),
            _array(by_traces if classes else None, 3),
            _array(gradients[1] if classes else None, 2),
            distance,
            traces,
            rows,
            setting.to_zero,
            setting.slope,
            in_tiles(_array(weight if needs_source else None, 2).T),
            in_tiles(_array(recurrent, 2).T),
            *_by_unit(events if needs_weight else None),
            *lists,
            _array(kept, 2),
            in_tiles(_array(readout, 2).T),
            _array(readout_decays, 2),
            readout_currents,
            potentials,
            *results.values(),
        )
        with threads_for(distance.size):
            fused_backward.backward(*arguments)
            by_weight = _total(results["weight"], neurons) if needs_weight else None
            by_recurrent = _total(results["recurrent"], neurons) if recurrent is not None else None
            by_readout = _total(results["readout"], classes) if classes else None
        by_decays = torch.from_numpy(results["decays"].sum(axis=0).astype(np.float32)) if classes else None
        return (
            torch.from_numpy(results["source"])[..., : units or neurons] if needs_source else None,
            by_weight,
            by_recurrent,
            by_readout,
            by_decays,
            None,
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
    from hearspike.baselines import fused_backward

    total = np.empty((blocks.shape[2], columns), np.float32)
    fused_backward.sum_blocks(blocks, total)
    return torch.from_numpy(total)


def _apply(
    source: EventBatch | torch.Tensor,
    weight: torch.Tensor | None,
    recurrent_weight: torch.Tensor | None,
    readout: tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None],
    constants: tuple[torch.Tensor, ...],
    setting: _Setting,
) -> Any:  # noqa: ANN401  # one tensor or two
    tensor = None if isinstance(source, EventBatch) else source.contiguous()
    return _FusedLayer.apply(  # type: ignore[no-untyped-call]  # torch leaves it untyped
        tensor, weight, recurrent_weight, *readout, setting, *constants
    )


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
    setting, constants = _hidden(source, weight, neurons)
    spikes = _apply(source, weight, recurrent_weight, (None, None, None), constants, setting)
    assert isinstance(spikes, torch.Tensor)
    return spikes


def fused_spiking_layer_with_readout(
    source: EventBatch | torch.Tensor,
    weight: torch.Tensor | None,
    neurons: Neurons,
    *,
    recurrent_weight: torch.Tensor | None = None,
    readout: LeakyReadout,
    kept: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return traces and counts; see `hearspike.baselines.spiking_layer.spiking_layer_with_readout`."""
    setting, constants = _hidden(source, weight, neurons)
    decays = torch.stack(readout.decays(torch.device("cpu")))
    output = (readout.weight, decays, kept)
    traces, counts = _apply(source, weight, recurrent_weight, output, constants, setting)
    return traces, counts


def _hidden(
    source: EventBatch | torch.Tensor, weight: torch.Tensor | None, neurons: Neurons
) -> tuple[_Setting, tuple[torch.Tensor, ...]]:
    events = source if isinstance(source, EventBatch) else None
    setting = _Setting(events, neurons.reset == "zero", neurons.surrogate_slope, spiking=True)
    return setting, neurons.constants(_count(source, weight), torch.device("cpu"))


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
    traces = _apply(source, weight, None, (None, None, None), constants, setting)
    assert isinstance(traces, torch.Tensor)
    return traces
