"""What is left out of a corpus, and how utterances are shortened: the same for every corpus."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hearspike.converter import Waveform, read_audio
from hearspike.datasets.corpus import Recording
from hearspike.errors import InputError

SHORTEST_SAMPLES = 2
"""The converter needs a duration: one sample has none."""


@dataclass(frozen=True)
class Cuts:
    """Which utterances stay, and how much of each.

    Parameters
    ----------
    classes
        Names of the classes to keep, in the corpus's own order; None keeps all. Labels are numbered anew.
    speakers
        Names of the speakers to keep; None keeps all.
    trim_db
        Silence at both ends is cut off up to where the level comes within this distance of the
        loudest frame [dB] (``librosa.effects.trim``); None cuts nothing.
    longest_s
        What an utterance has beyond this length, counted after trimming, is cut off [s]; None keeps all.

    Raises
    ------
    InputError
        If a list is empty or a number not above 0.
    """

    classes: tuple[str, ...] | None = None
    speakers: tuple[str, ...] | None = None
    trim_db: float | None = None
    longest_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("classes", "speakers"):
            if getattr(self, name) == ():
                raise InputError(f"cuts.{name}", "an empty list", "at least one name, or null for all")
        for name in ("trim_db", "longest_s"):
            value = getattr(self, name)
            if value is not None and not value > 0.0:
                raise InputError(f"cuts.{name}", value, "a number above 0, or null")

    def select(
        self, recordings: Sequence[Recording], classes: Sequence[str]
    ) -> tuple[list[Recording], tuple[str, ...]]:
        """Leave out whole utterances.

        Parameters
        ----------
        recordings, classes
            Of the corpus.

        Returns
        -------
        recordings, classes
            What is left, with labels that index the classes left.

        Raises
        ------
        InputError
            If a named class or speaker does not occur, or nothing is left.
        """
        speakers = sorted({recording.speaker for recording in recordings})
        for name, wanted, known in (
            ("classes", self.classes, list(classes)),
            ("speakers", self.speakers, speakers),
        ):
            for word in wanted or ():
                if word not in known:
                    shown = ", ".join(known[:40]) + (", …" if len(known) > 40 else "")
                    raise InputError(f"cuts.{name}", word, f"one of {shown}")
        kept_classes = tuple(name for name in classes if self.classes is None or name in self.classes)
        label_of = {name: label for label, name in enumerate(kept_classes)}
        kept = [
            replace(recording, label=label_of[classes[recording.label]])
            for recording in recordings
            if classes[recording.label] in label_of
            and (self.speakers is None or recording.speaker in self.speakers)
        ]
        if not kept:
            raise InputError("cuts", "classes and speakers that leave no recording", "at least one recording")
        return kept, kept_classes

    def read(self, recording: Recording) -> Waveform:
        """Read an utterance and shorten it.

        Raises
        ------
        InputError
            If the file cannot be read, or start and end do not lie in it in this order.
        """
        waveform = read_audio(recording.path, start=recording.start, end=recording.end)
        samples, rate = waveform.samples, waveform.sample_rate
        if self.trim_db is not None:
            from librosa.effects import trim

            samples = trim(samples, top_db=self.trim_db)[0]
        if self.longest_s is not None:
            samples = samples[: max(SHORTEST_SAMPLES, round(self.longest_s * rate))]
        return Waveform(samples, rate)
