"""Draw what three presets make of a click, a tone and a word, and what of the word comes back.

The pictures are ``docs/images/converter_*.png``.

Usage: ``python docs/make_converter_pictures.py WORD.flac`` with any recording of a word.
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from hearspike.converter import (
    Waveform,
    basilar_membrane_velocity,
    firing_probability,
    preset,
    read_audio,
    reconstruct,
    resample,
)
from hearspike.converter.resemblance import HOP_S, log_mel

Array = npt.NDArray[np.floating]
PRESETS = ("heidelberg", "causal", "speech")
RATE = 48_000
FREQUENCIES_HZ = (100, 300, 1000, 3000, 10000)
IMAGES = Path(__file__).parent / "images"


def click() -> Waveform:
    """0.1 ms of pressure in the middle of 100 ms."""
    samples = np.zeros(RATE // 10, dtype=np.float32)
    samples[RATE // 20 : RATE // 20 + 5] = 1
    return Waveform(samples, RATE)


def tone() -> Waveform:
    """1 kHz for 200 ms in the middle of 300 ms."""
    time = np.arange(RATE * 3 // 10) / RATE
    samples = np.sin(2 * np.pi * 1000 * time) * ((time >= 0.05) & (time < 0.25))
    return Waveform(samples.astype(np.float32), RATE)


def draw(name: str, sound: Waveform) -> None:
    """Draw the spikes of each preset side by side, over the frequency of the membrane's resonance."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    for axes, kind in zip(figure.subplots(1, len(PRESETS), sharey=True), PRESETS, strict=True):
        converter = preset(kind)
        trains = converter(sound.samples, sound.sample_rate, seed=0, threads=2)
        axes.plot(1000 * trains.times, trains.units, ",", color="black")
        places = [converter.membrane.place_of_resonance_cm(frequency) for frequency in FREQUENCIES_HZ]
        spacing = converter.membrane.last_place_cm / (converter.membrane.channels - 1)
        axes.set_yticks(
            [place / spacing for place in places if place <= converter.membrane.last_place_cm],
            [
                f"{frequency:,} Hz"
                for frequency, place in zip(FREQUENCIES_HZ, places, strict=True)
                if place <= converter.membrane.last_place_cm
            ],
        )
        axes.set(
            title=f"{kind}: {len(trains):,} spikes",
            xlabel="time (ms)",
            xlim=(0, 1000 * sound.duration),
            ylim=(converter.membrane.channels, 0),
        )
    figure.savefig(IMAGES / f"converter_{name}.png", dpi=100, metadata={"Software": None})


def behaviour() -> None:
    """Draw what is known of real ears: delay of a click, place of a tone, rate in noise, adaptation."""
    ear = preset("causal")
    channels = list(range(140, 700, 20))
    resonance = ear.membrane.resonance_hz()[channels]
    figure = Figure(figsize=(12, 3), layout="constrained")
    delay, place, level, onset = figure.subplots(1, 4)

    time = np.arange(RATE // 5) / RATE
    velocity = basilar_membrane_velocity((time == 0.1).astype(float), RATE, ear.membrane, channels=channels)
    energy = velocity.astype(float) ** 2
    delay.loglog(resonance, 1000 * ((energy @ time) / energy.sum(axis=1) - 0.1), ".")
    delay.set(title="click", xlabel="resonance (Hz)", ylabel="delay of the response (ms)")

    tones = np.geomspace(150, 6000, 24)
    strongest = []
    for frequency in tones:
        sound = np.sin(2 * np.pi * frequency * time)
        steady = basilar_membrane_velocity(sound, RATE, ear.membrane, channels=range(0, 700, 5))[
            :, RATE // 10 :
        ]
        strongest.append(ear.membrane.resonance_hz()[5 * steady.std(axis=1).argmax()])
    place.loglog(tones, strongest, ".")
    place.loglog(tones, tones, color="0.6", linewidth=0.8)
    place.set(title="tone", xlabel="tone (Hz)", ylabel="resonance of the place\nthat moves most (Hz)")

    def rates(drive: Array) -> Array:
        return -np.log1p(-firing_probability(drive, RATE, ear.hair_cell)) * RATE

    time = np.arange(RATE * 3 // 10) / RATE
    levels_db = np.arange(-20, 80, 4)
    tone = np.sin(2 * np.pi * 1000 * time)
    for noise in (0, 10, 40):
        masker = noise * np.random.default_rng(0).normal(size=(20, len(time)))
        curve = [rates(10 ** (db / 20) * tone + masker)[:, -RATE // 10 :].mean() for db in levels_db]
        level.plot(levels_db, curve, label=f"noise {noise}")
    level.legend(frameon=False)
    level.set(title="1 kHz tone in noise", xlabel="level of the velocity (dB re 1)", ylabel="rate (1/s)")

    burst = 100 * np.sin(2 * np.pi * 1000 * time) * ((time >= 0.1) & (time < 0.2))
    onset.plot(
        1000 * time[::240], rates(burst[None])[0].reshape(-1, 240).mean(axis=1), drawstyle="steps-post"
    )
    onset.set(title="tone from 100 to 200 ms", xlabel="time (ms)", ylabel="rate in 5 ms (1/s)")
    for axis in (delay.xaxis, delay.yaxis, place.xaxis, place.yaxis):
        axis.set_minor_formatter(NullFormatter())
    figure.savefig(IMAGES / "converter_behaviour.png", dpi=100, metadata={"Software": None})


def way_back(word: Waveform, rate: int = 16_000) -> None:
    """Draw mel spectrograms of a word and of what its spikes give back, 0 to −50 dB."""
    heard = {"original": resample(word.samples, word.sample_rate, rate)}
    for kind in PRESETS:
        converter = preset(kind)
        trains = converter(word.samples, word.sample_rate, seed=0, threads=2)
        heard[f"from the spikes of {kind}"] = reconstruct(trains, converter, sample_rate=rate).samples
    figure = Figure(figsize=(10, 2.8), layout="constrained")
    for axes, (title, samples) in zip(
        figure.subplots(1, len(heard), sharey=True), heard.items(), strict=True
    ):
        levels = log_mel(samples, rate)
        axes.imshow(
            levels,
            origin="lower",
            aspect="auto",
            cmap="magma",
            extent=(0, 1000 * HOP_S * levels.shape[1], 0, 40),
        )
        axes.set(title=title, xlabel="time (ms)")
    figure.axes[0].set_ylabel("mel band, 60 Hz to 8 kHz")
    figure.savefig(IMAGES / "converter_way_back.png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    IMAGES.mkdir(exist_ok=True)
    draw("click", click())
    draw("tone", tone())
    behaviour()
    spoken = read_audio(sys.argv[1])
    draw("word", spoken)
    way_back(spoken)
