"""Weights shared along channels, spikes between layers, and every operation counted."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hearspike.baselines.backends import EmulatedChips
from hearspike.baselines.convolutional_spiking_module import ConvolutionalSpikingModule, MapLayer
from hearspike.baselines.convolutional_spiking_network import (
    ConvolutionalSpikingNetwork,
    FittedConvolutionalSpikingNetwork,
)
from hearspike.baselines.input_frames import InputFrames
from hearspike.baselines.interface import SpikingModel, SpikingNetwork
from hearspike.baselines.training import Training
from hearspike.datasets import SpikeDataset
from hearspike.datasets.augmentation import Augmentation
from hearspike.emulator import ChipProfile, ConstantPower, Noise, Variation
from hearspike.errors import InputError

Data = tuple[SpikeDataset, SpikeDataset]
MODEL = ConvolutionalSpikingNetwork(
    frames=InputFrames(window=0.1, bins=9, channels=10),
    maps=(4, 6),
    kernel_steps=2,
    kernel_channels=3,
    features=12,
    time_scale=2000.0,
    tau_mem_us=10.0,
    time_constant_spread=0.3,
    surrogate_slope=1.0,
    dropout=0.1,
    readout_gain=10.0,
    implementation="fused",
    training=Training(
        epochs=5,
        patience=5,
        batch_size=32,
        optimiser="adamw",
        learning_rate=1e-2,
        schedule="cosine",
        final_rate=0.1,
        warm_up=0.0,
        weight_decay=0.0,
        gradient_limit=1.0,
        label_smoothing=0.0,
        augmentation=Augmentation(),
    ),
)


@pytest.fixture(scope="module")
def fitted(timed: Data) -> FittedConvolutionalSpikingNetwork:
    """The network, after training."""
    return MODEL.fit(*timed, seed=0)


def module(**changes: Any) -> ConvolutionalSpikingModule:
    """Return an untrained network with zeros among its weights, in evaluation mode."""
    torch.manual_seed(0)
    network = ConvolutionalSpikingModule(dataclasses.replace(MODEL, **changes), 10, 2).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "weight" in name:
                parameter.mul_(torch.rand_like(parameter) < 0.7)
            if "normalisation.bias" in name:
                parameter.add_(0.5)
    return network


def counts(samples: int = 6) -> torch.Tensor:
    return torch.poisson(torch.full((samples, 9, 10), 0.7), torch.Generator().manual_seed(1))


def test_it_learns_what_only_times_tell(fitted: FittedConvolutionalSpikingNetwork, timed: Data) -> None:
    """The order of two bursts, which counts do not tell."""
    assert np.mean(fitted.predict(timed[1].events).labels[0] == timed[1].labels) > 0.95


def test_the_same_seed_gives_the_same_bits_and_a_stopped_fit_goes_on_to_them(
    timed: Data, tmp_path: Path
) -> None:
    """Weights, running averages and learning curve; another seed gives others."""
    train = timed[0].select(np.arange(64))
    model = dataclasses.replace(MODEL, training=dataclasses.replace(MODEL.training, epochs=3))

    def stop(stage: str, done: int, total: int, note: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(train, train, seed=0, checkpoint=tmp_path, progress=stop)
    resumed = model.fit(train, train, seed=0, checkpoint=tmp_path)
    again, other = model.fit(train, train, seed=0), model.fit(train, train, seed=1)
    assert resumed.history == again.history != other.history
    for name, array in again.parameters.items():
        np.testing.assert_array_equal(array, resumed.parameters[name])


def test_what_it_learnt_is_all_it_needs(fitted: FittedConvolutionalSpikingNetwork, timed: Data) -> None:
    """Restored from its parameters it answers alike, alone or among others, spike for spike."""
    events = timed[1].events
    restored = MODEL.restore(fitted.parameters, channels=events.channels, classes=2)
    before, after = fitted.predict(events), restored.predict(events)
    np.testing.assert_array_equal(before.labels, after.labels)
    for name, spikes in before.layer_spikes.items():
        np.testing.assert_array_equal(spikes, after.layer_spikes[name])
    assert before.operations == after.operations
    alone = [int(restored.predict(events.select(np.array([index]))).labels[0, 0]) for index in range(8)]
    assert alone == before.labels[0, :8].tolist()
    nothing = restored.predict(events.select(np.arange(0)))
    assert nothing.labels.shape == (1, 0)
    assert nothing.operations is None


def test_all_that_passes_between_layers_is_spikes() -> None:
    """0 or 1 everywhere behind the input; some of both."""
    activity = module()(counts())
    for signal in (*activity.spikes, *activity.arriving[1:]):
        assert set(signal.unique().tolist()) == {0.0, 1.0}


def test_both_implementations_agree() -> None:
    """The same spikes, and gradients to rounding: sums of thousands of float32 terms."""
    gradients = {}
    for implementation in ("fused", "torch"):
        network = module(implementation=implementation)
        activity = network(counts())
        activity.traces.square().sum().backward()
        gradients[implementation] = (activity, dict(network.named_parameters()))
    (one, ours), (two, theirs) = gradients["fused"], gradients["torch"]
    for first, second in zip(one.spikes, two.spikes, strict=True):
        torch.testing.assert_close(first, second, rtol=0, atol=0)
    for name, parameter in ours.items():
        expected = theirs[name].grad
        assert expected is not None
        largest = float(expected.abs().max())
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-4, atol=1e-4 * largest)


def test_nothing_is_seen_before_it_happens() -> None:
    """Spikes of the last steps change no neuron in steps that ended before."""
    network, early = module(), counts()
    late = early.clone()
    late[:, 6:] += 3
    first, second = network(early), network(late)
    assert not torch.equal(first.spikes[0], second.spikes[0])
    for layer, ended in enumerate((6, 3, 1)):  # steps of 1, 2 and 4 bins
        torch.testing.assert_close(
            first.spikes[layer][:, :, :ended], second.spikes[layer][:, :, :ended], rtol=0, atol=0
        )


def test_a_shift_along_the_channels_shifts_the_spikes() -> None:
    """What happens far from the ends happens 2 channels further, in the first layer."""
    network, here = module(), torch.zeros(1, 9, 10)
    here[:, 2:7, 3:5] = counts(1)[:, 2:7, 3:5]
    layer = network.layers[0]
    one = layer(here.unsqueeze(1))
    two = layer(here.roll(2, dims=2).unsqueeze(1))
    torch.testing.assert_close(one[..., 1:7], two[..., 3:9], rtol=0, atol=0)


@torch.no_grad()
def test_operations_are_those_of_a_count_by_hand(timed: Data) -> None:
    """Each synapse of each neuron, step and sample, one after the other."""
    network = module()
    fitted = FittedConvolutionalSpikingNetwork(MODEL, network, 10, 2, ())
    events = timed[1].events.select(np.arange(3))
    found = fitted.predict(events).operations
    assert found is not None
    activity = network(MODEL.frames(events))
    expected, dense, updates = [], 0.0, 0
    for layer, signal in zip(network.layers, activity.arriving, strict=False):
        assert isinstance(layer, MapLayer)
        per_layer, full = _by_hand(layer, (signal != 0).numpy().astype(int))
        expected.append(per_layer / 3)
        dense += full / 3
    for spikes in activity.spikes:
        updates += spikes[0].numel()
    readout = (network.readout_weight != 0).sum(dim=1)
    last = (activity.arriving[-1].sum(dim=(2, 3)) @ readout.float()).sum() / 3
    steps = activity.traces.shape[1]
    updates += 2 * steps
    assert found.neuron_updates == found.neuron_multiply_accumulates == updates
    assert found.multiply_accumulates == pytest.approx(expected[0] + updates)
    assert found.accumulates == pytest.approx(sum(expected[1:]) + float(last))
    assert found.dense == pytest.approx(dense + 12 * 2 * steps)


def _by_hand(layer: MapLayer, active: np.ndarray) -> tuple[int, int]:
    """Count pairs of weight and input that are not 0, and pairs that are inside."""
    connected = (layer.weight != 0).numpy().astype(int)
    _, _, delays, width = connected.shape
    samples, _, steps, channels = active.shape
    effective = dense = 0
    for centre in range(channels if layer.padded else 1):
        first = centre - width // 2 if layer.padded else 0
        for step in range(steps):
            for delay in range(delays):
                for offset in range(width):
                    source_step, source = step - (delays - 1) + delay, first + offset
                    if source_step >= 0 and 0 <= source < channels:
                        weights = connected[:, :, delay, offset]  # [map, map before]
                        effective += int((weights @ active[:, :, source_step, source].T).sum())
                        dense += samples * weights.size
    return effective, dense


def test_spikes_are_counted(fitted: FittedConvolutionalSpikingNetwork, timed: Data) -> None:
    """Input spikes are those in the window; no layer fires more often than it has neurons and steps."""
    events = timed[1].events
    spikes = fitted.predict(events).layer_spikes
    inside = np.bincount(events.sample_of_event[events.times < 0.1], minlength=len(events))
    np.testing.assert_array_equal(spikes["input"][0], inside)
    for name, most in (("hidden1", 4 * 9 * 10), ("hidden2", 6 * 5 * 5), ("hidden3", 12 * 3)):
        assert 0 < spikes[name].mean() < most


def test_it_is_for_no_chip(fitted: FittedConvolutionalSpikingNetwork) -> None:
    """Neither model nor fitted network keep the interfaces that chips and exports ask for."""
    assert not isinstance(MODEL, SpikingModel)
    assert not isinstance(fitted, SpikingNetwork)
    chips = EmulatedChips(
        chips=1,
        chip_seed=0,
        profile=ChipProfile(name="ideal", variation=Variation(), noise=Noise()),
        time_scale=2000.0,
        step_us=0.5,
        energy=ConstantPower(power_W=0.2, source="test"),
    )
    with pytest.raises(InputError, match="without shared weights"):
        chips.check(MODEL, 10, 2)


@pytest.mark.parametrize(("bins", "channels"), [(1, 1), (3, 5), (7, 2)])
def test_it_takes_any_shape(bins: int, channels: int) -> None:
    """Every task can be run: few channels, few bins, no spikes at all."""
    settings = dataclasses.replace(MODEL, frames=InputFrames(window=1.0, bins=bins, channels=channels))
    network = ConvolutionalSpikingModule(settings, channels, 2).eval()
    assert torch.isfinite(network(torch.zeros(2, bins, channels)).traces).all()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("maps", ()),
        ("maps", (0,)),
        ("kernel_steps", 0),
        ("kernel_channels", 0),
        ("features", 0),
        ("tau_mem_us", 0.0),
        ("readout_gain", -1.0),
        ("surrogate_slope", -0.1),
        ("dropout", 1.0),
        ("implementation", "snntorch"),
    ],
)
def test_wrong_settings_are_refused(key: str, value: Any) -> None:
    """Each names its key."""
    with pytest.raises(InputError, match=rf"model\.{key}"):
        dataclasses.replace(MODEL, **{key: value})
