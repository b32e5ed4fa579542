"""Plots the figures of a run: loss curves, confusion matrices, scores, and variance over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jaxdep.analysis import (
    calibration_figures,
    fold_assignment,
    fold_calibration,
    formatting,
    group_differences,
)
from jaxdep.analysis.attention import attention
from jaxdep.analysis.predictions import Predictions
from jaxdep.analysis.results import finite_predictions, load
from jaxdep.analysis.style import BLUE, GREEN, GREY, ORANGE, axes, legible, save
from jaxdep.artifacts import schema
from jaxdep.artifacts.files import read_arrays
from jaxdep.errors import UserError
from jaxdep.scales import bdi


def write(run_dir: Path, results: Mapping[str, Any]) -> dict[str, str]:
    """Plots every figure that the files of a run allow.

    Args:
      run_dir: run directory.
      results: content of `results.json`.

    Returns:
      Captions by name of the figure, see `style.save`.
    """
    drawn: dict[str, tuple[Figure, str]] = {}
    if lines := schema.read_history(run_dir / "metrics.jsonl"):
        drawn["loss_curves"] = loss_curves(lines, results)
    for task, finite in finite_predictions(run_dir, load(run_dir, "meta.json")).items():
        task_results = results["tasks"][task]
        if not task_results["summary"]:
            continue
        drawn[f"seeds_{task}"] = seeds(task_results, results)
        if task_results["classes"]:
            drawn[f"confusion_{task}"] = confusion(finite, task_results["classes"])
            if found := task_results["calibration"]:
                drawn[f"reliability_{task}"] = _reliability(run_dir, finite, found)
                drawn[f"coverage_{task}"] = calibration_figures.coverage(finite)
        else:
            drawn[f"scatter_{task}"] = scatter(finite)
        if len(task_results["classes"]) == 2:
            drawn[f"scores_{task}"] = scores(finite, task_results["classes"])
    maps = run_dir / "attention.npz"
    if maps.is_file():
        main = next(iter(results["tasks"].values()))
        try:
            plot = attention(read_arrays(maps), main["classes"])
        except ValueError as error:
            raise _damaged(maps, error) from None
        if plot:
            drawn["attention"] = plot
    drawn |= _words(run_dir, results)
    for name, (figure, _) in drawn.items():
        save(figure, run_dir, name, results["synthetic"])
    return {name: caption for name, (_, caption) in drawn.items()}


def _reliability(
    run_dir: Path, predictions: Predictions, found: Mapping[str, Any]
) -> tuple[Figure, str]:
    """Reliability diagram of a task, given its `calibration` in `results.json`."""
    temperature = found["temperature"]
    if "per_fold" not in temperature:
        return calibration_figures.reliability(predictions, temperature["per_run"])
    fold = fold_assignment.of_items(run_dir, load(run_dir, "meta.json"), predictions)
    of_items = fold_calibration.of_items(temperature["per_fold"], fold)
    figure, caption = calibration_figures.reliability(predictions, of_items)
    return figure, caption + fold_calibration.caption(found)


def _damaged(path: Path, error: ValueError) -> UserError:
    return UserError(f"{path} is damaged ({error}); remove it to do without its figure")


def _words(run_dir: Path, results: Mapping[str, Any]) -> dict[str, tuple[Figure, str]]:
    """Plots words to which the groups attend differently, and writes the table of all words."""
    path, classes = run_dir / "words.npz", next(iter(results["tasks"].values()))["classes"]
    if not path.is_file() or len(classes) != 2:
        return {}
    words = load(run_dir, "meta.json")["corpus"].get("words", [])
    try:
        differences = group_differences.compare(read_arrays(path), words)
    except ValueError as error:
        raise _damaged(path, error) from None
    group_differences.write(run_dir / "words.csv", differences, classes)
    drawn = {
        f"words_{m}": group_differences.figure(differences, m, classes)
        for m in group_differences.MEASURES
    }
    return {name: picture for name, picture in drawn.items() if picture}


def loss_curves(
    lines: Sequence[Mapping[str, Any]], results: Mapping[str, Any]
) -> tuple[Figure, str]:
    """Training and validation loss of all runs by epoch, from the lines of `metrics.jsonl`."""
    figure, (axis,) = axes(1, width=7, height=3.6)
    for run in results["runs"]:
        history = [line for line in lines if line["run"] == run["run"]]
        epochs = [line["epoch"] for line in history]
        loss = lambda part, history=history: np.array([x[part]["loss"] for x in history], float)
        axis.plot(epochs, loss("train"), color=BLUE, alpha=0.35, linewidth=0.9)
        axis.plot(epochs, loss("validation"), color=ORANGE, alpha=0.8, linewidth=1.3)
        if run["best_epoch"] in epochs:
            best = loss("validation")[epochs.index(run["best_epoch"])]
            axis.plot(run["best_epoch"], best, "o", color=ORANGE, markersize=5)
        if run["status"] == "diverged" and epochs:
            axis.axvline(epochs[-1], color=GREY, linestyle=":")
            axis.annotate(
                f"seed {run['seed']} diverged",
                (epochs[-1], 1),
                xycoords=axis.get_xaxis_transform(),
                rotation=90,
                ha="right",
                va="top",
                fontsize=7,
                color="#555555",
            )
    axis.plot([], [], color=BLUE, alpha=0.5, label="training")
    axis.plot([], [], color=ORANGE, marker="o", label="validation (dot: best epoch)")
    axis.set(xlabel="epoch", ylabel="loss")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.legend(frameon=False, fontsize=8, loc="upper right")
    return figure, (
        "Loss of each run. A validation loss that rises while the training loss falls indicates"
        " overfitting. Dots mark the selected epochs; lines end where a run stopped."
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
    turned = {"rotation": 30, "ha": "right"} if size > 2 else {}
    names = list(map(legible, classes))
    axis.set_xticks(range(size), names, **turned)
    axis.set_yticks(range(size), names)
    axis.set(xlabel="predicted", ylabel="true")
    return figure, (
        "Confusion matrix, averaged over runs: fraction of each true class, and number of"
        " recordings. A dark column is a class that is predicted regardless of the true class."
    )


def scores(predictions: Predictions, classes: list[str]) -> tuple[Figure, str]:
    """Histogram of the predicted probability of class 1, by true class."""
    figure, (axis,) = axes(1, width=7, height=3.2)
    bins = np.linspace(0, 1, 26).tolist()
    for label, color in ((0, BLUE), (1, ORANGE)):
        values = predictions.probability[:, predictions.target == label].ravel()
        weights = np.full(len(values), 1 / max(len(values), 1))
        axis.hist(values, bins, weights=weights, color=color, alpha=0.6)
    xlabel = legible(f"predicted probability of {classes[1]}")
    axis.set(xlabel=xlabel, ylabel="fraction of recordings")
    options = {"title": "true class", "title_fontsize": 8, "loc": "upper center"}
    axis.legend(list(map(legible, classes)), frameon=False, fontsize=8, **options)
    return figure, (
        "Predicted probabilities of all runs, by true class. Bars of the wrong color near 0 or 1"
        " are confident errors."
    )


def scatter(predictions: Predictions) -> tuple[Figure, str]:
    """Predicted against true scores, averaged over runs."""
    figure, (axis,) = axes(1, width=4.8, height=4.4)
    target, mean = predictions.target, predictions.prediction.mean(0)
    low, high = predictions.prediction.min(0), predictions.prediction.max(0)
    axis.vlines(target, low, high, color=BLUE, alpha=0.25, linewidth=1)
    axis.scatter(target, mean, color=BLUE, alpha=0.7, s=16, linewidths=0)
    caption = (
        "Predicted against true score: mean and range over runs. Points on the dashed line are"
        " exact; a cloud flatter than the line means that predictions shrink towards the mean."
    )
    if predictions.graded:
        misplaced = bdi.category(target) != bdi.category(mean)
        axis.scatter(target[misplaced], mean[misplaced], color=ORANGE, s=16, linewidths=0, zorder=3)
        for edge in bdi.EDGES:
            axis.axvline(edge, color=GREY, linewidth=0.6)
            axis.axhline(edge, color=GREY, linewidth=0.6)
        caption += (
            " Lines separate the categories of severity; orange: severity outliers, whose mean"
            " prediction lies in another category than the true score."
        )
    ends = [min(target.min(), low.min()), max(target.max(), high.max())]
    axis.plot(ends, ends, color=GREY, linestyle="--")
    axis.set(xlabel="true score (points)", ylabel="predicted score (points)", aspect="equal")
    return figure, caption


def seeds(task: Mapping[str, Any], results: Mapping[str, Any]) -> tuple[Figure, str]:
    """Headline metrics of every run, with their mean and both intervals."""
    shown = formatting.headline(task)
    figure, (axis,) = axes(1, width=7, height=0.9 + 0.42 * len(shown))
    for row, metric in enumerate(shown):
        summary = task["summary"][metric]
        values = [each["metrics"][metric] for each in task["per_run"]]
        _span(axis, summary["interval_items"], row + 0.17, GREY)
        _span(axis, summary["interval_runs"], row - 0.17, ORANGE)
        axis.plot(values, [row] * len(values), "o", color=BLUE, alpha=0.6, markersize=5)
        axis.plot(summary["mean"], row, "|", color="black", markersize=14)
        axis.plot(task["constant"][metric], row, "x", color=GREY, markersize=5)
        if metric in task["paper_figures"]:
            value = task["paper_figures"][metric]
            axis.plot(value, row, "D", color="white", markeredgecolor="black", markersize=5)
    if task.get("known") in shown:
        best, row = task["attainable"], shown.index(task["known"])
        axis.plot([best, best], [row - 0.4, row + 0.4], color=GREEN, linewidth=1.5)
    axis.set_yticks(range(len(shown)), [formatting.metric_name(metric) for metric in shown])
    axis.set_ylim(len(shown) - 0.4, -0.6)
    axis.grid(axis="x", color="#e6e6e6", linewidth=0.6)
    axis.set_axisbelow(True)
    caption = (
        "Each dot is one seed; the bar is the mean. Orange: 95% interval over runs; grey: 95%"
        " interval over test items. If grey is wider than orange, more test recordings would"
        " reduce the uncertainty more than additional seeds. Cross: best constant prediction."
    )
    if formatting.published(task):
        caption += f" Diamond: {formatting.paper_column(results)}."
    if task.get("known") in shown:
        caption += f" Green: the best attainable {formatting.metric_name(task['known'])}."
    return figure, caption


def _span(axis: Axes, interval: Any, height: float, color: str) -> None:
    if interval:
        axis.plot(interval, [height, height], color=color, linewidth=3, solid_capstyle="butt")
