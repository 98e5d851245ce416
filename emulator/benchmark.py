"""How fast the emulator runs: two published network shapes with random weights and inputs."""

import statistics
import time
from dataclasses import dataclass
from itertools import pairwise

import nir
import numpy as np
from numpy.typing import NDArray

from hearspike.emulator.emulation import emulate
from hearspike.emulator.fixed_pattern import draw_chips
from hearspike.emulator.placement import place
from hearspike.emulator.profile import ChipProfile
from hearspike.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A network shape, its input and its step.

    Parameters
    ----------
    name
        What it stands for.
    inputs, hidden, outputs, recurrent
        Shape of the network.
    tau_mem, tau_syn, duration
        Time constants and time per sample [s of network time].
    time_scale, step
        Network time over chip time, and step [s of chip time].
    events
        Input spikes per sample, spread evenly over inputs and the first three quarters of the time.
    drive
        Standard deviation of a hidden neuron's summed input jumps, in thresholds, which sets how much it
        spikes.
    samples
        Samples per chip.
    """

    name: str
    inputs: int
    hidden: int
    outputs: int
    recurrent: bool
    tau_mem: float
    tau_syn: float
    duration: float
    time_scale: float
    step: float
    events: int
    drive: float
    samples: int


WORKLOADS = (
    # Cramer et al. 2022: 16 × 16 pixels, 34 us per image, time constants of 6 us.
    Workload(
        name="MNIST 256-246-10",
        inputs=256,
        hidden=246,
        outputs=10,
        recurrent=False,
        tau_mem=6e-3,
        tau_syn=6e-3,
        duration=34e-3,
        time_scale=1000.0,
        step=0.5e-6,
        events=80,
        drive=4.5,
        samples=2500,
    ),
    # Cramer et al. 2022: 70 channels, 186 recurrent neurons, twice the nominal acceleration.
    Workload(
        name="SHD 70-186 recurrent-20",
        inputs=70,
        hidden=186,
        outputs=20,
        recurrent=True,
        tau_mem=20e-3,
        tau_syn=10e-3,
        duration=1.0,
        time_scale=2000.0,
        step=0.5e-6,
        events=700,
        drive=5.0,
        samples=300,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Measured speed of a workload.

    Parameters
    ----------
    workload
        Its name.
    chips, samples, steps
        Size of the run; an inference is a sample on a chip.
    hidden_spikes
        Mean spikes of the hidden layer per inference.
    first_s
        Wall time of a first run on one sample: compiling, or loading what was compiled before [s].
    wall_s, cpu_s
        Median wall and processor time of a run [s].
    inferences_per_s, inferences_per_core_s
        Chips × samples per wall time and per processor time; the second is what is left to compare on a
        machine that does other things as well.
    snntorch_inferences_per_s, snntorch_hidden_spikes, ratio_to_snntorch
        The same network and step of ideal neurons in snnTorch, timed right after; and the ratio to it.
    """

    workload: str
    chips: int
    samples: int
    steps: int
    hidden_spikes: float
    first_s: float
    wall_s: float
    cpu_s: float
    inferences_per_s: float
    inferences_per_core_s: float
    snntorch_inferences_per_s: float
    snntorch_hidden_spikes: float
    ratio_to_snntorch: float


def random_network(workload: Workload, *, seed: int) -> nir.NIRGraph:
    """Return a network of the workload's shape with normal weights."""
    generator = np.random.default_rng(seed)

    def weights(neurons: int, sources: int, drive: float) -> NDArray[np.float64]:
        return generator.normal(0.0, drive / np.sqrt(sources), (neurons, sources)) * workload.tau_syn

    def neurons(count: int) -> dict[str, NDArray[np.float64]]:
        return {
            "tau_syn": np.full(count, workload.tau_syn),
            "tau_mem": np.full(count, workload.tau_mem),
            "r": np.ones(count),
            "v_leak": np.zeros(count),
        }

    nodes = {
        "input": nir.Input({"input": np.array([workload.inputs])}),
        "input_weights": nir.Linear(weights(workload.hidden, workload.inputs, workload.drive)),
        "hidden": nir.CubaLIF(**neurons(workload.hidden), v_threshold=np.ones(workload.hidden)),
        "readout_weights": nir.Linear(weights(workload.outputs, workload.hidden, 1.0)),
        "readout": nir.CubaLI(**neurons(workload.outputs)),
        "output": nir.Output({"output": np.array([workload.outputs])}),
    }
    chain = list(nodes)
    edges = list(pairwise(chain))
    if workload.recurrent:
        nodes["recurrent_weights"] = nir.Linear(weights(workload.hidden, workload.hidden, 1.0))
        edges += [("hidden", "recurrent_weights"), ("recurrent_weights", "hidden")]
    return nir.NIRGraph(nodes, edges)


def measure(
    workload: Workload, profile: ChipProfile, *, chips: int, repeats: int = 5, seed: int = 0
) -> Timing:
    """Time a workload on ``chips`` chips of a profile: placement and drawing apart, events to labels within.

    Raises
    ------
    InputError
        If ``repeats`` is below 1.
    """
    if repeats < 1:
        raise InputError("repeats", repeats, "a whole number of at least 1")
    graph = random_network(workload, seed=seed)
    placement = place(graph, time_scale=workload.time_scale)
    population = draw_chips(profile, chips=chips, seed=seed)
    generator = np.random.default_rng(seed)
    total = workload.samples * workload.events
    times = generator.uniform(0.0, 0.75 * workload.duration, total)
    units = generator.integers(0, workload.inputs, total)
    offsets = workload.events * np.arange(workload.samples + 1)

    def run(samples: int) -> tuple[float, float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        emulation = emulate(
            placement,
            population,
            times[: offsets[samples]],
            units[: offsets[samples]],
            offsets[: samples + 1],
            duration=workload.duration,
            step=workload.step,
            noise_seed=seed,
        )
        emulation.decide("maximum")
        spikes = float(emulation.layer_spikes["hidden"].mean())
        return time.perf_counter() - wall, time.process_time() - cpu, spikes

    first, _, _ = run(1)
    run(workload.samples)
    walls, cpus, spikes = zip(*(run(workload.samples) for _ in range(repeats)), strict=True)
    wall, cpu = statistics.median(walls), statistics.median(cpus)
    from hearspike.emulator.snntorch_benchmark import measure_snntorch

    peer = measure_snntorch(
        graph, times, units, offsets, duration=workload.duration, step=workload.step * workload.time_scale
    )
    return Timing(
        workload=workload.name,
        chips=chips,
        samples=workload.samples,
        steps=round(workload.duration / workload.time_scale / workload.step),
        hidden_spikes=spikes[0],
        first_s=first,
        wall_s=wall,
        cpu_s=cpu,
        inferences_per_s=chips * workload.samples / wall,
        inferences_per_core_s=chips * workload.samples / cpu,
        snntorch_inferences_per_s=peer.inferences_per_s,
        snntorch_hidden_spikes=peer.hidden_spikes,
        ratio_to_snntorch=chips * workload.samples / wall / peer.inferences_per_s,
    )


def benchmark(profile: ChipProfile, *, chips: int = 8, repeats: int = 5) -> list[Timing]:
    """Time every workload with all mechanisms of a profile; one row each."""
    return [measure(workload, profile, chips=chips, repeats=repeats) for workload in WORKLOADS]
