"""The same steps in torch, on any device, for all trials at once: an oracle for graphics cards too.

It does the float32 operations of `hearspike.emulator.reference` in their order, so that codes and spikes are
the same bit for bit wherever float32 sums and products are rounded as IEEE 754 says. Importing this module
imports torch.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hearspike.emulator.dynamics import StepConstants, driving_weights
from hearspike.emulator.noise import BYTES_DEVIATION, BYTES_MEAN, ELEMENT_STRIDE, STEP_STRIDE
from hearspike.emulator.trials import Recording, Trials, blank_recording

WORD = 0xFFFFFFFF


def _mix(x: Tensor) -> Tensor:
    """Return the 32-bit finaliser of MurmurHash3 of words held in 64 bits."""
    x = (x ^ (x >> 16)) * 0x85EBCA6B & WORD
    x = (x ^ (x >> 13)) * 0xC2B2AE35 & WORD
    return x ^ (x >> 16)


def _byte_sums(key: Tensor, step: int, elements: int) -> Tensor:
    """Return the sums of four uniform bytes [..., element] for keys [..., 2]."""
    word = _mix((key[..., 0] + step * STEP_STRIDE) & WORD) ^ key[..., 1]
    spread = torch.arange(elements, device=key.device) * ELEMENT_STRIDE & WORD
    x = _mix((word[..., None] + spread) & WORD)
    return ((x & 255) + (x >> 8 & 255) + (x >> 16 & 255) + (x >> 24)).to(torch.float32)


def _by_sign(weights: Tensor) -> Tensor:
    """Return excitatory and inhibitory weights, and a source without any [sign, chip, source, neuron]."""
    split = torch.stack([weights.clamp(min=0), weights.clamp(max=0)])
    return torch.nn.functional.pad(split, (0, 0, 0, 1))


def _arrivals(trials: Trials, keys: NDArray[np.uint32], nothing: int) -> list[NDArray[np.int64]]:
    """Return the sources that arrive at each step, first those that come first [step][place, chip, sample].

    Trials with fewer events have the source ``nothing`` in the places left.
    """
    chips, samples = trials.keys.shape[:2]
    by_step: list[list[list[int]]] = [[[] for _ in range(chips * samples)] for _ in range(trials.steps)]
    for chip, sample in np.ndindex(chips, samples):
        own = slice(trials.offsets[sample], trials.offsets[sample + 1])
        arrival = trials.times[own].copy()
        if trials.spike_jitter > 0:
            key = torch.from_numpy(keys[chip, sample].astype(np.int64))
            jitter = (_byte_sums(key, 0, len(arrival)) - BYTES_MEAN).numpy().astype(np.float64)
            arrival += trials.spike_jitter / BYTES_DEVIATION * jitter
        at = np.maximum(np.floor(arrival + 0.5), 0)
        for step, unit in zip(at, trials.units[own], strict=True):
            if step < trials.steps:
                by_step[int(step)][chip * samples + sample].append(int(unit))
    arrivals = []
    for lists in by_step:
        places = np.full((max(map(len, lists)), chips * samples), nothing)
        for trial, sources in enumerate(lists):
            places[: len(sources), trial] = sources
        arrivals.append(places.reshape(-1, chips, samples))
    return arrivals


def run(constants: StepConstants, trials: Trials, *, device: str = "cpu") -> Recording:
    """Run every chip and sample; the same result as `hearspike.emulator.reference.run`.

    Parameters
    ----------
    constants, trials
        As for every implementation.
    device
        Name of a torch device.
    """
    k = constants

    def move(array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    def per_chip(array: NDArray[np.generic]) -> Tensor:
        return move(array)[:, None]  # beside the samples

    recording = blank_recording(trials)
    chips, samples = trials.keys.shape[:2]
    neurons, spiking, steps = k.leak.shape[1], len(trials.layer_of), trials.steps
    inputs, reads = len(k.target_start) - spiking, len(trials.read_steps)
    keys = move(trials.keys.astype(np.int64))
    noise_step = k.noise_step * np.float32(1 / BYTES_DEVIATION)
    noise, noise_rest = per_chip(noise_step), per_chip(k.noise_rest * np.float32(1 / BYTES_DEVIATION))
    pull = per_chip(k.pull - np.float32(BYTES_MEAN) * noise_step)
    decay_mem, decay_syn = per_chip(k.decay_mem), move(k.decay_syn).movedim(1, 0)[:, :, None]
    reset, threshold = per_chip(k.reset), per_chip(k.threshold)[..., :spiking]
    gain, offset = per_chip(k.code_gain), per_chip(k.code_offset)
    refractory = per_chip(k.refractory_steps.astype(np.int64))
    weights = _by_sign(move(driving_weights(k)))
    arrivals = _arrivals(trials, trials.keys[:, :, 1], nothing=inputs + spiking)
    chip = torch.arange(chips, device=device)[:, None]
    v = per_chip(k.leak) + (_byte_sums(keys[:, :, 0], 0, neurons) - BYTES_MEAN) * noise_rest
    u = torch.zeros((2, chips, samples, neurons), device=device)
    held = torch.zeros((chips, samples, neurons), dtype=torch.int64, device=device)
    fired = torch.zeros((chips, samples, spiking), dtype=torch.bool, device=device)
    counts = torch.zeros((chips, samples, spiking), dtype=torch.int64, device=device)
    noisy, read_noise = bool((noise_step > 0).any()), float(np.float32(trials.cadc_noise / BYTES_DEVIATION))
    read_neurons = move(trials.read_neurons)
    read = 0
    for n in range(steps + 1):
        if read < reads and trials.read_steps[read] == n:
            code = offset + gain * v
            if read_noise > 0:
                code = code + (_byte_sums(keys[:, :, 2], read, neurons) - BYTES_MEAN) * read_noise
            shown = torch.clip(torch.floor(code + 0.5), 0, 255).to(torch.uint8)[..., read_neurons]
            recording.codes[:, :, read] = shown.cpu().numpy()
            read += 1
        if n == steps:
            break
        for source in move(arrivals[n]):
            u += weights[:, chip, source]
        for neuron in torch.nonzero(fired.any(dim=0).any(dim=0)).flatten().tolist():
            u += torch.where(fired[..., neuron, None], weights[:, :, None, inputs + neuron], 0.0)
        moved = v * decay_mem + u[0] + u[1] + pull
        if noisy:
            moved = moved + _byte_sums(keys[:, :, 0], n + 1, neurons) * noise
        waiting = n < held
        v = torch.where(waiting, reset, moved)
        u = u * decay_syn
        fired = (v[..., :spiking] > threshold) & ~waiting[..., :spiking]
        every = torch.nn.functional.pad(fired, (0, neurons - spiking))
        v = torch.where(every, reset, v)
        held = torch.where(every, n + 1 + refractory, held)
        counts += fired
        if trials.raster:
            recording.raster[:, :, min(read, reads - 1)] += fired.to(torch.uint8).cpu().numpy()
    for layer in np.unique(trials.layer_of):
        own = torch.from_numpy(trials.layer_of == layer).to(device)
        recording.counts[:, :, layer] = counts[..., own].sum(dim=-1).cpu().numpy()
    return recording
