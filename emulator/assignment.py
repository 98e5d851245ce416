"""Assign circuits to the neurons of a placement, chip by chip, around circuits that a calibration gave up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.placement import Placement
from hearspike.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """Which circuits hold the neurons of a placement.

    Parameters
    ----------
    lead
        Circuit with the threshold comparator, the analog parameters and the converter channel of each neuron
        [chip, neuron].
    first_pair
        First of the consecutive circuit pairs of each neuron [chip, neuron].
    """

    lead: NDArray[np.int64]
    first_pair: NDArray[np.int64]


def assign_circuits(placement: Placement, usable: NDArray[np.bool_]) -> Assignment:
    """Assign circuit pairs to neurons in order, passing over those without a usable circuit.

    Pair p joins circuit p of the upper and circuit p of the lower half. The first usable circuit of a neuron
    leads it; the others add synapses only.

    Parameters
    ----------
    placement
        The network on the chip.
    usable
        Circuits that may lead a neuron [chip, circuit].

    Raises
    ------
    InputError
        If a chip has too few usable circuits: says which chip, and how many neurons found a place.
    """
    chips, pairs = len(usable), placement.specification.pairs
    halves = usable.reshape(chips, -1, pairs)
    if usable.all():  # blocks side by side, which placement has seen to fit
        widths = np.repeat(
            [layer.pairs for layer in placement.layers],
            [layer.neurons.stop - layer.neurons.start for layer in placement.layers],
        )
        side_by_side = np.tile(np.cumsum(widths) - widths, (chips, 1))
        return Assignment(lead=side_by_side, first_pair=side_by_side)
    lead, first_pair = np.empty((2, chips, placement.neurons), np.int64)
    for chip in range(chips):
        position = 0
        for layer in placement.layers:
            for neuron in range(layer.neurons.start, layer.neurons.stop):
                block = slice(position, position + layer.pairs)
                while block.stop <= pairs and not halves[chip, :, block].any():
                    block = slice(block.start + layer.pairs, block.stop + layer.pairs)
                if block.stop > pairs:
                    raise InputError(
                        f"chip {chip}",
                        f"circuits for {neuron} neurons ({int((~usable[chip]).sum())} circuits are unusable)",
                        f"circuits for the network's {placement.neurons}",
                    )
                half, within = np.argwhere(halves[chip, :, block])[0]
                lead[chip, neuron] = half * pairs + block.start + within
                first_pair[chip, neuron] = block.start
                position = block.stop
    return Assignment(lead=lead, first_pair=first_pair)
