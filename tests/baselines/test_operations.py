"""Operations counted from shapes and spike counts are those that NeuroBench finds by watching."""

import numpy as np
import pytest
import torch

from hearspike.baselines.operations import neuron_operations, spike_operations, value_operations

STEPS, BATCH, SOURCES, TARGETS, CLASSES = 30, 6, 12, 9, 4


@pytest.fixture(scope="module")
def matrices() -> tuple[np.ndarray, np.ndarray]:
    """Positive weights of two layers, a third of them 0."""
    rng = np.random.default_rng(0)
    first = rng.uniform(0.2, 0.5, (TARGETS, SOURCES)) * (rng.random((TARGETS, SOURCES)) > 1 / 3)
    second = rng.uniform(0.2, 0.5, (CLASSES, TARGETS)) * (rng.random((CLASSES, TARGETS)) > 1 / 3)
    first[:, 0], second[:, 0] = 0.3, 0.3
    return first.astype(np.float32), second.astype(np.float32)


@pytest.mark.parametrize("spiking", [True, False])
def test_equal_to_neurobench(matrices: tuple[np.ndarray, np.ndarray], spiking: bool) -> None:
    """Effective and dense synaptic operations and membrane updates of snnTorch's neurons, to the last one."""
    snntorch = pytest.importorskip("snntorch")
    benchmarks = pytest.importorskip("neurobench.benchmarks")
    from neurobench.metrics.static import Footprint
    from neurobench.metrics.workload import MembraneUpdates, SynapticOperations
    from neurobench.models import SNNTorchModel

    first, second = matrices

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.Linear(SOURCES, TARGETS, bias=False)
            self.hidden = snntorch.Leaky(beta=0.9, init_hidden=True)
            self.second = torch.nn.Linear(TARGETS, CLASSES, bias=False)
            self.readout = snntorch.Leaky(beta=0.9, init_hidden=True, output=True)
            for layer, weights in ((self.first, first), (self.second, second)):
                layer.weight.data = torch.from_numpy(weights)
            self.hidden_spikes = torch.zeros(TARGETS)

        def forward(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            spikes = self.hidden(self.first(inputs))
            self.hidden_spikes = self.hidden_spikes + spikes.sum(0)
            spikes, membrane = self.readout(self.second(spikes))
            return spikes, membrane

    rng = np.random.default_rng(1)
    inputs = (rng.random((BATCH, STEPS, SOURCES)) < 0.3).astype(np.float32)
    # Source 0 reaches every neuron and always fires, so that every membrane moves in every step.
    inputs[:, :, 0] = 1.0
    if not spiking:
        inputs *= rng.uniform(0.5, 0.9, inputs.shape).astype(np.float32)
    net = Net()
    data = [(torch.from_numpy(inputs), torch.zeros(BATCH, dtype=torch.long))]
    benchmark = benchmarks.Benchmark(
        SNNTorchModel(net),
        torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data[0]), batch_size=BATCH),
        [],
        [],
        [[Footprint], [SynapticOperations, MembraneUpdates]],
    )
    with torch.no_grad():
        theirs = benchmark.run(quiet=True)

    active = np.count_nonzero(inputs, axis=(0, 1)) / BATCH
    count = spike_operations if spiking else value_operations
    ours = count(first, active, steps=STEPS)
    ours += spike_operations(second, net.hidden_spikes.numpy() / BATCH, steps=STEPS)
    assert theirs["SynapticOperations"]["Effective_ACs"] == pytest.approx(ours.accumulates, rel=1e-6)
    assert theirs["SynapticOperations"]["Effective_MACs"] == pytest.approx(
        ours.multiply_accumulates, rel=1e-6
    )
    assert theirs["SynapticOperations"]["Dense"] == pytest.approx(ours.dense, rel=1e-6)
    neurons = neuron_operations(TARGETS, steps=STEPS, states=1)
    neurons += neuron_operations(CLASSES, steps=STEPS, states=1)
    assert theirs["MembraneUpdates"] == pytest.approx(neurons.neuron_updates, rel=1e-6)
    assert neurons.neuron_updates == STEPS * (TARGETS + CLASSES)


def test_by_hand() -> None:
    """Two sources with three and one weights that are not 0 fire twice and five times: 2 · 3 + 5 · 1."""
    weights = np.array([[1.0, 0.0], [2.0, 3.0], [1.0, 0.0]])
    operations = spike_operations(weights, [2, 5], steps=10)
    assert (operations.accumulates, operations.multiply_accumulates, operations.dense) == (11.0, 0.0, 60.0)
    neurons = neuron_operations(3, steps=10, states=2)
    assert (neurons.multiply_accumulates, neurons.neuron_updates, neurons.state_bytes) == (60.0, 30.0, 24.0)
    total = operations + neurons
    assert (total.accumulates, total.multiply_accumulates) == (11.0, 60.0)
