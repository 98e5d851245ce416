r"""The neuron of every spiking layer here, in discrete time, and its surrogate gradient.

.. math::
    I_j[t] &= \alpha_j I_j[t-1] + \sum_i W_{ij} X_i[t] + \sum_k R_{kj} S_k[t-1] \\
    U_j[t] &= \beta_j V_j[t-1] + I_j[t] \\
    V_j[t] &= U_j[t] - \theta_j S_j[t-1] \quad\text{or}\quad U_j[t] \, (1 - S_j[t-1]) \\
    A_j[t] &= \rho_j A_j[t-1] + S_j[t-1] \\
    S_j[t] &= [V_j[t] - \kappa_j A_j[t] > \theta_j]

:math:`X` is the input, :math:`I` the current, :math:`V` the membrane, :math:`S` the spikes, and :math:`A`
what past spikes add to the threshold (Bellec et al., NeurIPS 2018). Without it the neuron is snnTorch's
``Synaptic``, and its ``Leaky`` where :math:`\alpha = 0`. Backwards, :math:`\partial S / \partial V` is the
SuperSpike surrogate :math:`(\lambda |V - \kappa A - \theta| + 1)^{-2}` (Zenke and Ganguli, Neural
Computation 30:1514, 2018), and the reset passes no gradient to the spikes that cause it.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from hearspike.errors import InputError

Values = torch.Tensor | float
"""One number for all neurons, or [neuron]; a tensor may require a gradient."""

Reset = Literal["subtract", "zero"]
"""What a spike does to the membrane in the next step: take the threshold from it, or hold it at 0."""


CONSTANTS = ("decay_syn", "decay_mem", "threshold", "adaptation_decay", "adaptation_strength")
"""Names of the constants that may differ from neuron to neuron, in the order of `Neurons.constants`."""


@dataclass(frozen=True, kw_only=True)
class Neurons:
    r"""Constants of the neurons of a layer.

    Parameters
    ----------
    decay_syn, decay_mem
        :math:`\alpha = e^{-\Delta/\tau_{syn}}` and :math:`\beta = e^{-\Delta/\tau_{mem}}`, 0 to 1; a
        ``decay_syn`` of 0 leaves neurons without synaptic current.
    threshold
        :math:`\theta`, above 0.
    reset
        ``subtract`` or ``zero``.
    surrogate_slope
        :math:`\lambda`, 0 or more.
    adaptation_decay, adaptation_strength
        :math:`\rho`, 0 to 1, and :math:`\kappa` of an adaptive threshold; both None for a fixed one.

    Raises
    ------
    InputError
        If a number is out of its range or not a number.
    """

    decay_syn: Values
    decay_mem: Values
    threshold: Values
    reset: Reset
    surrogate_slope: float
    adaptation_decay: Values | None = None
    adaptation_strength: Values | None = None

    def __post_init__(self) -> None:
        if self.reset not in get_args(Reset):
            raise InputError("reset", self.reset, f"one of {', '.join(get_args(Reset))}")
        if (self.adaptation_decay is None) != (self.adaptation_strength is None):
            found = (self.adaptation_decay, self.adaptation_strength)
            raise InputError("adaptation_decay, adaptation_strength", found, "both or neither")
        for name in ("decay_syn", "decay_mem", "adaptation_decay"):
            check_decay(name, getattr(self, name))
        tiny, huge = torch.finfo(torch.float32).tiny, torch.finfo(torch.float32).max
        _check("threshold", self.threshold, tiny, huge, "numbers above 0")
        _check("surrogate_slope", self.surrogate_slope, 0.0, huge, "a number of at least 0")
        _check("adaptation_strength", self.adaptation_strength, -huge, huge, "finite numbers")

    @property
    def adaptive(self) -> bool:
        """Whether spikes raise the threshold."""
        return self.adaptation_strength is not None

    def constants(self, count: int, device: torch.device) -> tuple[torch.Tensor, ...]:
        """Return decay_syn, decay_mem, threshold, adaptation_decay and adaptation_strength, each [neuron].

        Raises
        ------
        InputError
            If one of them has another length.
        """
        return tuple(spread(name, getattr(self, name), count, device) for name in CONSTANTS)


@dataclass(frozen=True, kw_only=True)
class LeakyReadout:
    r"""Neurons without threshold, which never spike.

    Parameters
    ----------
    weight
        [source, readout neuron].
    decay_syn, decay_mem
        As those of `Neurons`.

    Raises
    ------
    InputError
        If a decay is out of its range or not a number.
    """

    weight: torch.Tensor
    decay_syn: Values
    decay_mem: Values

    def __post_init__(self) -> None:
        check_decay("decay_syn", self.decay_syn)
        check_decay("decay_mem", self.decay_mem)

    def decays(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        """Return both decays [readout neuron].

        Raises
        ------
        InputError
            If there are not as many values as neurons.
        """
        count = self.weight.shape[1]
        return (
            spread("decay_syn", self.decay_syn, count, device),
            spread("decay_mem", self.decay_mem, count, device),
        )


def check_decay(name: str, values: Values | None) -> None:
    """Refuse what is not from 0 to 1.

    Raises
    ------
    InputError
        If a value is outside, or not a number.
    """
    _check(name, values, 0.0, 1.0, "numbers from 0 to 1")


def _check(name: str, values: Values | None, low: float, high: float, expected: str) -> None:
    if values is None:
        return
    tensor = torch.as_tensor(values).detach()
    inside = (tensor >= low) & (tensor <= high)
    if not bool(inside.all()):
        raise InputError(name, tensor[~inside].flatten()[0].item(), expected)


def spread(name: str, values: Values | None, count: int, device: torch.device) -> torch.Tensor:
    """Return the values as [neuron], 0 for None.

    Raises
    ------
    InputError
        If there are not as many values as neurons.
    """
    tensor = torch.as_tensor(0.0 if values is None else values, dtype=torch.float32, device=device)
    if tensor.ndim > 1 or (tensor.ndim == 1 and len(tensor) not in (1, count)):
        raise InputError(name, tuple(tensor.shape), f"one number, or one for each of {count} neurons")
    return tensor.expand(count)
