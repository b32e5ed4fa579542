"""Names of metrics and cells of tables, the same in the terminal and in the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "specificity": "specificity",
    "roc_auc": "ROC AUC",
    "mae": "MAE (points)",
    "rmse": "RMSE (points)",
    "severity_outliers": "severity outliers",
}


def headline(task: Mapping[str, Any]) -> list[str]:
    """The metrics that a table shows, those of the paper's averaging first."""
    average = task["average"]
    wanted = ["accuracy", "balanced_accuracy"]
    # Micro-averaged, each of them equals the accuracy; papers print the F1.
    kinds = ("f1",) if average == "micro" else ("precision", "recall", "f1")
    wanted += [f"{kind}_{average}" for kind in kinds]
    wanted += ["specificity"] if average == "positive" else []
    wanted += ["f1_positive", "f1_macro", "roc_auc", "mae", "rmse", "severity_outliers"]
    return [metric for metric in dict.fromkeys(wanted) if task["summary"].get(metric)]


def metric_name(metric: str) -> str:
    """`f1_weighted` as "F1, weighted"."""
    if metric in _NAMES:
        return _NAMES[metric]
    kind, _, average = metric.rpartition("_")
    return f"{'F1' if kind == 'f1' else kind}, {average}"


def title(results: Mapping[str, Any]) -> str:
    """The experiment's title; of synthetic data it says so."""
    return ("SYNTHETIC: " if results["synthetic"] else "") + results["title"]


def paper_column(results: Mapping[str, Any]) -> str:
    """Heading of the column of published figures, which stand beside ours with one warning."""
    return "paper; ours SYNTHETIC" if results["synthetic"] else "paper"


def number(value: float | None, metric: str = "accuracy") -> str:
    """Three decimals of a fraction, two of points; a dash where there is none."""
    return "-" if value is None else f"{value:.{_digits(metric)}f}"


def interval(pair: Sequence[float] | None, metric: str = "accuracy") -> str:
    """`[low, high]`, or a dash."""
    if pair is None:
        return "-"
    return f"[{number(pair[0], metric)}, {number(pair[1], metric)}]"


def difference(value: float, metric: str) -> str:
    """A difference with its sign."""
    return f"{value:+.{_digits(metric)}f}"


def rows(task: Mapping[str, Any]) -> list[list[str]]:
    """Cells of a task's table: metric, mean, std, both intervals, constant answer, paper."""
    cells = []
    for metric in headline(task):
        of = task["summary"][metric]
        cells.append(
            [
                metric_name(metric),
                number(of["mean"], metric),
                number(of["std"], metric),
                interval(of["interval_runs"], metric),
                interval(of["interval_items"], metric),
                number(task["constant"][metric], metric),
                number(task["paper_figures"].get(metric), metric),
            ]
        )
    return cells


def published(task: Mapping[str, Any]) -> list[str]:
    """The headline metrics that the paper publishes too."""
    return [metric for metric in headline(task) if metric in task["paper_figures"]]


def _digits(metric: str) -> int:
    return {"mae": 2, "rmse": 2, "severity_outliers": 1}.get(metric, 3)
