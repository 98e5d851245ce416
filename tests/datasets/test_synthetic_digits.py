"""The synthetic digits: what they promise as a corpus, and how hard they are."""

import hashlib
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from omegaconf import OmegaConf

from hearspike.datasets import synthesiser
from hearspike.datasets.corpus import Recording
from hearspike.datasets.synthetic_digits import SyntheticDigits, utterance
from hearspike.errors import InputError
from hearspike.leaderboard.config import build, plain

# fmt: off
CLASSES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun",
]
# fmt: on
CHANCE = 1.0 / 20.0

Small = tuple[SyntheticDigits, list[Recording]]


def configuration() -> Any:
    return OmegaConf.create((files("hearspike.conf") / "corpus" / "synthetic_digits.yaml").read_text("utf-8"))


def corpus_of(**changes: Any) -> SyntheticDigits:
    """Return the configured corpus with some fields changed; ``speakers`` names those to keep."""
    settings = configuration()
    del settings.name, settings.split
    if "speakers" in changes:
        settings.speakers = {name: settings.speakers[name] for name in changes.pop("speakers")}
    corpus = build(plain(OmegaConf.create({**settings, **changes})), "corpus")
    assert isinstance(corpus, SyntheticDigits)
    return corpus


def checksums(recordings: list[Recording]) -> list[str]:
    return [hashlib.sha256(recording.path.read_bytes()).hexdigest() for recording in recordings]


