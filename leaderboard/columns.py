"""The columns of the leaderboard: which metric each shows, in which unit, and what the number means."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of numbers.

    Parameters
    ----------
    metric
        Name of the metric in the summaries of runs.
    title
        Heading without the unit. Modelled numbers say so here.
    unit
        Unit shown, empty for a count.
    factor
        Number shown per number in the record, which holds SI units and fractions.
    decimals
        Digits after the point; None for three significant digits.
    better
        ``higher``, ``lower`` or ``neither``.
    meaning
        One sentence for those who ask.
    absent
        Why a complete run may lack the metric.
    detail
        Whether the column stays out of tables for people: the site shows it when asked for more.
    """

    metric: str
    title: str
    unit: str
    factor: float
    decimals: int | None
    better: str
    meaning: str
    absent: str = "not in the record"
    detail: bool = False

    @property
    def heading(self) -> str:
        """Title and unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def format(self, value: float, *, like: float | None = None) -> str:
        """Return a number, in the column's unit, as text; its deviation with the digits of the number.

        Parameters
        ----------
        value
            The number, or its deviation.
        like
            The number whose digits a deviation has.
        """
        if self.decimals is not None:
            return f"{value:.{self.decimals}f}"
        return significant(value, like=like)


def significant(value: float, *, like: float | None = None) -> str:
    """Return a number with three significant digits; from 10,000 on with k, M or G.

    Parameters
    ----------
    value
        The number.
    like
        Another number that decides on digits and letter, ``value`` itself if None.

    Examples
    --------
    >>> [significant(value) for value in (0.0, 3.0, 0.68619, 43.21, 4753.4, 999_960, 58_881_248)]
    ['0', '3', '0.686', '43.2', '4753', '1000 k', '58.9 M']
    >>> significant(4596.0, like=216_123.0)
    '5 k'
    """
    size = abs(value if like is None else like)
    if value == 0.0 or size == 0.0 or (size < 10_000 and value == round(value)):
        return f"{value:.3g}" if value != round(value) else f"{value:.0f}"
    exponent, letter = next(
        ((power, sign) for power, sign in ((9, " G"), (6, " M"), (3, " k")) if size >= 10**power),
        (0, ""),
    )
    if size < 10_000:
        exponent, letter = 0, ""
    digits = 2 - math.floor(math.log10(size / 10**exponent))
    return f"{value:.3g}" if digits > 6 else f"{value / 10**exponent:.{max(0, digits)}f}{letter}"


_NO_SPEAKER = "no test sample by such a speaker is on record"
_NO_CHIPS = "no chips: a run in software"
_NO_PROBE = "a run without probe=timing"


def _probe(treatment: str, title: str, meaning: str, *, detail: bool = True) -> "Column":
    """Return the column of the accuracy under a treatment of spike times."""
    text = f"Timing probe: accuracy {meaning}"
    return Column(f"accuracy_{treatment}", title, "%", 100.0, 1, "neither", text, _NO_PROBE, detail)


def _count(metric: str, title: str, meaning: str) -> "Column":
    """Return the column of a cost that is counted for each sample."""
    return Column(metric, f"{title}/sample", "", 1.0, None, "lower", meaning, detail=True)


ACCURACY = Column(
    "accuracy",
    "accuracy",
    "%",
    100.0,
    1,
    "higher",
    "Share of right answers on the test set; over chips, the mean.",
)

COLUMNS = (
    ACCURACY,
    Column(
        "accuracy_known_speakers",
        "known speakers",
        "%",
        100.0,
        1,
        "higher",
        "Accuracy on speakers heard in training or validation.",
        _NO_SPEAKER,
    ),
    Column(
        "accuracy_unseen_speakers",
        "unseen speakers",
        "%",
        100.0,
        1,
        "higher",
        "Accuracy on speakers heard in neither training nor validation.",
        _NO_SPEAKER,
    ),
    _probe(
        "uniform_times_retrained",
        "times destroyed, retrained",
        "after training and testing on spikes with their counts kept and their times drawn at random. What "
        "is missing from the accuracy needs spike times.",
        detail=False,
    ),
    _probe(
        "shuffled_intervals_retrained",
        "intervals shuffled, retrained",
        "after training and testing on spikes whose intervals in each channel are in random order.",
    ),
    _probe("uniform_times", "times destroyed", "on spikes with their times drawn at random, not retrained."),
    _probe("shuffled_intervals", "intervals shuffled", "with intervals in random order, not retrained."),
    _probe("reversed", "time reversed", "on spikes played backwards, not retrained."),
    Column(
        "accuracy_median_chip",
        "median chip",
        "%",
        100.0,
        1,
        "higher",
        "Accuracy that half of the chips reach.",
        _NO_CHIPS,
    ),
    Column(
        "accuracy_fifth_percentile_chip",
        "5th percentile chip",
        "%",
        100.0,
        1,
        "higher",
        "Accuracy that 95 % of the chips reach; with fewer than 20 chips, that of the worst.",
        _NO_CHIPS,
    ),
    Column("spikes_per_sample", "spikes/sample", "", 1.0, None, "lower", "Spikes that its neurons fire."),
    Column("spikes_per_neuron", "spikes/neuron", "", 1.0, None, "lower", "The same per spiking neuron."),
    Column(
        "synaptic_operations",
        "synaptic operations/sample",
        "",
        1.0,
        None,
        "lower",
        "Additions of a weight because a spike came, or of a product of weight and value.",
    ),
    _count("accumulates", "accumulates", "Additions of a weight that is not 0 because a spike came."),
    _count(
        "multiply_accumulates",
        "multiply-accumulates",
        "Additions of a product of a weight and an input that are not 0, and those in neurons.",
    ),
    _count(
        "dense_operations",
        "dense operations",
        "Synaptic operations if no input and no weight were 0.",
    ),
    _count(
        "neuron_updates",
        "neuron updates",
        "Times that the state of a neuron is brought to the next time step.",
    ),
    Column(
        "samples_per_second",
        "samples/s",
        "",
        1.0,
        None,
        "higher",
        "Throughput on the machine named below; on emulated chips, of the emulation, not of a chip.",
    ),
    Column(
        "latency",
        "latency",
        "ms",
        1e3,
        None,
        "lower",
        "Time of one sample, alone, in software.",
    ),
    Column(
        "time_on_chip",
        "time on chip/sample, modelled",
        "µs",
        1e6,
        None,
        "lower",
        "How long a sample occupies an emulated chip.",
        _NO_CHIPS,
    ),
    Column(
        "decision_time_on_chip",
        "time to decision on chip, modelled",
        "µs",
        1e6,
        None,
        "lower",
        "Time on an emulated chip after which the decision does not change, median over samples.",
        _NO_CHIPS,
    ),
    Column(
        "energy_per_sample",
        "energy/sample, modelled",
        "µJ",
        1e6,
        None,
        "lower",
        "By an energy model, never measured; the model is named below.",
    ),
    Column(
        "energy_per_sample_by_activity",
        "energy/sample by activity, modelled",
        "µJ",
        1e6,
        None,
        "lower",
        "By a model of what an emulated chip did: time, events, spikes and reads; never measured.",
        _NO_CHIPS,
    ),
    Column("parameters", "parameters", "", 1.0, None, "lower", "Numbers that are learnt."),
    Column(
        "footprint",
        "memory",
        "kB",
        1e-3,
        None,
        "lower",
        "Of all that is learnt and of the states that a sample carries from step to step.",
        detail=True,
    ),
)
