"""What of a trace decides."""

import pytest
import torch

from hearspike.baselines.decision import decide


def test_readouts() -> None:
    """Maximum, mean and last value over time."""
    traces = torch.tensor([[[0.0, 1.0], [3.0, 1.0], [1.0, 2.0]]])
    assert decide(traces, "maximum").tolist() == [[3.0, 2.0]]
    assert decide(traces, "sum").tolist() == [[pytest.approx(4 / 3), pytest.approx(4 / 3)]]
    assert decide(traces, "last").tolist() == [[1.0, 2.0]]
