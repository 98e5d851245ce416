"""Networks larger than a chip: cut into runs one after the other, whose times and energies add up.

A layer is cut into groups of neurons that fit the chip. The spikes of one layer's groups are recorded and
played to the groups of the next, so every run sees whole inputs. A layer that feeds itself cannot be cut,
because its neurons need each other's spikes at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import nir
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hearspike.emulator.activity import Activity
from hearspike.emulator.emulation import DEFAULT_STEP, emulate
from hearspike.emulator.fixed_pattern import FixedPattern
from hearspike.emulator.network import Layer, read_layers
from hearspike.emulator.outcome import Emulation
from hearspike.emulator.placement import Placement, pairs_per_neuron, place
from hearspike.emulator.specification import BSS2, ChipSpecification
from hearspike.errors import InputError

SAMPLES_AT_ONCE = 32  # bounds the memory of spikes at the resolution of the step
SEED_STRIDE = 2**32  # between the noise seeds of runs: each has its own noise

Events = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The runs of a network.

    Parameters
    ----------
    layers
        The placements of each layer's groups, in order; the last layer is the readout.
    names
        Names of the layers.
    """

    layers: tuple[tuple[Placement, ...], ...]
    names: tuple[str, ...]

    @property
    def runs(self) -> int:
        """Number of runs."""
        return sum(map(len, self.layers))


