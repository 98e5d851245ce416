"""Speech from espeak-ng, in a process of its own, the same samples on every run.

espeak-ng is a formant synthesiser (https://github.com/espeak-ng/espeak-ng, GPL-3.0-or-later); the
package ``espeakng-loader`` brings its library and voices. The library has state that no call resets:
its noise source, the phase of its pitch flutter and its echo buffer run on from one utterance to the
next. So the same utterance sounds different in another place of the list, and only a fresh process,
a seed and a fixed order give the same samples again. `synthesise` sees to all three.
"""

import ctypes
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hearspike.errors import InputError

SAMPLE_RATE = 22050
"""Sample rate of espeak-ng's speech [Hz]."""

RATE_WPM = (80, 450)
"""Speaking rates that espeak-ng keeps to (``espeakRATE`` in its speak_lib.h) [words per minute]."""

CODE = (0, 99)
"""Range of espeak-ng's pitch and intonation codes (``espeakPITCH`` and ``espeakRANGE``)."""

START_TIMEOUT_S = 60.0
UTTERANCE_TIMEOUT_S = 0.25
"""How long to wait for the process: a thousand times what it takes, so only a hung one is given up."""


@dataclass(frozen=True)
class Utterance:
    """What to say and how.

    Parameters
    ----------
    text
        The words.
    language
        Language with accent: a file name in espeak-ng's ``lang`` folder, such as ``de`` or ``en-US``.
    variant
        Voice: a file name in espeak-ng's ``voices/!v`` folder, such as ``m1`` or ``f3``.
    rate_wpm
        Speaking rate [words per minute], 80 to 450.
    pitch
        Pitch code, 0 to 99; 50 is the voice's own.
    intonation
        Code of the pitch range, 0 (monotone) to 99; 50 is the voice's own.

    Raises
    ------
    InputError
        If a number is out of its range.
    """

    text: str
    language: str
    variant: str
    rate_wpm: int
    pitch: int
    intonation: int

    def __post_init__(self) -> None:
        for name, (low, high) in {"rate_wpm": RATE_WPM, "pitch": CODE, "intonation": CODE}.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(name, getattr(self, name), f"a value from {low} to {high}")


def languages() -> set[str]:
    """Return the names of espeak-ng's languages and accents."""
    return {path.name for path in (_data_folder() / "lang").rglob("*") if path.is_file()}


def variants() -> set[str]:
    """Return the names of espeak-ng's voice variants."""
    return {path.name for path in (_data_folder() / "voices" / "!v").iterdir()}


def synthesise(utterances: Sequence[Utterance], *, seed: int) -> list[NDArray[np.int16]]:
    """Speak all utterances, in order, in a fresh process.

    Parameters
    ----------
    utterances
        What to say. The samples of one depend on all before it.
    seed
        Seed of the synthesiser's noise source, 0 to 2**31 - 1.

    Returns
    -------
    speech
        One waveform for each utterance at `SAMPLE_RATE`, full scale 2**15.

    Raises
    ------
    InputError
        If espeak-ng is not installed, has no such language or voice, or the process fails.
    """
    if not utterances:
        return []
    if not 0 <= seed < 2**31:
        raise InputError("seed", seed, "a whole number from 0 to 2**31 - 1")
    _check_names(utterances)
    # The child finds the packages where this process found them; -P: and not in the current folder.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        process = subprocess.run(
            [sys.executable, "-P", "-m", "hearspike.datasets.synthesiser"],
            input=json.dumps([seed, [asdict(utterance) for utterance in utterances]]).encode(),
            capture_output=True,
            env=environment,
            timeout=START_TIMEOUT_S + UTTERANCE_TIMEOUT_S * len(utterances),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError("espeak-ng", f"no answer in {error.timeout:.0f} s", "speech") from None
    if process.returncode != 0:
        last_words = process.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise InputError(
            "espeak-ng", f"exit status {process.returncode} ({last_words or 'no message'})", "speech"
        )
    stream = io.BytesIO(process.stdout)
    lengths, samples = np.load(stream), np.load(stream)
    speech: list[NDArray[np.int16]] = np.split(samples, np.cumsum(lengths)[:-1])
    for utterance, waveform in zip(utterances, speech, strict=True):
        if not waveform.any():
            raise InputError("espeak-ng", f"no sound for {utterance}", "speech")
    return speech


def _data_folder() -> Path:
    try:
        import espeakng_loader
    except ImportError:
        raise InputError(
            "espeakng-loader", "a package that is not installed", "pip install 'hearspike[synthetic]'"
        ) from None
    return Path(espeakng_loader.get_data_path())


def _check_names(utterances: Sequence[Utterance]) -> None:
    """Refuse unknown names: espeak-ng speaks on with another voice and reports no error."""
    for name, known in {"language": languages(), "variant": variants()}.items():
        for utterance in utterances:
            found = getattr(utterance, name)
            if found not in known:
                raise InputError(name, found, f"one of espeak-ng's: {', '.join(sorted(known))}")


# What follows runs in the child. The numbers are those of espeak-ng's public header speak_lib.h.
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_DONT_EXIT = 0x8000
POSITION_CHARACTER = 1
CHARACTERS_UTF8 = 1
PARAMETER = {"rate_wpm": 1, "pitch": 3, "intonation": 4}
SYNTH_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def _speak(utterances: Sequence[Utterance], seed: int) -> list[bytes]:
    """Speak with the library loaded into this process; 16-bit samples as bytes."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        *[ctypes.c_uint] * 4,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    data = espeakng_loader.get_data_path().encode()
    sample_rate = library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, data, INITIALIZE_DONT_EXIT)
    if sample_rate != SAMPLE_RATE:
        raise InputError("espeak-ng", f"sample rate {sample_rate} Hz", f"{SAMPLE_RATE} Hz")

    pieces: list[bytes] = []

    def keep(samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: int) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, 2 * count))
        return 0

    callback = SYNTH_CALLBACK(keep)  # named, so that it lives as long as the library may call it
    library.espeak_SetSynthCallback(callback)
    library.espeak_ng_SetRandSeed(seed)
    if os.name == "posix":
        ctypes.CDLL(None).srand(seed)  # the voices with klatt 6 take their noise from the C library

    speech = []
    for utterance in utterances:
        pieces.clear()
        _call(library.espeak_SetVoiceByName, f"{utterance.language}+{utterance.variant}".encode())
        for name, parameter in PARAMETER.items():
            _call(library.espeak_SetParameter, parameter, getattr(utterance, name), 0)
        text = utterance.text.encode()
        _call(
            library.espeak_Synth, text, len(text) + 1, 0, POSITION_CHARACTER, 0, CHARACTERS_UTF8, None, None
        )
        speech.append(b"".join(pieces))
    return speech


def _call(function: "ctypes._NamedFuncPointer", *arguments: bytes | int | None) -> None:
    status = function(*arguments)
    if status != 0:
        raise InputError(f"espeak-ng: {function.__name__}{arguments}", f"status {status}", "status 0")


def _answer() -> None:
    """Read seed and utterances from standard input, write lengths and samples to standard output."""
    seed, utterances = json.load(sys.stdin.buffer)
    speech = _speak([Utterance(**utterance) for utterance in utterances], seed)
    stream = io.BytesIO()
    np.save(stream, np.array([len(piece) // 2 for piece in speech]))
    np.save(stream, np.frombuffer(b"".join(speech), dtype=np.int16))
    sys.stdout.buffer.write(stream.getvalue())


if __name__ == "__main__":
    _answer()
