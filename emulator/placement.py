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

    A circuit pair sees as many signed inputs as the chip has row pairs. A neuron whose layer has more sources
    (the layer before, and the layer itself if it is recurrent) takes several pairs; all pairs must fit the
    chip. Layers share the rows, because a synapse hears only the sources whose label it holds: 256-246-10
    fits (Cramer et al. 2022), and so does 70-186 recurrent-20, which fills the array.

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
    >>> check_budget(inputs=700, layers=[70, 20], recurrent=False)  # three pairs for each hidden neuron
    >>> check_budget(inputs=700, layers=[128, 20], recurrent=True)
    Traceback (most recent call last):
    hearspike.errors.InputError: network: got 128 neurons × 4 pairs (700 inputs + 128 recurrent = 828 signed \
inputs) + 20 neurons × 1 pair = 532 circuit pairs, expected at most 256 circuit pairs of 256 signed inputs \
each (one chip)
    """
    hidden = list(layers[:-1])
    feedback = [recurrent] * len(hidden) if isinstance(recurrent, bool) else list(recurrent)
    if len(feedback) != len(hidden):
        raise InputError("recurrent", f"{len(feedback)} values", f"{len(hidden)}, one per spiking layer")
    sources = [(inputs, "inputs"), *((size, "neurons before") for size in hidden)]
    total, terms = 0, []
    for (before, kind), size, loop in zip(sources, layers, [*feedback, False], strict=True):
        pairs = pairs_per_neuron(before + size * loop, specification)
        total += size * pairs
        fan_in = f"{before} {kind}" + (f" + {size} recurrent = {before + size} signed inputs" if loop else "")
        detail = f" ({fan_in})" if pairs > 1 else ""
        terms.append(f"{size} neurons × {pairs} {'pairs' if pairs > 1 else 'pair'}{detail}")
    if total > specification.pairs:
        raise InputError(
            "network",
            f"{' + '.join(terms)} = {total} circuit pairs",
            f"at most {specification.pairs} circuit pairs of {specification.signed_inputs} signed inputs "
            "each (one chip)",
        )
    if len(layers) > specification.labels_per_row:
        raise InputError("network", f"{len(layers)} layers", f"at most {specification.labels_per_row} labels")


def pairs_per_neuron(signed_inputs: int, specification: ChipSpecification) -> int:
    """Return how many circuit pairs are joined to one neuron with this fan-in."""
    return max(-(-signed_inputs // specification.signed_inputs), 1)


@dataclass(frozen=True, kw_only=True)
class PlacedLayer:
    """One layer on the chip; potentials count from the leak in units of the distance from leak to threshold.

    Parameters
    ----------
    name
        Name of the layer.
    neurons
        Its place among the logical neurons of the chip.
    pairs
        Circuit pairs joined to each neuron.
    sources
        Its sources among all sources of the chip (external inputs, then spiking neurons), in the order of
        its signed inputs: source i meets row pair i mod 256 of circuit pair i // 256 [signed input].
    weights
        Signed weight codes [signed input, neuron].
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
    pairs: int
    sources: NDArray[np.int64]
    weights: NDArray[np.int8]
    scale: float
    clipped_share: float
    tau_mem: Array
    tau_syn: Array
    leak: Array
    reset: Array | None

    def __post_init__(self) -> None:
        limit = 63
        if (np.abs(self.weights.astype(np.int64)) > limit).any():
            at = [int(k) for k in np.argwhere(np.abs(self.weights.astype(np.int64)) > limit)[0]]
            raise InputError(
                f"weights of layer {self.name!r}{at}",
                int(self.weights[tuple(at)]),
                f"codes of −{limit} to {limit}",
            )


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
    refractory_period
        Time that a neuron is held at its reset potential after a spike [s of chip time].
    readout_unit
        Potential of the network's readout above its leak that is as far as leak to threshold on the chip.
    """

    specification: ChipSpecification
    time_scale: float
    inputs: int
    layers: tuple[PlacedLayer, ...]
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

    def with_weights(self, layer: str, codes: NDArray[np.int8]) -> "Placement":
        """Return the placement with other weight codes of a layer, as an update rule on the chip makes them.

        Parameters
        ----------
        layer
            Name of the layer.
        codes
            Signed weight codes [signed input, neuron].

        Raises
        ------
        InputError
            If there is no such layer, the shape is another one, or a code is beyond 6 bits.
        """
        names = [one.name for one in self.layers]
        if layer not in names:
            raise InputError("layer", layer, f"one of {', '.join(names)}")
        at = names.index(layer)
        expected = self.layers[at].weights.shape
        if codes.shape != expected:
            raise InputError(f"codes of layer {layer!r}", f"shape {codes.shape}", f"shape {expected}")
        changed = replace(self.layers[at], weights=codes)
        return replace(self, layers=(*self.layers[:at], changed, *self.layers[at + 1 :]))


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
    return Placement(
        specification=specification,
        time_scale=time_scale,
        inputs=inputs,
        layers=tuple(placed),
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
    jump = (weight.T * (layer.resistance / layer.tau_syn / unit)).astype(np.float64)  # [signed input, neuron]
    largest = float(np.quantile(np.abs(jump), 1 - clipped_share)) or float(np.abs(jump).max())
    scale = specification.weight_maximum / largest if largest > 0 else 1.0
    codes = np.rint(scale * jump)
    clipped = np.abs(codes) > specification.weight_maximum
    limit = specification.weight_maximum
    return PlacedLayer(
        name=layer.name,
        neurons=neurons,
        pairs=pairs_per_neuron(len(sources), specification),
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
