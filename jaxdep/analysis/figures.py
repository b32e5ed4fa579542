"""Pictures of a run: loss curves, confusion, scores by class, spread over seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxdep.analysis import words
from jaxdep.analysis.attention import attention
from jaxdep.analysis.predictions import Predictions, read
from jaxdep.analysis.style import BLUE, GREY, ORANGE, axes, save


def write(run_dir: Path, results: Mapping[str, Any]) -> dict[str, str]:
    """Draws every figure that the run's files allow.

    Returns:
      File name below `figures/`, and a caption that says what to look for.
    """
    folder = run_dir / "figures"
    folder.mkdir(exist_ok=True)
    drawn: dict[str, tuple[Figure, str]] = {}
    metrics = run_dir / "metrics.jsonl"
    if metrics.is_file():
        drawn["loss_curves"] = loss_curves(metrics, results)
    for task, predictions in read(run_dir / "predictions.csv").items():
        about = results["tasks"][task]
        if not about["summary"]:
            continue
        sound = predictions.of_runs([run["run"] for run in about["per_run"]])
        drawn[f"seeds_{task}"] = seeds(about, results)
        if about["classes"]:
            drawn[f"confusion_{task}"] = confusion(sound, about["classes"])
        else:
            drawn[f"scatter_{task}"] = scatter(sound)
        if len(about["classes"]) == 2:
            drawn[f"scores_{task}"] = scores(sound, about["classes"])
    maps = run_dir / "attention.npz"
    if maps.is_file():
        main = next(iter(results["tasks"].values()))
        with np.load(maps, allow_pickle=False) as stored:
            picture = attention(dict(stored), main["classes"])
        if picture:
            drawn["attention"] = picture
    for name, (figure, _) in drawn.items():
        title = "SYNTHETIC data" if results["synthetic"] else ""
        save(figure, folder / f"{name}.png", title)
    return {f"{name}.png": caption for name, (_, caption) in drawn.items()}


def loss_curves(metrics: Path, results: Mapping[str, Any]) -> tuple[Figure, str]:
    """Training and validation loss of all runs by epoch."""
    figure, (axis,) = axes(1, width=7, height=3.6)
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    for run in results["runs"]:
        own = [line for line in lines if line["run"] == run["run"]]
        epochs = [line["epoch"] for line in own]
        loss = lambda part, own=own: np.array([line[part]["loss"] for line in own], float)
        axis.plot(epochs, loss("train"), color=BLUE, alpha=0.35, linewidth=0.9)
        axis.plot(epochs, loss("validation"), color=ORANGE, alpha=0.8, linewidth=1.3)
        if run["best_epoch"] in epochs:
            best = loss("validation")[epochs.index(run["best_epoch"])]
            axis.plot(run["best_epoch"], best, "o", color=ORANGE, markersize=5)
        if run["status"] == "diverged" and epochs:
            axis.axvline(epochs[-1], color=GREY, linestyle=":", label="diverged")
    axis.plot([], [], color=BLUE, alpha=0.5, label="training")
    axis.plot([], [], color=ORANGE, marker="o", label="validation (dot: epoch kept)")
    axis.set(xlabel="epoch", ylabel="loss")
    axis.legend(frameon=False)
    return figure, (
        "Loss of every run. Where validation turns up while training falls, the run learns its"
        " training recordings by heart; the dot is the epoch that was kept."
    )


def confusion(predictions: Predictions, classes: list[str]) -> tuple[Figure, str]:
    """Confusion matrix, averaged over runs."""
    size = len(classes)
    codes = (predictions.target * size + predictions.prediction).astype(int)
    counts = np.mean([np.bincount(run, minlength=size**2) for run in codes], 0).reshape(size, size)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = 2.2 + 0.75 * size
    figure, (axis,) = axes(1, width=side + 0.8, height=side)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        text = f"{share:.0%}\n{counts[row, column]:.1f}"
        color = "white" if share > 0.55 else "black"
        axis.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
    axis.set_xticks(range(size), classes, rotation=30, ha="right")
    axis.set_yticks(range(size), classes)
    axis.set(xlabel="predicted", ylabel="true")
    return figure, (
        "Confusion matrix, averaged over runs: share of each true class, and number of"
        " recordings. A bright column is a class that is predicted whatever the truth."
    )


def scores(predictions: Predictions, classes: list[str]) -> tuple[Figure, str]:
    """Histogram of the probability of class 1 by true class."""
    figure, (axis,) = axes(1, width=7, height=3.2)
    bins = np.linspace(0, 1, 26)
    for label, color in ((0, BLUE), (1, ORANGE)):
        values = predictions.probability[:, predictions.target == label].ravel()
        weights = np.full(len(values), 1 / max(len(values), 1))
        axis.hist(values, bins, weights=weights, color=color, alpha=0.6, label=classes[label])
    axis.set(xlabel=f"predicted probability of {classes[1]}", ylabel="share of recordings")
    axis.legend(frameon=False, title="truly")
    return figure, (
        "Predicted probabilities by true class, all runs. Mass at the ends of the wrong colour is"
        " confident error."
    )


def scatter(predictions: Predictions) -> tuple[Figure, str]:
    """Predicted against true score, averaged over runs."""
    figure, (axis,) = axes(1, width=4.6, height=4.4)
    mean = predictions.prediction.mean(0)
    axis.scatter(predictions.target, mean, color=BLUE, alpha=0.7, s=16)
    ends = [min(predictions.target.min(), mean.min()), max(predictions.target.max(), mean.max())]
    axis.plot(ends, ends, color=GREY, linestyle="--")
    axis.set(xlabel="true score", ylabel="predicted score")
    return figure, "Predicted against true score, averaged over runs; on the line it is exact."


def seeds(task: Mapping[str, Any], results: Mapping[str, Any]) -> tuple[Figure, str]:
    """The headline metrics of every run, with mean and both intervals."""
    shown = words.headline(task)
    figure, (axis,) = axes(1, width=7, height=0.9 + 0.42 * len(shown))
    for row, metric in enumerate(shown):
        of = task["summary"][metric]
        values = [run["metrics"][metric] for run in task["per_run"]]
        _span(axis, of["interval_items"], row + 0.17, GREY)
        _span(axis, of["interval_runs"], row - 0.17, ORANGE)
        axis.plot(values, [row] * len(values), "o", color=BLUE, alpha=0.6, markersize=5)
        axis.plot(of["mean"], row, "|", color="black", markersize=14)
        if metric in task["paper_figures"]:
            axis.plot(task["paper_figures"][metric], row, "D", color="black", markersize=4)
    if "bayes_accuracy" in task:
        axis.axvline(task["bayes_accuracy"], color=GREY, linestyle="--", linewidth=0.8)
    axis.set_yticks(range(len(shown)), [words.metric_name(metric) for metric in shown])
    axis.invert_yaxis()
    said = "Each dot is a seed, the bar their mean; orange: 95% over runs, grey: over test items."
    if task["paper_figures"]:
        said += f" Diamond: {words.paper_column(results)}."
    if "bayes_accuracy" in task:
        said += " Dashed: the best attainable accuracy."
    return figure, said


def _span(axis: Axes, interval: Any, height: float, color: str) -> None:
    if interval:
        axis.plot(interval, [height, height], color=color, linewidth=3, solid_capstyle="butt")
