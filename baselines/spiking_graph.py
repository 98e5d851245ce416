r"""A spiking network of several layers as a NIR graph, in continuous time.

NIR's neuron is :math:`\tau_{syn} \dot I = -I + w_{in} W S`, :math:`\tau_{mem} \dot V = -V + r I`. With
:math:`w_{in} = \tau_{syn}` a spike lifts :math:`I` by :math:`W`, and :math:`V` within a step of :math:`h` by
:math:`W r \rho / \tau_{mem}` with
:math:`\rho = \int_0^h e^{-(h - t)/\tau_{mem}} e^{-t/\tau_{syn}} dt`. In the discrete network it lifts
:math:`V` by :math:`W`, hence :math:`r = \tau_{mem} / \rho`, neuron by neuron.
"""

from itertools import pairwise

import nir
import numpy as np
import torch
from numpy.typing import NDArray

from hearspike.baselines.interface import NetworkShape
from hearspike.baselines.spiking_module import SpikingLayer, SpikingModule, TimeConstants
from hearspike.emulator.dynamics import exact_rise


@torch.no_grad()
def spiking_graph(module: SpikingModule, shape: NetworkShape, *, step: float) -> nir.NIRGraph:
    """Return a network without adaptation, delays and normalisation, whose spikes reset to 0.

    Parameters
    ----------
    module
        The network.
    shape
        Its sizes.
    step
        Length of its time steps in seconds.
    """
    nodes: dict[str, nir.NIRNode] = {"input": nir.Input({"input": np.array([shape.inputs])})}
    chain, loops = ["input"], []
    for number, layer in enumerate(module.hidden, start=1):
        assert isinstance(layer, SpikingLayer)
        name, size = f"hidden{number}", shape.hidden[number - 1]
        nodes[f"{name}_weights"] = nir.Linear(_matrix(layer.weight))
        constants = _constants(layer.time_constants, step)
        nodes[name] = nir.CubaLIF(**constants, v_threshold=np.ones(size), v_reset=np.zeros(size))
        chain += [f"{name}_weights", name]
        if layer.recurrent_weight is not None:
            nodes[f"{name}_recurrent_weights"] = nir.Linear(_matrix(layer.recurrent_weight))
            loops += [(name, f"{name}_recurrent_weights"), (f"{name}_recurrent_weights", name)]
    nodes["readout_weights"] = nir.Linear(_matrix(module.readout.weight))
    nodes["readout"] = nir.CubaLI(**_constants(module.readout.time_constants, step))
    nodes["output"] = nir.Output({"output": np.array([shape.outputs])})
    chain += ["readout_weights", "readout", "output"]
    return nir.NIRGraph(nodes=nodes, edges=[*pairwise(chain), *loops])


def _matrix(weight: torch.Tensor) -> NDArray[np.float32]:
    """Return [target, source] from [source, target]."""
    matrix: NDArray[np.float32] = np.ascontiguousarray(weight.detach().numpy().T)
    return matrix


def _constants(time_constants: TimeConstants, step: float) -> dict[str, NDArray[np.float64]]:
    tau_syn, tau_mem = (tau.detach().numpy().astype(np.float64) for tau in time_constants.seconds())
    return {
        "tau_syn": tau_syn,
        "tau_mem": tau_mem,
        "r": tau_mem / exact_rise(step, tau_mem, tau_syn),
        "v_leak": np.zeros_like(tau_mem),
        "w_in": tau_syn,
    }
