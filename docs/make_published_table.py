"""Draw the figures and print the tables of ``docs/published_table.md`` from the records of its experiments.

Usage: ``python docs/make_published_table.py RUNS`` with the folder of the runs, ``workspace/runs``.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hearspike.leaderboard.store import load_records

IMAGES = Path(__file__).parent / "images"
DEPLOYMENTS = {
    "weight_transfer": "weight transfer",
    "noise_aware": "noise-aware",
    "in_the_loop": "in the loop, other chips",
    "in_the_loop_same_chip": "in the loop",
}


def rows(folder: Path) -> pd.DataFrame:
    """One row for each complete run of an experiment; empty if there is none."""
    found = load_records(folder).values() if folder.is_dir() else ()
    records = [record for record in found if record.status == "complete"]
    return pd.DataFrame(
        [
            {
                "model": r.config["model"]["name"],
                "deployment": DEPLOYMENTS[r.config["deployment"]["name"]],
                "backend": r.backend,
                "representation": (r.config.get("representation") or {}).get("name", ""),
                "seed": r.seed,
                "accuracy": r.metrics["accuracy"].value,
                "accuracies": r.chips["accuracies"] if r.chips else None,
                "hidden spikes": r.layer_spikes["hidden"],
                "energy": r.metrics["energy_per_sample"].value,
                "spread": r.config["backend"].get("profile", {}).get("spread"),
                "quantities": ", ".join(r.config["backend"].get("profile", {}).get("quantities", [])),
                "duration_us": r.config["backend"].get("duration_us"),
                "spike_penalty": r.config["model"].get("spike_penalty"),
                "dropout": r.config["model"].get("dropout"),
                "epochs": r.config["training"]["epochs"],
            }
            for r in records
        ]
    )


def show(title: str, table: pd.DataFrame) -> None:
    """Print a table in Markdown."""
    print(f"\n{title}\n\n{table.to_markdown(index=False)}")


def percent(values: pd.Series) -> str:
    """Mean and, of several, standard deviation in percent."""
    spread = f" ± {100 * values.std():.2f}" if len(values) > 1 else ""
    return f"{100 * values.mean():.2f}{spread}"


def accuracy(runs: Path) -> None:
    """Accuracy in software and on the chip, whole and with silenced neurons."""
    frame = pd.concat([rows(runs / name) for name in ("mnist_weight_transfer", "mnist_in_the_loop")])
    if frame.empty:
        return
    groups = frame.groupby(["model", "dropout", "deployment", "backend"])
    table = groups.agg(
        accuracy=("accuracy", percent), spikes=("hidden spikes", "mean"), seeds=("seed", "nunique")
    )
    show("MNIST, test accuracy in %", table.round(1).reset_index())
    silenced(frame)


def silenced(frame: pd.DataFrame) -> None:
    """Error with all hidden neurons and with 15 % of them silenced."""
    mean = frame.groupby(["model", "dropout", "deployment", "backend"])["accuracy"].mean().unstack("backend")
    if {"bss2_one_chip", "bss2_silenced"} <= set(mean.columns):
        whole, fewer = 1 - mean["bss2_one_chip"], 1 - mean["bss2_silenced"]
        errors = pd.DataFrame(
            {
                "error in %": 100 * whole,
                "silenced": 100 * fewer,
                "increase in %": 100 * (fewer / whole - 1),
            }
        )
        show("15 % of the hidden neurons silenced", errors.dropna().round(2).reset_index())


def neuron_death(runs: Path) -> None:
    """Show what silenced neurons do with and without dropout."""
    frame = rows(runs / "mnist_neuron_death")
    if not frame.empty:
        silenced(frame)


def hundred_chips(runs: Path) -> None:
    """Distribution of the accuracy over chips."""
    frame = rows(runs / "mnist_hundred_chips")
    if frame.empty:
        return
    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.subplots()
    lowest = min(min(values) for values in frame["accuracies"])
    edges = np.linspace(100 * lowest, 100, 40)
    table = []
    for _, row in frame.iterrows():
        values = 100 * np.array(row["accuracies"])
        axes.hist(values, bins=list(edges), histtype="step", label=row["deployment"])
        low, median = np.percentile(values, [5, 50])
        table.append(
            {
                "training": row["deployment"],
                "chips": len(values),
                "median": f"{median:.2f}",
                "5th percentile": f"{low:.2f}",
                "worst": f"{values.min():.2f}",
            }
        )
    axes.set(xlabel="accuracy on MNIST (%)", ylabel="chips")
    axes.legend()
    save(figure, "mnist_hundred_chips")
    show("A hundred chips that training has not seen", pd.DataFrame(table))


def curve(frame: pd.DataFrame, x: str, label: str, name: str, groups: list[str]) -> None:
    """Draw and print accuracy against a quantity, a line for each group."""
    if frame.empty:
        return
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    axes = figure.subplots()
    for key, part in frame.groupby(groups):
        means = part.groupby(x)["accuracy"].agg(["mean", "std"])
        axes.errorbar(means.index, 100 * means["mean"], 100 * means["std"], marker="o", label=" · ".join(key))
    axes.set(xlabel=label, ylabel="accuracy on MNIST (%)")
    axes.legend()
    save(figure, name)


def sparsity(runs: Path) -> None:
    """Accuracy against hidden spikes."""
    frame = rows(runs / "mnist_sparsity")
    curve(frame, "hidden spikes", "hidden spikes per image", "mnist_sparsity", ["deployment"])
    if not frame.empty:
        frame["accuracy"] = (100 * frame["accuracy"]).round(2)
        columns = ["spike_penalty", "hidden spikes", "accuracy", "epochs"]
        show("Hidden spikes per image", frame[columns].sort_values("spike_penalty").round(4))


def decalibration(runs: Path) -> None:
    """Accuracy against the scatter of calibration targets."""
    frame = rows(runs / "mnist_decalibration")
    if frame.empty:
        return
    frame["spread"] *= 100
    curve(frame, "spread", "scatter of targets (%)", "mnist_decalibration", ["deployment", "quantities"])
    table = (100 * frame.pivot_table("accuracy", ["quantities", "deployment"], "spread")).round(2)
    show("Accuracy in % against scatter in %", table.astype(object).fillna("").reset_index())


def latency(runs: Path) -> None:
    """Accuracy and modelled energy against the time for an image."""
    frame = rows(runs / "mnist_latency")
    curve(frame, "duration_us", "time on the chip (µs)", "mnist_latency", ["deployment"])
    if not frame.empty:
        frame = frame.sort_values("duration_us")
        table = pd.DataFrame(
            {
                "time on chip in µs": frame["duration_us"],
                "images per second": (1e6 / frame["duration_us"]).round(-2).astype(int),
                "energy in µJ": (1e6 * frame["energy"]).round(2),
                "accuracy in %": (100 * frame["accuracy"]).round(2),
            }
        )
        show("Decided ever earlier (time and energy modelled)", table)


def speech(runs: Path) -> None:
    """FSDD in software and on chips."""
    frame = rows(runs / "fsdd_on_chip")
    if frame.empty:
        return
    groups = frame.groupby(["representation", "deployment", "backend"])
    table = groups.agg(
        accuracy=("accuracy", percent), spikes=("hidden spikes", "mean"), seeds=("seed", "nunique")
    )
    show("FSDD, speakers unseen, test accuracy in %", table.round(1).reset_index())


def save(figure: Figure, name: str) -> None:
    """Write a picture without a time of writing."""
    figure.savefig(IMAGES / f"{name}.png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for part in (accuracy, neuron_death, hundred_chips, sparsity, decalibration, latency, speech):
        part(folder)
