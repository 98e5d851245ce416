"""The network of the speed comparison, as users of other libraries write it.

Each library has its own neuron: snnTorch's ``Synaptic`` is ours; norse's has the same decays, a current that
acts one step later and a reset to 0; spikingjelly's has no synaptic current, so less to do. Weights are
scaled so that about as many neurons spike in each.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch

DECAY_SYN, DECAY_MEM = 0.6, 0.9
"""Of hidden neurons and readout."""
SLOPE = 25.0
"""Of the surrogate."""

Forward = Callable[[], tuple[torch.Tensor, torch.Tensor]]
"""Returns the mean readout [sample, class] and the spikes of all steps."""


def _linear(weight: torch.Tensor, factor: float = 1.0) -> torch.nn.Linear:
    """Return a linear layer whose parameter is ``weight`` [source, target] scaled, and becomes it."""
    layer = torch.nn.Linear(weight.shape[0], weight.shape[1], bias=False)
    layer.weight.data = factor * weight.detach().T.contiguous()
    return layer


def _own(modules: list[torch.nn.Module], weights: list[torch.Tensor]) -> None:
    """Let the optimiser see the parameters of the modules in the place of ``weights``."""
    weights[:] = [parameter for module in modules for parameter in module.parameters()]


def snntorch_network(frames: torch.Tensor, weights: list[torch.Tensor]) -> Forward:
    """Step ``Synaptic`` neurons over frames [step, sample, channel]."""
    import snntorch

    surrogate = snntorch.surrogate.fast_sigmoid(slope=SLOPE)
    layers = [_linear(weight) for weight in weights]
    first, last, *recurrent = layers
    _own([*layers], weights)
    hidden = snntorch.Synaptic(DECAY_SYN, DECAY_MEM, spike_grad=surrogate, reset_mechanism="subtract")
    output = snntorch.Synaptic(DECAY_SYN, DECAY_MEM, reset_mechanism="none")

    def forward() -> tuple[torch.Tensor, torch.Tensor]:
        spikes = current = membrane = torch.zeros(frames.shape[1], first.out_features)
        output_current = trace = torch.zeros(frames.shape[1], last.out_features)
        record, traces = [], []
        for frame in frames:
            drive = first(frame)
            if recurrent:
                drive = drive + recurrent[0](spikes)
            spikes, current, membrane = hidden(drive, current, membrane)
            _, output_current, trace = output(last(spikes), output_current, trace)
            record.append(spikes)
            traces.append(trace)
        return torch.stack(traces).mean(0), torch.stack(record)

    return forward


def norse_network(frames: torch.Tensor, weights: list[torch.Tensor]) -> Forward | None:
    """Step ``LIFCell`` or ``LIFRecurrentCell``; None where norse is not installed."""
    if find_spec("norse") is None:
        return None
    norse: Any = import_module("norse.torch")
    step = 1e-3
    rates = {
        "tau_syn_inv": torch.tensor((1 - DECAY_SYN) / step),
        "tau_mem_inv": torch.tensor((1 - DECAY_MEM) / step),
    }
    neurons = norse.LIFParameters(**rates, alpha=torch.tensor(SLOPE))
    gain = 1 / (1 - DECAY_MEM)  # norse scales the current by the step over the time constant
    last = _linear(weights[1], gain)
    readout = norse.LICell(norse.LIParameters(**rates), dt=step)
    modules: list[torch.nn.Module] = [last]
    if len(weights) > 2:
        first = None
        cell = norse.LIFRecurrentCell(*weights[0].shape, p=neurons, dt=step)
        cell.input_weights.data = gain * weights[0].detach().T.contiguous()
        cell.recurrent_weights.data = gain * weights[2].detach().T.contiguous()
        modules.append(cell)
    else:
        first, cell = _linear(weights[0], gain), norse.LIFCell(p=neurons, dt=step)
        modules.append(first)
    _own(modules, weights)

    def forward() -> tuple[torch.Tensor, torch.Tensor]:
        state = readout_state = None
        record, traces = [], []
        for frame in frames:
            spikes, state = cell(frame if first is None else first(frame), state)
            trace, readout_state = readout(last(spikes), readout_state)
            record.append(spikes)
            traces.append(trace)
        return torch.stack(traces).mean(0), torch.stack(record)

    return forward


def _jelly(name: str) -> Any:  # noqa: ANN401  # untyped modules
    return import_module(f"spikingjelly.activation_based.{name}")


def spikingjelly_network(frames: torch.Tensor, weights: list[torch.Tensor]) -> Forward | None:
    """Run ``LIFNode`` over all steps at once; None where spikingjelly is not installed."""
    if find_spec("spikingjelly") is None:
        return None
    parts = ("neuron", "surrogate", "layer", "functional")
    neuron, surrogate, layers, functional = map(_jelly, parts)
    tau = 1 / (1 - DECAY_MEM)
    constants = {"tau": tau, "decay_input": False, "v_reset": None, "detach_reset": True, "step_mode": "m"}
    node = neuron.LIFNode(surrogate_function=surrogate.ATan(), **constants)
    silent = neuron.LIFNode(v_threshold=1e9, store_v_seq=True, **constants)
    charge = 1 / (
        1 - DECAY_SYN
    )  # a synaptic current would bring this many times the charge of its first step
    first, last = _linear(weights[0], charge), _linear(weights[1], charge)
    modules: list[torch.nn.Module] = [first, last]
    layer = node
    if len(weights) > 2:
        node.step_mode = "s"
        hidden = weights[2].shape[0]
        layer = layers.LinearRecurrentContainer(node, hidden, hidden, bias=False, step_mode="m")
        layer.rc.weight.data[:, hidden:] = charge * weights[2].detach().T
        layer.rc.weight.data[:, :hidden] = torch.eye(hidden)
        modules.append(layer)
    _own(modules, weights)

    def forward() -> tuple[torch.Tensor, torch.Tensor]:
        functional.reset_net(layer)
        functional.reset_net(silent)
        spikes = layer(first(frames))
        silent(last(spikes))
        return silent.v_seq.mean(0), spikes

    return forward


Peers = Mapping[str, Callable[[torch.Tensor, list[torch.Tensor]], Forward | None]]
"""Name → what builds its network, from frames [step, sample, channel] and weights that it may replace."""

PEERS: Peers = {
    "snntorch": snntorch_network,
    "norse": norse_network,
    "spikingjelly": spikingjelly_network,
}