def group_sizes(
    neurons: int, signed_inputs: int, *, recurrent: bool, specification: ChipSpecification = BSS2
) -> list[int]:
    """Return the sizes of the groups into which a spiking layer is cut.

    One circuit pair of each run holds a readout that nothing drives.

    Raises
    ------
    InputError
        If a recurrent layer, or a single neuron, is larger than a chip: shows the budget.
    """
    pairs = pairs_per_neuron(signed_inputs, specification)
    largest = (specification.pairs - 1) // pairs
    if largest < 1 or (recurrent and neurons > largest):
        kind = "recurrent layer" if recurrent else "neuron"
        count = neurons if recurrent else 1
        raise InputError(
            "network",
            f"a {kind} of {count} × {pairs} = {count * pairs} circuit pairs ({signed_inputs} signed inputs)",
            f"at most {specification.pairs - 1} circuit pairs, since it cannot be cut into several runs",
        )
    groups = -(-neurons // largest)
    return [len(part) for part in np.array_split(np.arange(neurons), groups)]


def count_runs(
    *,
    inputs: int,
    layers: Sequence[int],
    recurrent: bool,
    specification: ChipSpecification = BSS2,
) -> int:
    """Return into how many runs a network is cut; sizes as for `hearspike.emulator.check_budget`.

    Raises
    ------
    InputError
        If it cannot be cut.

    Examples
    --------
    >>> count_runs(inputs=700, layers=[400, 300, 20], recurrent=False)  # 5 groups of 80, then 3 of 100
    9
    """
    sources = [inputs, *layers[:-1]]
    runs = 1
    for size, before in zip(layers[:-1], sources, strict=False):
        fan_in = before + size * recurrent
        runs += len(group_sizes(size, fan_in, recurrent=recurrent, specification=specification))
    pairs = layers[-1] * pairs_per_neuron(sources[-1], specification)
    if pairs > specification.pairs:
        raise InputError(
            "network",
            f"a readout of {pairs} circuit pairs ({sources[-1]} signed inputs)",
            f"at most {specification.pairs} circuit pairs",
        )
    return runs


def cut(
    graph: nir.NIRGraph,
    specification: ChipSpecification = BSS2,
    *,
    time_scale: float,
    refractory_period: float | None = None,
    readout_unit: float = 1.0,
) -> Schedule:
    """Cut a network into runs and place each; parameters as for `hearspike.emulator.place`.

    Raises
    ------
    InputError
        As `place` does, and if a layer cannot be cut.
    """
    layers = read_layers(graph)
    settings: dict[str, Any] = {"time_scale": time_scale, "refractory_period": refractory_period}
    placements = []
    for layer in layers[:-1]:
        loop = layer.recurrent is not None
        fan_in = layer.weight.shape[1] + layer.size * loop
        sizes = group_sizes(layer.size, fan_in, recurrent=loop, specification=specification)
        ends = np.cumsum(sizes)
        parts = [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]
        placements.append(tuple(place(_group(layer, part), specification, **settings) for part in parts))
    last = place(_readout(layers[-1]), specification, readout_unit=readout_unit, **settings)
    return Schedule(layers=(*placements, (last,)), names=tuple(layer.name for layer in layers))


def _group(layer: Layer, part: slice) -> nir.NIRGraph:
    """Return some neurons of a spiking layer as a network, with a readout that nothing drives."""
    size = len(layer.weight[part])
    neurons = {
        "tau_mem": layer.tau_mem[part],
        "tau_syn": layer.tau_syn[part],
        "r": layer.resistance[part],
        "v_leak": layer.leak[part],
    }
    assert layer.threshold is not None
    assert layer.reset is not None
    nodes = {
        "input": nir.Input({"input": np.array([layer.weight.shape[1]])}),
        "synapses": nir.Affine(layer.weight[part], layer.bias[part]),
        layer.name: nir.CubaLIF(**neurons, v_threshold=layer.threshold[part], v_reset=layer.reset[part]),
        "nothing": nir.Linear(np.zeros((1, size))),
        "idle": nir.CubaLI(**{name: values[:1] for name, values in neurons.items()}),
        "output": nir.Output({"output": np.array([1])}),
    }
    edges = list(zip(nodes, list(nodes)[1:], strict=False))
    if layer.recurrent is not None:
        nodes["loop"] = nir.Linear(layer.recurrent)
        edges += [(layer.name, "loop"), ("loop", layer.name)]
    return nir.NIRGraph(nodes, edges)


def _readout(layer: Layer) -> nir.NIRGraph:
    nodes = {
        "input": nir.Input({"input": np.array([layer.weight.shape[1]])}),
        "synapses": nir.Affine(layer.weight, layer.bias),
        layer.name: nir.CubaLI(
            tau_mem=layer.tau_mem, tau_syn=layer.tau_syn, r=layer.resistance, v_leak=layer.leak
        ),
        "output": nir.Output({"output": np.array([layer.size])}),
    }
    return nir.NIRGraph(nodes, list(zip(nodes, list(nodes)[1:], strict=False)))


def emulate_runs(
    schedule: Schedule,
    chip: FixedPattern,
    times: ArrayLike,
    units: ArrayLike,
    offsets: ArrayLike,
    *,
    duration: float,
    noise_seed: int,
    step: float = DEFAULT_STEP,
    first_sample: int = 0,
) -> Emulation:
    """Run a schedule on one chip, which holds every group in turn; parameters as for `emulate`.

    Returns
    -------
    Emulation
        That of the readout, with the spikes of all layers and the times and activities of all runs added up.

    Raises
    ------
    InputError
        As `emulate` does, and if there is not exactly one chip.
    """
    if len(chip) != 1:
        raise InputError(
            "chip", f"{len(chip)} chips", "one chip: each has spikes of its own between its runs"
        )
    events: Events = (np.asarray(times, np.float64), np.asarray(units), np.asarray(offsets))
    samples, parts = max(len(events[2]) - 1, 1), []
    for start in range(0, samples, SAMPLES_AT_ONCE):
        stop = min(start + SAMPLES_AT_ONCE, samples)
        own = slice(events[2][start], events[2][stop])
        chunk: Events = (events[0][own], events[1][own], events[2][start : stop + 1] - events[2][start])
        parts.append(
            _emulate_chunk(
                schedule,
                chip,
                chunk,
                duration=duration,
                noise_seed=noise_seed,
                step=step,
                first_sample=first_sample + start,
            )
        )
    weights = [part.cadc.shape[1] / samples for part in parts]
    activity = parts[0].activity.scaled(weights[0])
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        activity += part.activity.scaled(weight)
    return replace(
        parts[0],
        cadc=np.concatenate([part.cadc for part in parts], axis=1),
        layer_spikes={
            name: np.concatenate([part.layer_spikes[name] for part in parts], axis=1)
            for name in parts[0].layer_spikes
        },
        lost_events=np.concatenate([part.lost_events for part in parts]),
        saturated=np.average([part.saturated for part in parts], axis=0, weights=weights),
        activity=activity,
    )


def _emulate_chunk(
    schedule: Schedule,
    chip: FixedPattern,
    events: Events,
    *,
    duration: float,
    noise_seed: int,
    step: float,
    first_sample: int,
) -> Emulation:
    run, before = 0, Activity(time=0, input_events=0, synaptic_events=0, spikes=0, conversions=0)
    layer_spikes: dict[str, NDArray[np.int64]] = {}
    lost = np.zeros(len(events[2]) - 1, np.int64)
    for name, groups in zip(schedule.names, schedule.layers, strict=True):
        trains, counts = [], np.zeros((1, len(lost)), np.int64)
        for group in groups:
            spiking = group.spiking > 0
            specification = replace(group.specification, cadc_period=step) if spiking else group.specification
            shown = emulate(
                replace(group, specification=specification),
                chip,
                *events,
                duration=duration,
                noise_seed=noise_seed + SEED_STRIDE * run,
                step=step,
                record="all" if spiking else "readout",
                first_sample=first_sample,
            )
            run, lost = run + 1, lost + shown.lost_events
            if not spiking:
                return replace(
                    shown,
                    layer_spikes=layer_spikes,
                    lost_events=lost,
                    time_before=before.time,
                    time_on_chip=before.time + shown.time_on_chip,
                    activity=before + shown.activity,
                )
            before += replace(shown.activity, conversions=0.0)
            assert shown.spikes is not None
            trains.append(shown.spikes[0])
            counts = counts + shown.layer_spikes[name]
        layer_spikes[name] = counts
        events = _as_events(np.concatenate(trains, axis=-1), shown.read_times)
    raise AssertionError("a schedule ends with a readout")


def _as_events(spikes: NDArray[np.uint8], read_times: NDArray[np.float64]) -> Events:
    """Return spikes [sample, time, neuron] as events at the steps after theirs, at which they arrive."""
    sample, time, neuron = np.nonzero(spikes)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(sample, minlength=len(spikes)))])
    return read_times[time], neuron.astype(np.int64), offsets
