"""Constants of neurons are refused where they mean nothing."""

import pytest
import torch

from hearspike.baselines.neurons import LeakyReadout, Neurons
from hearspike.errors import InputError


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reset": "none"}, "reset: got none"),
        ({"decay_mem": torch.tensor([0.5, torch.nan])}, "decay_mem: got nan"),
        ({"decay_syn": 1.1}, "decay_syn: got 1.1"),
        ({"threshold": 0.0}, "threshold: got 0.0"),
        ({"surrogate_slope": -1.0}, "surrogate_slope: got -1.0"),
        ({"adaptation_decay": 0.9}, "both or neither"),
    ],
)
def test_constants_out_of_range_are_refused(change: dict[str, object], message: str) -> None:
    """A time constant that diverged in training is named when it does."""
    constants = {
        "decay_syn": 0.5,
        "decay_mem": 0.5,
        "threshold": 1.0,
        "reset": "zero",
        "surrogate_slope": 1.0,
    }
    with pytest.raises(InputError, match=message):
        Neurons(**constants | change)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("change", "message"),
    [({"decay_syn": -0.1}, "decay_syn: got -0.1"), ({"decay_mem": float("nan")}, "decay_mem: got nan")],
)
def test_decays_of_a_readout_are_refused_likewise(change: dict[str, float], message: str) -> None:
    """It has the same two."""
    with pytest.raises(InputError, match=message):
        LeakyReadout(weight=torch.ones(3, 2), **{"decay_syn": 0.5, "decay_mem": 0.5} | change)


def test_a_readout_has_one_decay_or_one_for_each_neuron() -> None:
    """One number is spread; three for two neurons are refused."""
    readout = LeakyReadout(weight=torch.ones(3, 2), decay_syn=0.5, decay_mem=torch.ones(3))
    with pytest.raises(InputError, match="decay_mem"):
        readout.decays(torch.device("cpu"))
