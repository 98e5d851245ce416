"""Run a placed network on many chips at once, and read the result as the chip shows it."""

import functools
import itertools
import math
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hearspike.emulator.activity import count_activity
from hearspike.emulator.circuits import Circuits, PlacedCircuits
from hearspike.emulator.dynamics import StepConstants, step_constants
from hearspike.emulator.fixed_pattern import FixedPattern
from hearspike.emulator.noise import trial_keys
from hearspike.emulator.outcome import Emulation
from hearspike.emulator.placement import Placement
from hearspike.emulator.trials import Recording, Trials
from hearspike.errors import InputError

Record = Literal["readout", "all"]
Implementation = Literal["numba", "numpy", "torch"]

DEFAULT_STEP = 0.5e-6  # s of chip time: a twelfth of the 6 us time constants of the published experiments
STEPS_PER_TIME_CONSTANT = 2  # coarser steps would shift spikes by the time in which a PSP rises
REST_READS = 128  # reads of the run with all synapses at 0 from which the resting codes are taken
LATEST = 2.0**31  # steps; what comes later is cut to this, beyond any duration
REST_SAMPLE = 2**62  # number of that run among the samples: no data set has as many


def emulate(
    placement: Placement,
    chips: FixedPattern,
    times: ArrayLike,
    units: ArrayLike,
    offsets: ArrayLike,
    *,
    duration: float,
    noise_seed: int,
    step: float = DEFAULT_STEP,
    record: Record = "readout",
    first_sample: int = 0,
    samples_per_batch: int | None = None,
    circuits: Circuits | None = None,
    implementation: Implementation = "numba",
    device: str = "cpu",
) -> Emulation:
    """Present every sample to every chip.

    Parameters
    ----------
    placement
        The network on the chip.
    chips
        The chips, with the noise of their profile.
    times, units
        Events of all samples: time [event, s of network time] and external input [event].
    offsets
        Sample b has the events offsets[b] to offsets[b + 1] [sample + 1].
    duration
        Time for which a sample is presented [s of network time]; what comes later is not presented.
    noise_seed
        Seed of the trial noise.
    step
        Time step [s of chip time]; events and spikes lie on its grid.
    record
        ``"readout"``: codes of the readouts. ``"all"``: codes of all neurons, and the spikes between reads.
    first_sample
        Number of the first sample in its data set. Noise belongs to (noise seed, chip, sample), so that a
        data set gives the same result in one call or many.
    samples_per_batch
        Samples that the chip runs in one go: the drift of its thresholds is drawn anew for each batch. All
        samples of a data set are one batch unless given.
    circuits
        Short-term plasticity, adaptive neurons, conductance-based synapses or correlation sensors; of the
        implementations ``"numpy"`` has them.
    implementation
        ``"numba"``: the parallel kernel. ``"numpy"``: the slow oracle, with the same result. ``"torch"``: all
        trials at once on a torch device, with the same result.
    device
        Name of the torch device, for ``"torch"``.

    Returns
    -------
    Emulation
        Codes, spike counts and times.

    Raises
    ------
    InputError
        If events are malformed, negative or not finite in time or beyond the inputs; if the step is too
        coarse for the time constants or the converter; if a batch exceeds the chip's memory; if a chip has
        too few usable circuits.
    """
    events = _check_events(placement, times, units, offsets)
    if not (math.isfinite(duration) and duration > 0):
        raise InputError("duration", duration, "a finite time above 0 s")
    for name, value in (("noise_seed", noise_seed), ("first_sample", first_sample)):
        if value < 0:
            raise InputError(name, value, "a whole number of at least 0")
    if record not in ("readout", "all"):
        raise InputError("record", record, "one of readout, all")
    _check_step(placement, step)
    if implementation not in ("numba", "numpy", "torch"):
        raise InputError("implementation", implementation, "one of numba, numpy, torch")
    if circuits is not None and implementation != "numpy":
        raise InputError("implementation", implementation, "numpy, the one that runs `circuits`")

    seconds = duration / placement.time_scale
    arrivals, lost_events = _arrivals(placement, chips, events[0], events[2])
    run = functools.partial(
        _run,
        placement,
        chips,
        noise_seed=noise_seed,
        step=step,
        circuits=(circuits or Circuits()).on(placement, step=step),
        implementation=implementation,
        device=device,
    )
    numbers = first_sample + np.arange(len(events[2]) - 1)
    parts = []
    for batch, own in _batches(placement, numbers, samples_per_batch, seconds):
        constants = step_constants(placement, chips, step=step, noise_seed=noise_seed, batch=batch)
        span = slice(events[2][own.start], events[2][own.stop])
        batch_offsets = events[2][own.start : own.stop + 1] - span.start
        part, read_times = run(
            constants,
            arrivals[span],
            events[1][span],
            batch_offsets,
            seconds=seconds,
            record=record,
            sample_index=numbers[own],
        )
        parts.append(part)
    shown = _join(parts)
    silence = (np.empty(0), np.empty(0, np.int64), np.zeros(2, np.int64))
    rest_seconds = REST_READS * placement.specification.cadc_period
    quiet, _ = run(
        replace(constants, weights=np.zeros_like(constants.weights)),
        *silence,
        seconds=rest_seconds,
        record="readout",
        sample_index=np.array([REST_SAMPLE]),
    )

    readout = placement.layers[-1]
    read = shown.codes[..., -len(readout.leak) :]
    at_end = (read == 0) | (read == placement.specification.cadc_maximum)
    return Emulation(
        cadc=shown.codes,
        spikes=shown.raster if record == "all" else None,
        layer_spikes={layer.name: shown.counts[..., i] for i, layer in enumerate(placement.layers[:-1])},
        read_times=read_times * placement.time_scale,
        rest=quiet.codes[:, 0].mean(axis=1),
        bias=placement.specification.codes_per_threshold * readout.leak,
        time_on_chip=seconds,
        lost_events=lost_events,
        duration=duration,
        activity=count_activity(placement, events, shown, seconds),
        correlation=shown.correlation if circuits is not None and circuits.correlation else None,
        saturated=at_end.mean(axis=(1, 2, 3)) if len(numbers) else np.zeros(len(chips)),
    )