def needs_espeak() -> None:
    pytest.importorskip("espeakng_loader", reason="pip install 'hearspike[synthetic]'")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Two speakers, two takes, and their recordings."""
    needs_espeak()
    corpus = corpus_of(speakers=["s01", "s04"], takes=2)
    return corpus, corpus.recordings(tmp_path_factory.mktemp("first"))


def test_the_same_configuration_writes_the_same_bytes_in_the_same_order(small: Small, tmp_path: Path) -> None:
    corpus, recordings = small
    again = corpus.recordings(tmp_path)
    assert [item.key for item in again] == [item.key for item in recordings]
    assert checksums(again) == checksums(recordings)
    assert len(set(checksums(again))) == len(again)  # and no take is a copy of another


def test_another_seed_writes_other_bytes(small: Small, tmp_path: Path) -> None:
    _, recordings = small
    other = corpus_of(speakers=["s01", "s04"], takes=2, seed=99).recordings(tmp_path)
    assert not set(checksums(other)) & set(checksums(recordings))


def test_recordings_come_by_speaker_label_and_take_with_classes_in_the_order_of_shd(small: Small) -> None:
    corpus, recordings = small
    assert list(corpus.classes) == CLASSES
    expected = [
        (f"{speaker}/{word}/{take}", label, speaker)
        for speaker in ("s01", "s04")
        for label, word in enumerate(CLASSES)
        for take in (0, 1)
    ]
    assert [(item.key, item.label, item.speaker) for item in recordings] == expected


def test_files_are_mono_at_the_configured_rate_and_as_long_as_a_word(small: Small) -> None:
    corpus, recordings = small
    for recording in recordings:
        info = soundfile.info(recording.path)
        assert (info.channels, info.samplerate, info.format, info.subtype) == (
            1,
            corpus.sample_rate,
            "FLAC",
            "PCM_16",
        )
        assert 0.25 < info.duration < 1.3


def test_peak_levels_fill_the_configured_range_and_nothing_clips(small: Small) -> None:
    corpus, recordings = small
    samples = [soundfile.read(recording.path, dtype="int16")[0] for recording in recordings]
    peaks = 20.0 * np.log10([np.max(np.abs(waveform.astype(int))) / 2.0**15 for waveform in samples])
    low, high = corpus.peak_dbfs
    # 16 bits round a peak at -20 dB by at most 2**-16 of full scale, 0.002 dB.
    assert low - 0.01 <= peaks.min() < low + 3.0
    assert high - 3.0 < peaks.max() <= high + 0.01
    assert all(np.max(np.abs(waveform.astype(int))) < 2**15 - 1 for waveform in samples)


def test_speakers_differ_and_women_speak_higher_than_men() -> None:
    """Fundamental frequencies by YIN; the voices of men and women do not overlap here."""
    needs_espeak()
    from librosa import yin

    corpus = corpus_of()
    spoken = synthesiser.synthesise(
        [utterance(speaker, corpus.variation, np.zeros(4), label=9) for speaker in corpus.speakers.values()],
        seed=0,
    )
    frequency: dict[str, list[float]] = {"female": [], "male": []}
    for gender, speech in zip(corpus.genders().values(), spoken, strict=True):
        third = len(speech) // 3
        voiced = speech[third : 2 * third] / 2.0**15
        frequency[gender].append(np.median(yin(voiced, fmin=50.0, fmax=500.0, sr=synthesiser.SAMPLE_RATE)))
    assert len(frequency["female"]) == len(frequency["male"]) == 8
    assert max(frequency["male"]) < 130.0 < min(frequency["female"])
    assert len({speaker.variant for speaker in corpus.speakers.values()}) == len(corpus.speakers)


def test_formant_scale_keeps_the_duration_of_the_words() -> None:
    """Speech played 20 % faster, spoken slower by as much, lasts as long."""
    needs_espeak()
    corpus = corpus_of(speakers=["s01"])
    scales = (0.9, 1.1)
    spoken = synthesiser.synthesise(
        [
            utterance(
                replace(corpus.speakers["s01"], formant_scale=scale), corpus.variation, np.zeros(4), label=7
            )
            for scale in scales
        ],
        seed=0,
    )
    small_scale, large_scale = (len(speech) / scale for speech, scale in zip(spoken, scales, strict=True))
    # espeak keeps to whole words per minute and does not stretch every sound alike.
    assert small_scale == pytest.approx(large_scale, rel=0.12)


def test_noise_in_the_margins_lies_below_the_recording_by_the_configured_ratio(tmp_path: Path) -> None:
    """Before the word there is noise alone, so files tell the signal-to-noise ratio without the corpus."""
    needs_espeak()
    corpus = corpus_of(
        speakers=["s01"],
        takes=1,
        margin_s=[0.3, 0.3],
        noises=["white"],
        snr_db=[10.0, 10.0],
        tilt_db_per_octave=[0.0, 0.0],
    )
    ratios = []
    for recording in corpus.recordings(tmp_path):
        samples, sample_rate = soundfile.read(recording.path)
        noise_power = np.mean(samples[: round(0.29 * sample_rate)] ** 2)
        ratios.append(np.mean(samples**2) / noise_power - 1.0)
    # The power of 14,000 samples of noise is known to 1.2 %, and the ratio to some 2 %.
    assert 10.0 * np.log10(ratios) == pytest.approx(np.full(20, 10.0), abs=0.35)


def test_voices_and_held_out_speakers_are_balanced() -> None:
    settings = configuration()
    genders = corpus_of().genders()
    held_out = [*settings.split.validation, *settings.split.test]
    assert len(genders) == 16
    assert Counter(genders.values()) == {"male": 8, "female": 8}
    assert len(set(held_out)) == len(held_out)
    for part in (settings.split.validation, settings.split.test):
        assert {genders[name] for name in part} == {"male", "female"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"takes": 0}, "takes: got 0, expected at least 1"),
        ({"sample_rate": 16000}, "sample_rate: got 16000, expected at least 22050 Hz"),
        ({"noises": ["brown"]}, "noises: got brown, expected some of white, pink, speech"),
        ({"noises": []}, "noises: got none, expected some of"),
        ({"snr_db": [20.0, 10.0]}, r"snr_db: got \[20.0, 10.0\], expected \[low, high\]"),
        ({"margin_s": [0.1]}, r"margin_s: got \[0.1\], expected \[low, high\]"),
        ({"peak_dbfs": [-10.0, 3.0]}, r"peak_dbfs: got \[-10.0, 3.0\], .*≤ 0.0"),
        ({"reverberation_time_s": [0.0, 0.3]}, "reverberation_time_s: got .*0.001 ≤ low"),
        ({"variation": {"pitch": 70.0}}, "pitch: got -20, expected a value from 0 to 99"),
        ({"variation": {"rate": 0.9}}, "rate_wpm: got .*, expected a value from 80 to 450"),
    ],
)
def test_a_setting_out_of_range_is_refused_before_anything_is_spoken(
    changes: dict[str, Any], message: str
) -> None:
    corpus = corpus_of(speakers=["s01"])
    if "variation" in changes:
        changes = {"variation": replace(corpus.variation, **changes["variation"])}
    with pytest.raises(InputError, match=message):
        replace(corpus, **changes)


def test_an_unknown_gender_or_formant_scale_is_refused() -> None:
    speaker = corpus_of(speakers=["s01"]).speakers["s01"]
    with pytest.raises(InputError, match="gender: got robot, expected one of female, male"):
        replace(speaker, gender="robot")
    with pytest.raises(InputError, match=r"formant_scale: got 0.0, expected a factor above 0"):
        replace(speaker, formant_scale=0.0)


def test_without_the_synthesiser_the_corpus_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(InputError, match=r"pip install 'hearspike\[synthetic\]'"):
        corpus_of(speakers=["s01"], takes=1).recordings(tmp_path)
    assert not list(tmp_path.iterdir())


def convert(path: Path, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Spike counts by channel, and by 20 bins of 70 ms and 35 groups of 20 channels."""
    from hearspike.converter import preset

    samples, sample_rate = soundfile.read(path)
    trains = preset("heidelberg")(samples, sample_rate, seed=seed)
    counts = np.bincount(trains.units, minlength=700)
    binned = np.histogram2d(trains.times, trains.units, bins=(20, 35), range=((0.0, 1.4), (0, 700)))[0]
    return counts, binned.ravel()


