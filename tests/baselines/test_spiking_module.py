"""Normalisation in evaluation is that of the data, however few batches there were."""

import pytest
import torch

from hearspike.baselines.spiking_module import Normalisation


def drive(batches: int) -> torch.Tensor:
    """Return batches [batch, sample, neuron, step] of sparse drive, with a variance far below 1."""
    random = torch.Generator().manual_seed(0)
    here = torch.rand(batches, 8, 3, 40, generator=random) < 0.02
    return here * 0.1 * torch.randn(batches, 8, 3, 40, generator=random)


@pytest.mark.parametrize("batches", [1, 2, 10])
def test_running_averages_are_means_over_the_first_batches(batches: int) -> None:
    """Nothing of the values they start from remains; the variance is that of the sample, over n - 1."""
    normalisation = Normalisation(3)
    for batch in drive(batches):
        normalisation(batch)
    by_neuron = drive(batches).transpose(1, 2).flatten(2)  # [batch, neuron, sample and step]
    assert normalisation.running_mean is not None
    assert normalisation.running_var is not None
    torch.testing.assert_close(normalisation.running_mean, by_neuron.mean(2).mean(0))
    torch.testing.assert_close(normalisation.running_var, by_neuron.var(2).mean(0))


def test_later_batches_fade() -> None:
    """Of a change that came 30 batches ago 0.9 to the power of 30 is left."""
    normalisation = Normalisation(1)
    for value in [0.0] * 20 + [1.0] * 30:
        normalisation(torch.full((2, 1, 4), value))
    assert normalisation.running_mean is not None
    assert float(normalisation.running_mean[0]) == pytest.approx(1 - 0.9**30, rel=1e-5)
