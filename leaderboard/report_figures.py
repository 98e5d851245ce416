"""The reports as figures."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hearspike.errors import InputError
from hearspike.files import new_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")
STYLE: dict[str, Any] = {"marker": "o", "markersize": 4, "capsize": 2, "linewidth": 1.2}


def save_figure(name: str, table: pd.DataFrame, path: Path) -> None:
    """Draw a report and write it to a new file.

    Parameters
    ----------
    name
        ``timing``, ``speakers`` or ``representation``.
    table
        From `hearspike.leaderboard.reports.report`.
    path
        The file; its suffix is one of `FORMATS`.

    Raises
    ------
    InputError
        If the file exists or its suffix is another.
    """
    if path.suffix not in FORMATS:
        raise InputError("--figure", path, f"a file that ends in {', '.join(FORMATS)}")
    draw = {"timing": draw_timing, "speakers": draw_speakers, "representation": draw_representation}[name]
    from matplotlib import rc_context

    # Without a fixed salt the names of shapes in an SVG are random.
    with new_file(path) as temporary, rc_context({"svg.hashsalt": "hearspike"}):
        draw(table).savefig(temporary, dpi=150, metadata=_metadata(path.suffix))


def _metadata(suffix: str) -> dict[str, None] | None:
    """Leave out dates, so that the same records give the same file."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix)


def _axes(columns: int, width: float) -> tuple["Figure", list["Axes"]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 3.6), layout="constrained")
    axes = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
    for axis in axes:
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("accuracy (%)")
    return figure, list(axes)


def _curve(axis: "Axes", x: pd.Series, rows: pd.DataFrame, **style: Any) -> None:  # noqa: ANN401  # of matplotlib
    axis.errorbar(x, 100 * rows["mean"], 100 * rows["deviation"].fillna(0.0), **STYLE, **style)


def draw_timing(table: pd.DataFrame) -> "Figure":
    """Accuracy against jitter, against loss of events, and with times destroyed."""
    figure, (jitter, loss, destroyed) = _axes(3, 11.0)
    treatments = ["none", "uniform_times", "uniform_times, retrained"]
    treatments += ["shuffled_intervals", "shuffled_intervals, retrained", "reversed"]
    for number, (model, rows) in enumerate(table.groupby(["task", "model", "backend", "config"], sort=True)):
        style = {"color": f"C{number}", "label": " ".join(map(str, model[:3]))}
        intact = rows[rows["treatment"] == "none"].assign(amount=0.0)
        for axis, treatment in ((jitter, "jitter"), (loss, "event loss")):
            curve = pd.concat([intact, rows[rows["treatment"] == treatment]]).sort_values("amount")
            _curve(axis, curve["amount"], curve, **style)
        points = rows[rows["treatment"].isin(treatments)]
        places = points["treatment"].map(treatments.index)
        _curve(destroyed, places + 0.08 * number, points, **style, linestyle="none")
    jitter.set_xscale("symlog", linthresh=1.0)
    jitter.set_xlabel("jitter of spike times (ms)")
    loss.set_xlabel("share of spikes lost")
    labels = [
        treatment.replace("_", " ").replace(", ", ",\n").replace("none", "intact") for treatment in treatments
    ]
    destroyed.set_xticks(range(len(treatments)), labels, rotation=45, ha="right", fontsize=7)
    jitter.legend(fontsize=7, frameon=False)
    return figure


def draw_speakers(table: pd.DataFrame) -> "Figure":
    """Accuracy on known and unseen speakers against the number of speakers trained on."""
    figure, (axis,) = _axes(1, 5.5)
    for number, (model, rows) in enumerate(table.groupby(["model", "config"], sort=True)):
        for group, line in (("known", "--"), ("unseen", "-")):
            curve = rows[rows["tested on"] == group].sort_values("speakers")
            label = f"{model[0]}, {group} speakers"
            _curve(axis, curve["speakers"], curve, color=f"C{number}", linestyle=line, label=label)
    axis.set_xticks(sorted(table["speakers"].unique()))
    axis.set_xlabel("speakers trained on (same number of recordings)")
    axis.legend(fontsize=7, frameon=False)
    return figure


def draw_representation(table: pd.DataFrame) -> "Figure":
    """Accuracy against spikes per recording; what has no spikes is a level across."""
    figure, (axis,) = _axes(1, 5.5)
    for number, label in enumerate(table["representation"]):
        row = table.iloc[[number]]
        if row["spikes"].isna().all():
            level = 100 * float(row["mean"].iloc[0])
            axis.axhline(level, color=f"C{number}", linestyle="--", label=str(label))
        else:
            _curve(axis, row["spikes"], row, color=f"C{number}", linestyle="none", label=str(label))
    axis.set_xlim(left=0)
    axis.set_xlabel("spikes per recording")
    axis.legend(fontsize=7, frameon=False)
    return figure
