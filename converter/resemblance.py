"""How alike two sounds are: measures that do not ask for the same waveform."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.floating]

BANDS = 40
LOWEST_HZ = 60.0
WINDOW_S, HOP_S = 0.032, 0.005
RANGE_DB = 50.0


def log_mel(samples: Samples, sample_rate: int) -> npt.NDArray[np.float64]:
    """Level of `BANDS` mel bands [band, time], dB below the greatest; at least −`RANGE_DB`.

    Parameters
    ----------
    samples
        Samples [time].
    sample_rate
        Hz.
    """
    import librosa

    power = librosa.feature.melspectrogram(
        y=np.asarray(samples, dtype=np.float32),
        sr=sample_rate,
        n_fft=round(WINDOW_S * sample_rate),
        hop_length=round(HOP_S * sample_rate),
        n_mels=BANDS,
        fmin=LOWEST_HZ,
        norm=None,
    )
    levels: npt.NDArray[np.float64] = librosa.power_to_db(
        power.astype(np.float64), ref=np.max, amin=1e-20, top_db=RANGE_DB
    )
    return levels


def log_mel_correlation(original: Samples, heard: Samples, sample_rate: int) -> float:
    """Correlation of the levels of two sounds over bands and time, each band's mean taken out.

    A constant gain, and a constant filter, change nothing but what falls out of the range. 1 for the same
    sound, about 0 for sounds that have nothing to do with one another, and 0 where one is silent throughout.

    Parameters
    ----------
    original, heard
        Samples [time], equally many.
    sample_rate
        Hz.
    """
    one, other = (
        levels - levels.mean(axis=1, keepdims=True)
        for levels in (log_mel(original, sample_rate), log_mel(heard, sample_rate))
    )
    scale = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / scale if scale > 0 else 0.0


def intelligibility(originals: Sequence[Samples], heard: Sequence[Samples], sample_rate: int) -> float:
    """Short-time objective intelligibility of words that follow one another, all at one level.

    STOI (Taal, Hendriks, Heusdens, Jensen, IEEE TASLP 19, 2011): correlation of the envelopes of third-octave
    bands within stretches of 384 ms; words shorter than that are why several are strung together. 1 for the
    same sound; the paper's listeners understood most words above 0.8 or so, and hardly any below 0.4.

    Parameters
    ----------
    originals, heard
        Samples [time] of each word.
    sample_rate
        Hz.
    """
    from pystoi import stoi

    def strung(words: Sequence[Samples]) -> npt.NDArray[np.float64]:
        return np.concatenate([word / max(float(np.sqrt(np.mean(word**2))), 1e-12) for word in words])

    return float(stoi(strung(originals), strung(heard), sample_rate))
