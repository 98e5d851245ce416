"""Spike times of a recurrent network against Brian2, which integrates the same equations by itself."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import nir
import numpy as np
import pytest
from numpy.typing import NDArray

from hearspike.emulator import BSS2, ChipProfile, draw_chips, emulate, place

Chain = Callable[..., nir.NIRGraph]
TIME_SCALE, DURATION = 1000.0, 60e-6


class WithoutPtp(importlib.machinery.SourceFileLoader):
    """Loads Brian2 2.9, which names a method that numpy 2.4 no longer has, with the function instead."""

    def get_data(self, path: str) -> bytes:
        return super().get_data(path).replace(b"np.ndarray.ptp", b"np.ptp")

    def get_code(self, fullname: str) -> types.CodeType:
        return compile(self.get_data(self.path), self.path, "exec")


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname != "brian2.units.fundamentalunits":
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = WithoutPtp(fullname, spec.origin)
        return spec


@pytest.fixture(scope="module")
def brian2() -> Any:
    if importlib.util.find_spec("brian2") is None:
        pytest.skip("Brian2 is not installed (extra: test)")
    finder = Finder()
    sys.meta_path.insert(0, finder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("brian2")
    finally:
        sys.meta_path.remove(finder)


def simulate(
    brian2: Any,
    weights: NDArray[Any],
    loop: NDArray[Any],
    times: NDArray[Any],
    units: NDArray[Any],
    *,
    dt: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return times [s] and neurons of all spikes; weights are jumps of the drive in thresholds.

    Brian2 counts the refractory period from the beginning of the step of a spike, the emulator from
    its end: hence a step more.
    """
    brian2.prefs.codegen.target = "numpy"
    brian2.start_scope()
    brian2.defaultclock.dt = dt * brian2.second
    neurons = brian2.NeuronGroup(
        len(weights),
        "dv/dt = (s - v) / (10*usecond) : 1 (unless refractory)\nds/dt = -s / (5*usecond) : 1",
        threshold="v > 1",
        reset="v = 0",
        refractory=(2e-6 + dt) * brian2.second,
        method="exact",
        namespace={"usecond": 1e-6 * brian2.second},
    )
    source = brian2.SpikeGeneratorGroup(weights.shape[1], units, times * brian2.second)
    forward = brian2.Synapses(source, neurons, "w : 1", on_pre="s_post += w")
    forward.connect()
    forward.w = weights.T.ravel()
    backward = brian2.Synapses(neurons, neurons, "w : 1", on_pre="s_post += w")
    backward.connect()
    backward.w = loop.T.ravel()
    monitor = brian2.SpikeMonitor(neurons)
    network = brian2.Network(neurons, source, forward, backward, monitor)
    network.run(DURATION * brian2.second)
    return np.asarray(monitor.t / brian2.second), np.asarray(monitor.i, np.int64)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_spikes_of_a_recurrent_network_are_those_of_brian2(
    brian2: Any, chain: Chain, ideal: ChipProfile
) -> None:
    """Same neurons in the same steps, but for the step by which Brian2 delivers its input later.

    Input spikes lie on the grid, and weights are whole codes, so that placement rounds nothing.
    """
    generator = np.random.default_rng(3)
    dt, sources, size = 0.1e-6, 6, 8
    codes, loop_codes = (
        generator.integers(-20, 63, (size, sources)),
        generator.integers(-20, 20, (size, size)),
    )
    codes[0, 0] = 63
    scale = 25.0
    times = np.sort(generator.choice(500, 60, replace=False)) * dt
    units = generator.integers(0, sources, 60)
    found_times, found_neurons = simulate(brian2, codes / scale, loop_codes / scale, times, units, dt=dt)
    every_step = replace(BSS2, cadc_period=dt)
    graph = chain(codes / scale, np.zeros((1, size)), recurrent=[loop_codes / scale])
    placement = place(graph, every_step, time_scale=TIME_SCALE)
    chips = draw_chips(ideal, every_step, chips=1, seed=0)
    shown = emulate(
        placement,
        chips,
        times * TIME_SCALE,
        units,
        [0, len(times)],
        duration=DURATION * TIME_SCALE,
        noise_seed=0,
        step=dt,
        record="all",
    )
    assert shown.spikes is not None
    ours = [shown.read_times[np.flatnonzero(train)] / TIME_SCALE for train in shown.spikes[0, 0].T]
    theirs = [found_times[found_neurons == neuron] for neuron in range(size)]
    assert sum(map(len, theirs)) > 40
    assert [len(train) for train in ours] == [len(train) for train in theirs]
    differences = np.concatenate(ours) - np.concatenate(theirs)
    assert np.abs(differences - np.median(differences)).max() < 0.5 * dt
    assert abs(np.median(differences)) <= 1.5 * dt
