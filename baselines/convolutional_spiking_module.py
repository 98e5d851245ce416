"""Layers of spiking neurons whose weights are shared along the channels."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from hearspike.baselines.neurons import Neurons
from hearspike.baselines.spiking_layer import leaky_readout, spiking_layer
from hearspike.baselines.spiking_module import Normalisation

if TYPE_CHECKING:
    from hearspike.baselines.convolutional_spiking_network import ConvolutionalSpikingNetwork


@dataclass(frozen=True)
class MapActivity:
    """What the network does with some samples.

    Parameters
    ----------
    traces
        Membranes of the readout [sample, step, class].
    arriving
        What arrives at each layer, the readout last: [sample, map, step, channel].
    spikes
        What each layer fires: [sample, map, step, channel].
    """

    traces: torch.Tensor
    arriving: list[torch.Tensor]
    spikes: list[torch.Tensor]


class ConvolutionalSpikingModule(torch.nn.Module):
    """Convolutional layers with pooling, one layer that sees all channels, and a leaky readout."""

    def __init__(self, settings: "ConvolutionalSpikingNetwork", inputs: int, classes: int) -> None:
        super().__init__()
        self.settings = settings
        layers, before, step = [], 1, settings.frames.window / settings.frames.bins
        for maps in settings.maps:
            kernel = (maps, before, settings.kernel_steps, settings.kernel_channels)
            layers.append(MapLayer(settings, kernel, step=step, padded=True))
            before, inputs, step = maps, halved(inputs), 2 * step
        kernel = (settings.features, before, 1, inputs)
        layers.append(MapLayer(settings, kernel, step=step, padded=False))
        self.layers = torch.nn.ModuleList(layers)
        self.readout_weight = torch.nn.Parameter(
            torch.randn(settings.features, classes) / math.sqrt(settings.features)
        )
        self.readout_decay = math.exp(-step / settings.tau_mem)

    def forward(self, counts: torch.Tensor) -> MapActivity:
        """Run the network over counts [sample, step, channel]."""
        settings = self.settings
        signal = torch.log1p(counts).unsqueeze(1)
        arriving, record = [], []
        for number, layer in enumerate(self.layers):
            arriving.append(signal)
            spikes = layer(signal)
            record.append(spikes)
            last = number == len(settings.maps)
            pooled = spikes if last else torch.nn.functional.max_pool2d(spikes, 2, ceil_mode=True)
            share = settings.dropout if last else settings.dropout / 2
            signal = torch.nn.functional.dropout2d(pooled, share, self.training)
        arriving.append(signal)
        traces = leaky_readout(
            signal.squeeze(3).transpose(1, 2).contiguous(),
            self.readout_weight,
            decay_syn=0.0,
            decay_mem=self.readout_decay,
            implementation=settings.implementation,
        )
        return MapActivity(traces, arriving, record)


class MapLayer(torch.nn.Module):
    """A convolution over channels and the last few steps, onto neurons of one time constant per map."""

    def __init__(
        self,
        settings: "ConvolutionalSpikingNetwork",
        kernel: tuple[int, int, int, int],
        *,
        step: float,
        padded: bool,
    ) -> None:
        super().__init__()
        self.settings, self.step, self.padded = settings, step, padded
        maps, *sources = kernel
        self.weight = torch.nn.Parameter(torch.randn(kernel) / math.sqrt(math.prod(sources)))
        self.normalisation = Normalisation(maps)
        spread = settings.time_constant_spread * torch.randn(maps)
        self.log_tau_mem = torch.nn.Parameter(math.log(settings.tau_mem) + spread)

    def currents(self, signal: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Convolve [sample, map, step, channel]: a step sees itself and those before it."""
        _, _, steps, width = weight.shape
        side = (width // 2, (width - 1) // 2) if self.padded else (0, 0)
        return torch.nn.functional.conv2d(torch.nn.functional.pad(signal, (*side, steps - 1, 0)), weight)

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        """Map what arrives to spikes [sample, map, step, channel]."""
        # With maps next to each other in memory nothing has to be copied.
        weight = self.weight.contiguous(memory_format=torch.channels_last)
        currents = self.currents(signal, weight).permute(0, 2, 3, 1)
        samples, steps, channels, maps = currents.shape
        drive = self.normalisation(currents.reshape(-1, maps))
        spikes = spiking_layer(
            drive.view(samples, steps, channels * maps),
            None,
            Neurons(
                decay_syn=0.0,
                decay_mem=torch.exp(-self.step / self.log_tau_mem.exp()).repeat(channels),
                threshold=1.0,
                reset="subtract",
                surrogate_slope=self.settings.surrogate_slope,
            ),
            implementation=self.settings.implementation,
        )
        return spikes.reshape(samples, steps, channels, maps).permute(0, 3, 1, 2)


def halved(number: int) -> int:
    """Return how many are left of so many steps or channels after pooling pairs."""
    return -(-number // 2)
