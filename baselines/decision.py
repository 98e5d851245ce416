"""From the traces of a readout to scores of classes: what every spiking network ends in."""

import torch

from hearspike.baselines.interface import Readout


def decide(traces: torch.Tensor, readout: Readout) -> torch.Tensor:
    """Reduce [sample, time, class] traces to [sample, class] scores by their maximum, mean or last value."""
    if readout == "maximum":
        return traces.max(dim=1).values
    return traces.mean(dim=1) if readout == "sum" else traces[:, -1]