def _arrivals(
    placement: Placement, chips: FixedPattern, times: NDArray[np.float64], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return when each event reaches the synapses [s of chip time], and how many of each sample never do."""
    arrivals = times / placement.time_scale
    links = chips.profile.links
    if links is None:
        return arrivals, np.zeros(len(offsets) - 1, np.int64)
    arrivals = links.carry(arrivals, offsets, clock=placement.specification.event_period)
    lost = np.concatenate([[0], np.cumsum(np.isinf(arrivals))])
    return arrivals, np.diff(lost[offsets])


def _batches(
    placement: Placement, numbers: NDArray[np.int64], samples_per_batch: int | None, seconds: float
) -> list[tuple[int, slice]]:
    """Return the number of each batch, and which of the samples are in it."""
    if samples_per_batch is None:
        return [(0, slice(0, len(numbers)))]
    specification = placement.specification
    limit = specification.batch_limit(math.floor(seconds / specification.cadc_period) + 1)
    if not 1 <= samples_per_batch <= limit:
        raise InputError(
            "samples_per_batch",
            samples_per_batch,
            f"1 to {limit}, as many as {specification.trace_memory_bytes} bytes of trace memory hold",
        )
    batch = numbers // samples_per_batch
    starts = [0, *(np.flatnonzero(np.diff(batch)) + 1).tolist(), len(numbers)]
    return [(int(batch[a]) if a < len(batch) else 0, slice(a, b)) for a, b in itertools.pairwise(starts)]


def _join(parts: list[Recording]) -> Recording:
    """Put the samples of several batches into one recording."""
    if len(parts) == 1:
        return parts[0]
    return Recording(
        codes=np.concatenate([part.codes for part in parts], axis=1),
        raster=np.concatenate([part.raster for part in parts], axis=1),
        counts=np.concatenate([part.counts for part in parts], axis=1),
        correlation=np.concatenate([part.correlation for part in parts], axis=1),
    )


def _run(
    placement: Placement,
    chips: FixedPattern,
    constants: StepConstants,
    times: NDArray[np.float64],
    units: NDArray[np.int64],
    offsets: NDArray[np.int64],
    *,
    seconds: float,
    step: float,
    noise_seed: int,
    record: Record,
    sample_index: NDArray[np.int64],
    circuits: PlacedCircuits,
    implementation: Implementation,
    device: str,
) -> tuple[Recording, NDArray[np.float64]]:
    """Run for some seconds of chip time; return the recording and the times of the reads [s of chip time]."""
    steps = max(round(seconds / step), 1)
    period = placement.specification.cadc_period
    reads = np.arange(math.floor(steps * step / period * (1 + 1e-12)) + 1)
    read_steps = np.minimum(np.rint(reads * period / step), steps).astype(np.int64)
    layer_of = [np.full(len(layer.leak), i) for i, layer in enumerate(placement.layers[:-1])]
    noise = chips.profile.noise
    trials = Trials(
        keys=trial_keys(noise_seed, chips.seed, chips.index, sample_index),
        times=np.minimum(times / step, LATEST),
        units=units,
        offsets=offsets,
        steps=steps,
        read_steps=read_steps,
        read_neurons=np.arange(placement.spiking if record == "readout" else 0, placement.neurons),
        layer_of=np.concatenate(layer_of) if layer_of else np.empty(0, np.int64),
        spike_jitter=noise.spike_jitter / step,
        cadc_noise=noise.cadc_lsb,
        raster=record == "all",
    )
    if implementation == "numba":
        from hearspike.emulator import kernel

        recording = kernel.run(constants, trials)
    elif implementation == "torch":
        from hearspike.emulator import torch_reference

        recording = torch_reference.run(constants, trials, device=device)
    else:
        from hearspike.emulator import reference

        recording = reference.run(constants, trials, circuits)
    return recording, read_steps * step


def _check_events(
    placement: Placement, times: ArrayLike, units: ArrayLike, offsets: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the events as arrays, or refuse them."""
    time, unit, offset = np.asarray(times, np.float64), np.asarray(units), np.asarray(offsets)
    if time.ndim != 1 or unit.shape != time.shape:
        raise InputError("units", f"shape {unit.shape}", f"one unit per time, shape {time.shape}")
    if (
        offset.ndim != 1
        or len(offset) < 1
        or offset[0] != 0
        or offset[-1] != len(time)
        or (np.diff(offset) < 0).any()
    ):
        found = f"{offset[:1]}…{offset[-1:]}" if offset.ndim == 1 else f"shape {offset.shape}"
        raise InputError("offsets", found, f"numbers that rise from 0 to {len(time)}, the number of events")
    wrong = ~(np.isfinite(time) & (time >= 0))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InputError(f"times[{at}]", float(time[at]), "a finite time of at least 0 s")
    outside = (unit < 0) | (unit >= placement.inputs)
    if outside.any():
        at = int(np.argmax(outside))
        raise InputError(f"units[{at}]", int(unit[at]), f"an input from 0 to {placement.inputs - 1}")
    return time, unit.astype(np.int64), offset.astype(np.int64)


def _check_step(placement: Placement, step: float) -> None:
    """Refuse a step that is not small against the time constants and the time between reads."""
    shortest = min(min(layer.tau_mem.min(), layer.tau_syn.min()) for layer in placement.layers)
    longest_step = min(float(shortest) / STEPS_PER_TIME_CONSTANT, placement.specification.cadc_period)
    if not (math.isfinite(step) and 0 < step <= longest_step * (1 + 1e-9)):
        expected = (
            f"a step above 0 and at most {longest_step:.3g} s (half the shortest time constant, one read)"
        )
        raise InputError("step", step, expected)
