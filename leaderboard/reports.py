"""Tables that answer one question each, from records: timing, speakers, representation.

Runs are averaged if they differ in nothing but the seed and what the question varies; the column ``config``
is the beginning of a checksum of all the rest.
"""

import copy
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from hearspike.errors import InputError
from hearspike.leaderboard.record import Record, config_sha256
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
        Columns ``task``, ``model``, ``backend``, ``config``, ``treatment``, ``amount`` (of jitter in
        milliseconds, of loss as a probability, else empty), ``runs``, ``mean`` and ``deviation`` of the
        accuracy.
    """
    values: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for record in records:
        run = (record.task["name"], record.model, record.backend, _config(record, "seed"))
        for (treatment, amount), name in _treatments(record).items():
            if (value := _value(record, name)) is not None:
                values[(*run, treatment, amount)].append(value)
    return _table(["task", "model", "backend", "config", "treatment", "amount"], values)


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
        Columns ``task``, ``model``, ``config``, ``speakers``, ``tested on``, ``runs``, ``mean``,
        ``deviation``.
    """
    values: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for record in records:
        split = record.task.get("split", {})
        if split.get("name") != "FewerSpeakers":
            continue
        config = _config(record, "seed", "dataset.split.speakers", "dataset.split.rotation")
        for group in ("known", "unseen"):
            if (value := _value(record, f"accuracy_{group}_speakers")) is not None:
                key = (record.task["name"], record.model, config, split["speakers"], group)
                values[key].append(value)
    return _table(["task", "model", "config", "speakers", "tested on"], values)


def representation(records: Sequence[Record]) -> pd.DataFrame:
    """Return the accuracy on unseen speakers of one model on different representations of the same speech.

    Parameters
    ----------
    records
        Complete runs; those without a ``representation`` in their configuration are passed over.

    Returns
    -------
    table
        Columns ``model``, ``config``, ``representation``, ``runs``, ``mean``, ``deviation``, and
        ``spikes``, the mean number of spikes per test recording, empty where the representation has none.
    """
    values: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    spikes: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for record in records:
        settings = record.config.get("representation")
        value = _value(record, "accuracy_unseen_speakers")
        if not settings or value is None:
            continue
        key = (record.model, _config(record, *REPRESENTATION), settings["name"])
        values[key].append(value)
        if settings["spikes"]:
            spikes[key].append(record.task["input_spikes_per_sample"]["test"])
    table = _table(["model", "config", "representation"], values)
    keys = zip(table["model"], table["config"], table["representation"], strict=True)
    table["spikes"] = [statistics.fmean(spikes[key]) if spikes[key] else None for key in keys]
    return table.sort_values("mean", ascending=False, ignore_index=True)


REPRESENTATION = (
    "seed",
    "representation",
    "model.frames.bins",
    *(f"dataset.{key}" for key in ("_target_", "name", "bands", "converter", "converter_seed", "split")),
)
"""Settings in which runs of one model may differ to be compared by representation."""


def _config(record: Record, *varied: str) -> str:
    """Return the beginning of a checksum of a run's configuration without some of its settings."""
    config = copy.deepcopy(record.config)
    for place in varied:
        *path, name = place.split(".")
        node = config
        for key in path:
            node = node.get(key, {})
        node.pop(name, None)
    return config_sha256(config)[:8]


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
