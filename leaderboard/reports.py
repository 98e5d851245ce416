"""Tables that answer one question each, from records: timing, speakers, representation."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from hearspike.errors import InputError
from hearspike.leaderboard.record import Record
from hearspike.leaderboard.timing_probe import jitter_name, loss_name, metric_name


def timing(records: Sequence[Record]) -> pd.DataFrame:
    """Return the accuracy of every model under every treatment of spike times.

    Parameters
    ----------
    records
        Complete runs; those without ``probe=timing`` are passed over.

    Returns
    -------
    table
        Columns ``task``, ``model``, ``backend``, ``treatment``, ``amount`` (of jitter in milliseconds, of
        loss as a probability, else empty), ``runs``, ``mean`` and ``deviation`` of the accuracy.
    """
    values: dict[tuple[str, str, str, str, float | None], list[float]] = defaultdict(list)
    for record in records:
        for (treatment, amount), name in _treatments(record).items():
            if (value := _value(record, name)) is not None:
                values[(record.task["name"], record.model, record.backend, treatment, amount)].append(value)
    return _table(["task", "model", "backend", "treatment", "amount"], values)


def _treatments(record: Record) -> dict[tuple[str, float | None], str]:
    """(Treatment, amount) → name of the metric; nothing for a run without a probe."""
    probe = record.config.get("probe")
    if not probe:
        return {}
    found: dict[tuple[str, float | None], str] = {("none", None): "accuracy"}
    found |= {
        (f"{name}, retrained", None): metric_name(f"{name}_retrained") for name in probe.get("retrain", ())
    }
    for name in ("uniform_times", "shuffled_intervals", "reversed"):
        found[(name, None)] = metric_name(name)
    found |= {("jitter", float(ms)): metric_name(jitter_name(ms)) for ms in probe["jitter_ms"]}
    found |= {("event loss", float(p)): metric_name(loss_name(p)) for p in probe["event_loss"]}
    return found


def speakers(records: Sequence[Record]) -> pd.DataFrame:
    """Return the accuracy on known and unseen speakers by the number of speakers that were trained on.

    Parameters
    ----------
    records
        Complete runs; those whose split is not `hearspike.datasets.fewer_speakers.FewerSpeakers` are
        passed over.

    Returns
    -------
    table
        Columns ``task``, ``model``, ``speakers``, ``tested on``, ``runs``, ``mean``, ``deviation``.
    """
    values: dict[tuple[str, str, int, str], list[float]] = defaultdict(list)
    for record in records:
        split = record.task.get("split", {})
        if split.get("name") != "FewerSpeakers":
            continue
        for group in ("known", "unseen"):
            if (value := _value(record, f"accuracy_{group}_speakers")) is not None:
                values[(record.task["name"], record.model, split["speakers"], group)].append(value)
    return _table(["task", "model", "speakers", "tested on"], values)


def representation(records: Sequence[Record]) -> pd.DataFrame:
    """Return the accuracy on unseen speakers of one model on different representations of the same speech.

    Parameters
    ----------
    records
        Complete runs; those without a ``representation`` in their configuration are passed over.

    Returns
    -------
    table
        Columns ``model``, ``representation``, ``runs``, ``mean``, ``deviation``, and ``spikes``, the
        mean number of spikes per test recording, empty where the representation has none.
    """
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    spikes: dict[tuple[str, str], list[float]] = defaultdict(list)
    for record in records:
        settings = record.config.get("representation")
        value = _value(record, "accuracy_unseen_speakers")
        if not settings or value is None:
            continue
        key = (record.model, settings["name"])
        values[key].append(value)
        if settings["spikes"]:
            spikes[key].append(record.task["input_spikes_per_sample"]["test"])
    table = _table(["model", "representation"], values)
    keys = zip(table["model"], table["representation"], strict=True)
    table["spikes"] = [statistics.fmean(spikes[key]) if spikes[key] else None for key in keys]
    return table.sort_values("mean", ascending=False, ignore_index=True)


def _value(record: Record, name: str) -> float | None:
    metric = record.metrics.get(name)
    return None if record.status != "complete" or metric is None else metric.value


def _table(names: list[str], values: Mapping[tuple[Any, ...], list[float]]) -> pd.DataFrame:
    rows = [
        (*key, len(found), statistics.fmean(found), statistics.stdev(found) if len(found) > 1 else None)
        for key, found in values.items()
    ]
    table = pd.DataFrame(rows, columns=[*names, "runs", "mean", "deviation"])
    return table.sort_values(names, ignore_index=True)


REPORTS: Mapping[str, Callable[[Sequence[Record]], pd.DataFrame]] = {
    "timing": timing,
    "speakers": speakers,
    "representation": representation,
}


def report(name: str, records: Sequence[Record]) -> pd.DataFrame:
    """Return a report by its name.

    Raises
    ------
    InputError
        If there is no such report, or no record for it.
    """
    if name not in REPORTS:
        raise InputError("report", name, f"one of {', '.join(REPORTS)}")
    table = REPORTS[name](records)
    if table.empty:
        raise InputError("--runs", f"no record for the report {name}", f"runs of {COMMANDS[name]}")
    return table


COMMANDS = {
    "timing": "hearspike evaluate … probe=timing",
    "speakers": "hearspike evaluate -m experiment=speakers",
    "representation": "hearspike evaluate -m experiment=representation_gap",
}
"""The commands whose runs a report needs."""


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a report with accuracies in per cent, for `hearspike.leaderboard.table.render`."""
    shown = table.drop(columns=["mean", "deviation"])
    per_cent = [
        f"{100 * mean:.1f}" + ("" if pd.isna(deviation) else f" ± {100 * deviation:.1f}")
        for mean, deviation in zip(table["mean"], table["deviation"], strict=True)
    ]
    shown.insert(list(shown.columns).index("runs") + 1, "accuracy (%)", per_cent)
    if "spikes" in shown:
        shown["spikes"] = ["" if pd.isna(count) else f"{count:.0f}" for count in shown["spikes"]]
    if "amount" in shown:
        shown["amount"] = ["" if pd.isna(amount) else f"{amount:g}" for amount in shown["amount"]]
    return shown