@pytest.mark.slow
def test_counts_alone_do_not_solve_the_task_for_unseen_speakers_and_time_helps(tmp_path: Path) -> None:
    """A linear SVM on spike counts stays below 85 %, above five times chance; time bins add 10 points.

    `pytest -m slow -s tests/datasets/test_synthetic_digits.py` prints the accuracies on the test
    speakers, each model's C chosen on the validation speakers: 960 utterances, some three minutes.
    """
    needs_espeak()
    import joblib
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC, LinearSVC

    split = configuration().split
    recordings = corpus_of(takes=3).recordings(tmp_path)
    converted = joblib.Parallel(n_jobs=2, backend="threading")(
        joblib.delayed(convert)(recording.path, seed) for seed, recording in enumerate(recordings)
    )
    counts, binned = (np.sqrt(np.array(features)) for features in zip(*converted, strict=True))
    label = np.array([recording.label for recording in recordings])
    speaker = np.array([recording.speaker for recording in recordings])
    validation, test = np.isin(speaker, split.validation), np.isin(speaker, split.test)
    train = ~validation & ~test

    def accuracy(features: NDArray[np.float64], models: Sequence[Any]) -> float:
        fitted = [
            make_pipeline(StandardScaler(), model).fit(features[train], label[train]) for model in models
        ]
        best = max(fitted, key=lambda model: model.score(features[validation], label[validation]))
        return float(best.score(features[test], label[test]))

    linear = [LinearSVC(C=C, max_iter=10_000) for C in (1e-5, 1e-4, 1e-3)]
    curved = [SVC(C=C) for C in (1.0, 10.0, 100.0)]
    found = {
        "counts, linear SVM": accuracy(counts, linear),
        "counts, RBF SVM": accuracy(counts, curved),
        "time bins, linear SVM": accuracy(binned, linear),
        "time bins, RBF SVM": accuracy(binned, curved),
    }
    print("\n" + "\n".join(f"{name}: {100.0 * value:.1f} %" for name, value in found.items()))
    assert 5.0 * CHANCE < found["counts, linear SVM"] < 0.85
    assert found["time bins, RBF SVM"] > found["counts, RBF SVM"] + 0.1
    assert found["time bins, linear SVM"] > found["counts, linear SVM"] + 0.1
