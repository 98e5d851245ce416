r"""Delays that are learnt: every source reaches the next layer over several axons, each with its own delay.

An axon of delay :math:`d = n + f` steps, :math:`n` whole and :math:`0 \le f < 1`, brings

.. math::
    Y[t] = (1 - f) \, X[t - n] + f \, X[t - n - 1],

so that :math:`\partial Y / \partial d = X[t - n - 1] - X[t - n]` can be followed. Axonal delays for spoken
words are due to Sun et al. (Front. Neurosci. 17, 2023); several for each source come near to delays of
single synapses (Hammouamri et al., ICLR 2024), at the price of so many rows of weights.
"""

import torch


def delay(source: torch.Tensor, delays: torch.Tensor) -> torch.Tensor:
    """Send an array of spikes over its axons.

    Parameters
    ----------
    source
        [sample, step, unit]
    delays
        [axon, unit] in steps, at least 0.

    Returns
    -------
    delayed
        [sample, step, axon · unit]; what would come before the first step is 0.
    """
    axons, units = delays.shape
    samples, steps, _ = source.shape
    whole = delays.detach().floor()
    share = delays - whole
    before = torch.arange(steps).view(steps, 1, 1) - whole.long()  # [step, axon, unit]
    padded = torch.nn.functional.pad(source, (0, 0, 1, 0))  # row t + 1 is step t, row 0 is before the start
    unit = torch.arange(units).expand(steps, axons, units)
    sooner, later = padded[:, (before + 1).clamp(min=0), unit], padded[:, before.clamp(min=0), unit]
    return ((1 - share) * sooner + share * later).reshape(samples, steps, axons * units)
