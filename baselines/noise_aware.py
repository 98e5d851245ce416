r"""Train in software on neurons and synapses that differ as a chip's do.

In every batch a virtual chip is drawn and its deviations, but for those of the converter, go into the model:
weights lie on the grid of 6-bit codes with sign, with straight-through gradients, and carry the gains of
synapses and neurons; time constants and thresholds are the neuron's own. The model has one synaptic time
constant where a chip has two, an excitatory and an inhibitory one: it takes their mean. A neuron with leak
potential :math:`E` and threshold :math:`\theta` fires as one with leak 0 and threshold :math:`\theta - E`.
Membrane noise moves the threshold of every neuron in every sample by a normal distance.
"""

from dataclasses import dataclass

import numpy as np
import torch

from hearspike.baselines.deployment import Course, random_generator
from hearspike.baselines.two_layer_network import Activity, Grid, Neurons, Weights, neurons, run
from hearspike.datasets import SpikeEvents
from hearspike.emulator import BSS2, ChipProfile, draw_chips
from hearspike.emulator.dynamics import exact_rise


@dataclass(frozen=True)
class NoiseAware:
    """Chips that training imagines.

    Parameters
    ----------
    profile
        How much they differ and how noisy they are.
    chip_seed
        Seed of their fixed pattern.
    """

    profile: ChipProfile
    chip_seed: int

    def course(self, grid: Grid, nominal: Neurons) -> Course:
        """Begin a training."""
        return _Imagined(self, grid, nominal)


@dataclass(frozen=True)
class _Imagined:
    settings: NoiseAware
    grid: Grid
    nominal: Neurons

    def train(self, weights: Weights, events: SpikeEvents) -> Activity:
        weights, constants = self._disturb(quantised(weights), len(events))
        return run(weights, events, constants)

    def validate(self, weights: Weights, events: SpikeEvents) -> torch.Tensor:
        return run(quantised(weights), events, self.nominal).traces

    def _disturb(self, weights: Weights, samples: int) -> tuple[Weights, Neurons]:
        """Draw the next chip and the noise; circuit n holds hidden neuron n, then come the readouts."""
        grid, noise, rng = self.grid, self.settings.profile.noise, random_generator()
        number = int(rng.integers(2**31))
        chip = draw_chips(self.settings.profile, chips=1, seed=self.settings.chip_seed, first_chip=number)
        hidden, inputs = weights.input.shape
        total = hidden + len(weights.readout)
        tau_mem, tau_syn = grid.tau_mem * chip.tau_mem[0, :total], grid.tau_syn * chip.tau_syn[0, :, :total]
        rise = exact_rise(grid.step, tau_mem, tau_syn)
        nominal_rise = exact_rise(grid.step, np.array(grid.tau_mem), np.array(grid.tau_syn))
        gain = (chip.gain[0, :, :total] * rise / nominal_rise)[:, None]  # [sign, 1, neuron]
        excitatory, inhibitory = _float32(chip.synapse[0, ..., :total] * gain).transpose(1, 2)

        def on_chip(ideal: torch.Tensor, first_row: int, targets: slice) -> torch.Tensor:
            sources = slice(first_row, first_row + ideal.shape[1])
            return ideal * torch.where(ideal > 0, excitatory[targets, sources], inhibitory[targets, sources])

        drift = rng.normal(0.0, noise.threshold_drift, size=hidden)
        threshold = 1 + chip.threshold[0, :hidden] + drift - chip.leak[0, :hidden]
        moved = threshold + rng.normal(0.0, noise.membrane, size=(samples, hidden))
        first, last = slice(0, hidden), slice(hidden, total)
        recurrent = None if weights.recurrent is None else on_chip(weights.recurrent, inputs, first)
        disturbed = Weights(on_chip(weights.input, 0, first), recurrent, on_chip(weights.readout, 0, last))
        return disturbed, neurons(
            grid,
            hidden_tau_mem=tau_mem[first],
            hidden_tau_syn=tau_syn.mean(axis=0)[first],
            threshold=_float32(moved),
            readout_tau_mem=tau_mem[last],
            readout_tau_syn=tau_syn.mean(axis=0)[last],
        )


def quantised(weights: Weights) -> Weights:
    """Round the weights to the chip's codes; the gradient passes as if they had not been.

    As in `hearspike.emulator.place`, the largest weight of each layer is the largest code.
    """
    layers = [tensor for tensor in (weights.input, weights.recurrent) if tensor is not None]
    hidden = max(float(tensor.detach().abs().max()) for tensor in layers)
    readout = float(weights.readout.detach().abs().max())
    recurrent = None if weights.recurrent is None else _rounded(weights.recurrent, hidden)
    return Weights(_rounded(weights.input, hidden), recurrent, _rounded(weights.readout, readout))


def _rounded(tensor: torch.Tensor, largest: float) -> torch.Tensor:
    if largest == 0:
        return tensor
    scale = BSS2.weight_maximum / largest
    return tensor + ((tensor * scale).round() / scale - tensor).detach()


def _float32(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(array, np.float32))
