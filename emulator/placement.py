"""Place a network on the chip: rows, labels, circuits, 6-bit weights, potentials and times of the chip."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import nir
import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.network import Layer, read_layers
from hearspike.emulator.specification import BSS2, ChipSpecification
from hearspike.errors import InputError

Array = NDArray[np.float64]


def check_budget(
    *,
    inputs: int,
    layers: Sequence[int],
    recurrent: Sequence[bool] | bool,
    specification: ChipSpecification = BSS2,
) -> None:
    """Refuse a network that one chip cannot hold; costs nothing, so that it can be asked before training.

    Two budgets count. *Neurons*: all layers together must fit the logical neurons. *Signed inputs*: each
    layer's own sources (the layer before, and the layer itself if it is recurrent) must fit the row pairs.
    Layers share the rows, because a synapse hears only the sources whose label it holds: 256-246-10 fits
    (Cramer et al. 2022), and so does 70-186 recurrent-20, which fills the array.

    Parameters
    ----------
    inputs
        External inputs.
    layers
        Sizes of the spiking layers in order, then of the readout.
    recurrent
        Whether each spiking layer feeds itself; one value for all, or one per spiking layer.
    specification
        The chip.

    Raises
    ------
    InputError
        With the budget asked for and the one there is.

    Examples
    --------
    >>> check_budget(inputs=70, layers=[186, 20], recurrent=True)
    >>> check_budget(inputs=70, layers=[190, 20], recurrent=False)
    >>> check_budget(inputs=70, layers=[256, 20], recurrent=False)
    Traceback (most recent call last):
    hearspike.errors.InputError: network: got 256 + 20 = 276 neurons, expected at most 256 neurons (one chip)
    """
    hidden = list(layers[:-1])
    feedback = [recurrent] * len(hidden) if isinstance(recurrent, bool) else list(recurrent)
    if len(feedback) != len(hidden):
        raise InputError("recurrent", f"{len(feedback)} values", f"{len(hidden)}, one per spiking layer")
    sources = [("inputs", inputs), *(("neurons of the layer before", size) for size in hidden)]
    for (kind, before), size, loop in zip(sources, layers, [*feedback, False], strict=True):
        needed = before + size * loop
        if needed > specification.signed_inputs:
            terms = f"{before} {kind} + {size} recurrent = {needed} rows" if loop else f"{before} {kind}"
            raise InputError(
                "network", terms, f"at most {specification.signed_inputs} signed inputs (one chip)"
            )
    neurons = sum(layers)
    if neurons > specification.neurons:
        raise InputError(
            "network",
            f"{' + '.join(map(str, layers))} = {neurons} neurons",
            f"at most {specification.neurons} neurons (one chip)",
        )
    if len(layers) > specification.labels_per_row:
        raise InputError("network", f"{len(layers)} layers", f"at most {specification.labels_per_row} labels")


@dataclass(frozen=True, kw_only=True)
class PlacedLayer:
    """One layer on the chip; potentials count from the leak in units of the distance from leak to threshold.

    Parameters
    ----------
    name
        Name of the layer.
    neurons
        Its place among the logical neurons of the chip.
    sources
        Its sources among all sources of the chip (external inputs, then spiking neurons), in the order of
        its row pairs [row pair].
    weights
        Signed weight codes [row pair, neuron].
    scale
        Weight codes per unit of w_in r / tau_syn, the jump of the synaptic drive, in units of potential.
    clipped_share
        Share of its weights that were beyond the largest code.
    tau_mem, tau_syn
        Time constants [neuron, s of chip time].
    leak
        Resting potential: 0, or the potential that a bias holds [neuron].
    reset
        Reset potential [neuron]; None for a readout.
    """

    name: str
    neurons: slice
    sources: NDArray[np.int64]
    weights: NDArray[np.int8]
    scale: float
    clipped_share: float
    tau_mem: Array
    tau_syn: Array
    leak: Array
    reset: Array | None


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A network on the chip.

    Parameters
    ----------
    specification
        The chip.
    time_scale
        Network time over chip time.
    inputs
        Number of external inputs.
    layers
        The spiking layers in order, then the readout.
    circuits
        The circuits joined to each logical neuron [neuron, circuit]; the first one holds threshold
        comparator, bias codes and converter channel.
    refractory_period
        Time that a neuron is held at its reset potential after a spike [s of chip time].
    readout_unit
        Potential of the network's readout above its leak that is as far as leak to threshold on the chip.
    """

    specification: ChipSpecification
    time_scale: float
    inputs: int
    layers: tuple[PlacedLayer, ...]
    circuits: NDArray[np.int64]
    refractory_period: float
    readout_unit: float

    @property
    def neurons(self) -> int:
        """Logical neurons in use."""
        return int(self.layers[-1].neurons.stop)

    @property
    def spiking(self) -> int:
        """Spiking neurons; they come before the readouts."""
        return int(self.layers[-1].neurons.start)

    def with_readout_unit(self, readout_unit: float) -> "Placement":
        """Return the placement with another gain of the readout; codes of weights stay as they are."""
        ratio = readout_unit / self.readout_unit
        readout = self.layers[-1]
        changed = replace(readout, scale=readout.scale * ratio, leak=readout.leak / ratio)
        return replace(self, layers=(*self.layers[:-1], changed), readout_unit=readout_unit)


