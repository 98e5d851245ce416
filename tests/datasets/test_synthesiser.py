"""espeak-ng in a process of its own: repeatable speech, and one clear line where there is none."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hearspike.datasets import synthesiser
from hearspike.datasets.synthesiser import Utterance, synthesise
from hearspike.errors import InputError


def say(text: str = "seven", **changes: Any) -> Utterance:
    usual = Utterance(text=text, language="en", variant="m1", rate_wpm=150, pitch=50, intonation=50)
    return replace(usual, **changes)


def fundamental_frequency(samples: NDArray[np.int16]) -> float:
    """Median over the voiced middle, by YIN."""
    from librosa import yin

    third = len(samples) // 3
    found = yin(samples[third : 2 * third] / 2.0**15, fmin=50.0, fmax=500.0, sr=synthesiser.SAMPLE_RATE)
    return float(np.median(found))


def test_missing_package_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(InputError, match=r"espeakng-loader: got .* pip install 'hearspike\[synthetic\]'"):
        synthesise([say()], seed=0)


@pytest.mark.parametrize(
    ("field", "value"),
    [("rate_wpm", 79), ("rate_wpm", 451), ("pitch", -1), ("pitch", 100), ("intonation", 100)],
)
def test_a_number_that_espeak_would_clip_is_refused(field: str, value: int) -> None:
    change: dict[str, Any] = {field: value}
    with pytest.raises(InputError, match=f"{field}: got {value}, expected a value from"):
        say(**change)


class TestWithEspeak:
    @pytest.fixture(autouse=True)
    def _espeak(self) -> None:
        pytest.importorskip("espeakng_loader", reason="pip install 'hearspike[synthetic]'")

    def test_same_utterances_and_seed_give_the_same_samples(self) -> None:
        # f2 has breath and echo, klatt6 draws on the C library's noise: the voices with hidden state.
        utterances = [
            say(text, variant=variant, language=language)
            for language, text in [("en-US", "six"), ("de", "fünf"), ("de", "sechs")]
            for variant in ["f2", "m1", "klatt6", "f5"]
        ]
        first, second = synthesise(utterances, seed=3), synthesise(utterances, seed=3)
        assert [piece.tobytes() for piece in first] == [piece.tobytes() for piece in second]

    def test_another_seed_gives_other_noise(self) -> None:
        first, second = (synthesise([say("six", variant="f2")], seed=seed)[0] for seed in (1, 2))
        assert first.tobytes() != second.tobytes()

    def test_speech_is_one_waveform_for_each_utterance_in_order(self) -> None:
        words = ["one", "one hundred and twenty seven thousand", "one"]
        lengths = [len(piece) for piece in synthesise([say(word) for word in words], seed=0)]
        assert lengths[1] > 2 * lengths[0]
        assert lengths[1] > 2 * lengths[2]

    def test_twice_the_rate_takes_much_less_time(self) -> None:
        slow, fast = synthesise([say(rate_wpm=100), say(rate_wpm=200)], seed=0)
        # espeak shortens vowels more than consonants, so not quite by half.
        assert 0.4 < len(fast) / len(slow) < 0.7

    def test_pitch_code_and_voice_set_the_fundamental_frequency(self) -> None:
        low, high, female = synthesise(
            [say("nine", pitch=20), say("nine", pitch=80), say("nine", variant="f2")], seed=0
        )
        # The voice files give 75 to 109 Hz for m1 and 142 to 220 Hz for f2 at code 50.
        assert 50.0 < fundamental_frequency(low) < 90.0 < fundamental_frequency(high) < 150.0
        assert 135.0 < fundamental_frequency(female) < 230.0

    def test_umlauts_are_spoken_as_letters(self) -> None:
        with_umlaut, without = synthesise([say("fünf", language="de"), say("funf", language="de")], seed=0)
        assert with_umlaut.tobytes() != without.tobytes()

    def test_an_unknown_voice_or_language_is_refused_with_the_known_ones(self) -> None:
        with pytest.raises(InputError, match=r"variant: got m99, expected one of espeak-ng's: .*m1, m2"):
            synthesise([say(), say(variant="m99")], seed=0)
        with pytest.raises(InputError, match=r"language: got xx, expected one of espeak-ng's: .*en-US"):
            synthesise([say(language="xx")], seed=0)

    def test_a_text_without_sound_is_an_error(self) -> None:
        with pytest.raises(InputError, match=r"espeak-ng: got no sound for .*text=''"):
            synthesise([say("one"), say("")], seed=0)

    @pytest.mark.parametrize("seed", [-1, 2**31])
    def test_a_seed_that_does_not_fit_is_refused(self, seed: int) -> None:
        with pytest.raises(InputError, match=r"seed: got .* expected a whole number from 0"):
            synthesise([say()], seed=seed)

    @pytest.mark.skipif(sys.platform == "win32", reason="needs a shell script as interpreter")
    @pytest.mark.parametrize(
        ("script", "message"),
        [
            ("kill -9 $$", r"espeak-ng: got exit status -9 \(no message\), expected speech"),
            ("echo no such library >&2; exit 3", r"espeak-ng: got exit status 3 \(no such library\)"),
            ("exec sleep 60", "espeak-ng: got no answer in 2 s"),
        ],
    )
    def test_a_process_that_dies_or_hangs_is_an_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
    ) -> None:
        interpreter = tmp_path / "python"
        interpreter.write_text(f"#!/bin/sh\n{script}\n")
        interpreter.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(interpreter))
        monkeypatch.setattr(synthesiser, "START_TIMEOUT_S", 2.0)
        with pytest.raises(InputError, match=message):
            synthesise([say()], seed=0)
