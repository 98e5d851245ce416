"""Models behind one small interface, in software and on emulated chips."""

from hearspike.baselines.interface import (
    FittedModel,
    Model,
    NetworkShape,
    Operations,
    Predictions,
    SpikingModel,
    SpikingNetwork,
)

__all__ = [
    "FittedModel",
    "Model",
    "NetworkShape",
    "Operations",
    "Predictions",
    "SpikingModel",
    "SpikingNetwork",
]
