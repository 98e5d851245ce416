"""Products of layers that do not spike are counted as NeuroBench counts them."""

import pytest
import torch

from hearspike.baselines.module_operations import count_module_operations

BATCH = 5


def network() -> torch.nn.Module:
    """Two convolutions and a linear layer, with zeros among weights and activations."""
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(4, 3, 3, stride=2, bias=False),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(3 * 4 * 5, 6),
    )
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(torch.rand_like(parameter) < 0.7)
    return module.eval()


def test_equal_to_neurobench() -> None:
    """Effective and dense MACs, to the last one."""
    benchmarks = pytest.importorskip("neurobench.benchmarks")
    from neurobench.metrics.workload import SynapticOperations
    from neurobench.models import TorchModel

    module = network()
    inputs = torch.rand(BATCH, 1, 9, 11) * (torch.rand(BATCH, 1, 9, 11) < 0.5)
    data = torch.utils.data.TensorDataset(inputs, torch.zeros(BATCH, dtype=torch.long))
    loader = torch.utils.data.DataLoader(data, batch_size=BATCH)
    benchmark = benchmarks.Benchmark(TorchModel(module), loader, [], [], [[], [SynapticOperations]])
    with torch.no_grad():
        theirs = benchmark.run(quiet=True)["SynapticOperations"]
    ours = count_module_operations(module, inputs)
    assert theirs["Effective_MACs"] == pytest.approx(ours.multiply_accumulates, rel=1e-6)
    assert theirs["Dense"] == pytest.approx(ours.dense, rel=1e-6)
    assert ours.multiply_accumulates < 0.8 * ours.dense


def test_lstm_by_hand() -> None:
    """3 inputs, 2 of them not 0, for 4 steps and 5 units: 4 · 5 products each, and of 5 states in 3 steps."""
    module = torch.nn.LSTM(3, 5, batch_first=True)
    inputs = torch.tensor([[[1.0, 0.0, 2.0]] * 4])
    operations = count_module_operations(module, inputs)
    assert operations.multiply_accumulates == 4 * 2 * 20 + 3 * 5 * 20
    assert operations.dense == 4 * (3 + 5) * 20


def test_convolution_by_hand() -> None:
    """Without zeros: 9 products for each pixel inside, 4 in a corner, 6 at an edge."""
    module = torch.nn.Conv2d(1, 2, 3, padding=1, bias=False)
    operations = count_module_operations(module, torch.ones(1, 1, 4, 5))
    assert operations.dense == operations.multiply_accumulates == 2 * (6 * 9 + 4 * 4 + 10 * 6)