def place(
    graph: nir.NIRGraph,
    specification: ChipSpecification = BSS2,
    *,
    time_scale: float,
    refractory_period: float | None = None,
    readout_unit: float = 1.0,
    clipped_share: float = 0.0,
) -> Placement:
    """Place a network on one chip.

    Weights become 6-bit codes with sign, k = round(s w), clipped to ±63, with one scale s per layer: input
    and recurrent weights of a neuron pass the same synaptic gain. Each layer is scaled so that its largest
    weight, or the quantile that ``clipped_share`` sets, is the largest code.

    Parameters
    ----------
    graph
        The network; see `hearspike.emulator.network.read_layers` for what can be placed.
    specification
        The chip.
    time_scale
        Network time over chip time: 1000 is the chip's nominal acceleration; SHD was published at 2000.
    refractory_period
        Refractory period [s of chip time]; the specification's usual one if not given.
    readout_unit
        Potential of the network's readout that is shown by as many converter codes as lie between leak and
        threshold (70), which sets the readout's gain; see `hearspike.emulator.fit_readout`.
    clipped_share
        Share of a layer's weights that may be clipped in favour of a finer resolution of the others.

    Returns
    -------
    Placement
        What the chip is set to.

    Raises
    ------
    InputError
        If the network cannot be placed: budget, structure, time constants or potentials out of the chip's
        range, values that are not finite.
    """
    if not (np.isfinite(time_scale) and time_scale > 0):
        raise InputError("time_scale", time_scale, "a finite number above 0")
    if not (np.isfinite(readout_unit) and readout_unit > 0):
        raise InputError("readout_unit", readout_unit, "a finite potential above 0")
    if not 0 <= clipped_share < 1:
        raise InputError("clipped_share", clipped_share, "a share from 0 to below 1")
    refractory = specification.refractory_period if refractory_period is None else refractory_period
    _refuse_outside("refractory_period", refractory, specification.refractory_range, "s of chip time")

    layers = read_layers(graph)
    inputs = layers[0].weight.shape[1]
    check_budget(
        inputs=inputs,
        layers=[layer.size for layer in layers],
        recurrent=[layer.recurrent is not None for layer in layers[:-1]],
        specification=specification,
    )
    placed: list[PlacedLayer] = []
    sources = np.arange(inputs)
    first = 0
    for layer in layers:
        neurons = slice(first, first + layer.size)
        own = inputs + np.arange(first, neurons.stop)
        rows = sources if layer.recurrent is None else np.concatenate([sources, own])
        placed.append(
            _place_layer(
                layer,
                neurons,
                rows,
                specification=specification,
                time_scale=time_scale,
                readout_unit=readout_unit,
                clipped_share=clipped_share,
            )
        )
        sources, first = own, neurons.stop
    joined = np.arange(specification.circuits).reshape(specification.circuits_per_neuron, -1).T
    return Placement(
        specification=specification,
        time_scale=time_scale,
        inputs=inputs,
        layers=tuple(placed),
        circuits=joined[:first],
        refractory_period=refractory,
        readout_unit=readout_unit,
    )


def _place_layer(
    layer: Layer,
    neurons: slice,
    sources: NDArray[np.int64],
    *,
    specification: ChipSpecification,
    time_scale: float,
    readout_unit: float,
    clipped_share: float,
) -> PlacedLayer:
    unit = readout_unit if layer.threshold is None else layer.threshold - layer.leak  # [neuron]
    tau_mem, tau_syn = layer.tau_mem / time_scale, layer.tau_syn / time_scale
    name = f"node {layer.name!r}"
    at_scale = f"s of chip time at time_scale {time_scale:g}"
    for tau in (tau_mem.min(), tau_mem.max()):
        _refuse_outside(f"{name}: tau_mem", float(tau), specification.tau_mem_range, at_scale)
    for tau in (tau_syn.min(), tau_syn.max()):
        _refuse_outside(f"{name}: tau_syn", float(tau), specification.tau_syn_range, at_scale)
    leak = layer.resistance * layer.bias / unit
    reset = None if layer.reset is None else (layer.reset - layer.leak) / unit
    for quantity, potential in (("bias", leak), ("v_reset", reset)):
        if potential is not None:
            codes = specification.leak_code + specification.codes_per_threshold * potential
            for code in (codes.min(), codes.max()):
                subject = f"{name}: {quantity}, as a potential on the chip"
                _refuse_outside(subject, float(code), specification.leak_code_range, "converter codes")

    # A Dirac input of weight w lifts r I by r w / tau_syn, in network time.
    weight = layer.weight if layer.recurrent is None else np.hstack([layer.weight, layer.recurrent])
    jump = (weight.T * (layer.resistance / layer.tau_syn / unit)).astype(np.float64)  # [row pair, neuron]
    largest = float(np.quantile(np.abs(jump), 1 - clipped_share)) or float(np.abs(jump).max())
    scale = specification.weight_maximum / largest if largest > 0 else 1.0
    codes = np.rint(scale * jump)
    clipped = np.abs(codes) > specification.weight_maximum
    limit = specification.weight_maximum
    return PlacedLayer(
        name=layer.name,
        neurons=neurons,
        sources=sources,
        weights=np.clip(codes, -limit, limit).astype(np.int8),
        scale=scale,
        clipped_share=float(clipped.mean()),
        tau_mem=tau_mem,
        tau_syn=tau_syn,
        leak=leak,
        reset=reset,
    )


def _refuse_outside(subject: str, value: float, limits: tuple[float, float], unit: str) -> None:
    low, high = limits
    tolerance = 1e-9 * high  # a bound that was scaled and scaled back may miss by rounding
    if not low - tolerance <= value <= high + tolerance:
        raise InputError(subject, f"{value:.4g}", f"{low:g} to {high:g} {unit}")
