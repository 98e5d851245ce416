"""Training meets the chip: what is quantised, recorded and differentiated, and what it is good for."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hearspike.baselines.in_the_loop import InTheLoop, as_shown
from hearspike.baselines.noise_aware import NoiseAware, quantised
from hearspike.baselines.two_layer_network import Activity, Grid, Weights, graph, nominal_neurons, run
from hearspike.datasets import SpikeEvents
from hearspike.datasets.latency import one_spike_per_channel
from hearspike.emulator import BSS2, ChipProfile, Emulation, Noise, Variation, draw_chips, emulate, place

READ = BSS2.cadc_period
STEPS, INPUTS, HIDDEN, CLASSES, SAMPLES = 20, 40, 30, 4, 25
GRID = Grid(steps=STEPS, window=STEPS * READ, tau_mem=6e-6, tau_syn=6e-6, slope=50.0)
NOMINAL = nominal_neurons(GRID, HIDDEN, CLASSES)
IDEAL = ChipProfile(name="ideal", variation=Variation(), noise=Noise())
MISMATCHED = ChipProfile(
    name="mismatched",
    variation=Variation(tau_mem=0.3, tau_syn=0.3, gain=0.3, synapse=0.1, threshold=0.2, leak=0.2),
    noise=Noise(membrane=0.02),
)


def events(seed: int = 0) -> SpikeEvents:
    """One spike per channel, a fifth of the way into a step: model and chip both count it to that step."""
    rng = np.random.default_rng(seed)
    return one_spike_per_channel((rng.integers(0, 12, size=(SAMPLES, INPUTS)) + 0.2) * READ)


def weights(seed: int = 0, *, recurrent: bool = False) -> Weights:
    generator = torch.Generator().manual_seed(seed)

    def draw(scale: float, *shape: int) -> torch.Tensor:
        return (scale * torch.randn(*shape, generator=generator)).requires_grad_()

    square = draw(0.05, HIDDEN, HIDDEN) if recurrent else None
    return Weights(draw(0.15, HIDDEN, INPUTS), square, draw(0.1, CLASSES, HIDDEN))


def on_ideal_chip(of: Weights, seen: SpikeEvents) -> Emulation:
    """Run the network on an ideal chip whose time step is the model's."""
    return emulate(
        place(graph(of, GRID), time_scale=1.0),
        draw_chips(IDEAL, chips=1, seed=0),
        seen.times,
        seen.units,
        seen.offsets,
        duration=GRID.window,
        noise_seed=0,
        step=READ,
        record="all",
    )


@pytest.mark.parametrize("recurrent", [False, True])
def test_quantised_model_is_the_ideal_chip(recurrent: bool) -> None:
    """Spike by spike; readout by readout within half a code of the converter.

    On the chip a hidden spike reaches the readout in the step after it, in the model in the same step.
    """
    seen, ideal = events(), weights(recurrent=recurrent)
    model = run(quantised(ideal), seen, NOMINAL)
    chip = on_ideal_chip(ideal, seen)
    shown = as_shown(chip)
    assert 0.005 < model.spikes.mean() < 0.2
    torch.testing.assert_close(shown.hidden.spikes, model.spikes.detach(), rtol=0, atol=0)
    expected, found = model.traces[:, :-1].detach(), shown.traces[:, 1:]
    inside = (expected > -1.1) & (expected < 2.4)
    assert inside.float().mean() > 0.8
    # half a code of 70 per threshold, and float32
    assert (found - expected)[inside].abs().max() <= 0.5 / 70 + 1e-4


def test_without_quantisation_it_is_not() -> None:
    """The test above can fail: unrounded weights give other spikes."""
    seen, ideal = events(), weights()
    assert (as_shown(on_ideal_chip(ideal, seen)).hidden.spikes != run(ideal, seen, NOMINAL).spikes).any()


def gradients(of: Weights, activity: Activity) -> NDArray[np.float64]:
    """Gradient of a smooth function of all spikes and traces, as one vector."""
    generator = torch.Generator().manual_seed(9)
    value = (activity.spikes * torch.randn(activity.spikes.shape, generator=generator)).sum()
    value = value + (activity.traces * torch.randn(activity.traces.shape, generator=generator)).sum()
    return np.concatenate([g.flatten().numpy() for g in torch.autograd.grad(value, [of.input, of.readout])])


def test_gradients_on_an_ideal_chip_are_those_of_the_model() -> None:
    """Of the quantised model, whose codes an ideal chip holds."""
    seen, ideal = events(), weights()
    model = gradients(ideal, run(quantised(ideal), seen, NOMINAL))
    loop = gradients(ideal, run(ideal, seen, NOMINAL, as_shown(on_ideal_chip(ideal, seen))))
    cosine = model @ loop / np.linalg.norm(model) / np.linalg.norm(loop)
    print(cosine, np.linalg.norm(loop)/np.linalg.norm(model))
    assert cosine > 0.9
