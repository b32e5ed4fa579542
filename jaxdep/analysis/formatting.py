"""Formats metric names and table cells, identically for the terminal and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jaxdep.analysis.calibration_summary import MEASURES

_NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "specificity": "specificity",
    "roc_auc": "ROC AUC",
    "mae": "MAE (points)",
    "rmse": "RMSE (points)",
    "severity_outliers": "severity outliers",
    "positive_rate": "positive rate",
    "true_positive_rate": "true positive rate",
    "false_positive_rate": "false positive rate",
    "mean_error": "mean error (points)",
}


def headline(task: Mapping[str, Any]) -> list[str]:
    """Names of the metrics that tables show, starting with the averaging that the paper reports."""
    average = task["average"]
    wanted = ["accuracy", "balanced_accuracy"]
    # With micro averaging all three equal the accuracy; papers report the F1.
    kinds = ("f1",) if average == "micro" else ("precision", "recall", "f1")
    wanted += [f"{kind}_{average}" for kind in kinds]
    wanted += ["specificity"] if average == "positive" else []
    wanted += ["f1_positive", "f1_macro", "roc_auc", "mae", "rmse", "severity_outliers"]
    return [metric for metric in dict.fromkeys(wanted) if task["summary"].get(metric)]


def main_metrics(task: Mapping[str, Any]) -> list[str]:
    """Names of the metrics that tables of several runs show."""
    shown = ("accuracy", "balanced_accuracy", f"f1_{task['average']}", "mae", "rmse")
    return [metric for metric in shown if task["summary"].get(metric)]


def metric_name(metric: str) -> str:
    """Display name of a metric: `f1_weighted` becomes "F1, weighted"."""
    if metric in _NAMES:
        return _NAMES[metric]
    kind, _, average = metric.rpartition("_")
    return f"{'F1' if kind == 'f1' else kind}, {average}"


def title(results: Mapping[str, Any]) -> str:
    """Title of the run, marked as SYNTHETIC if the data are."""
    return marked(results["title"], results["synthetic"])


def marked(title: str, synthetic: bool) -> str:
    """A title, marked as SYNTHETIC if the data are."""
    return ("SYNTHETIC: " if synthetic else "") + title


def paper_column(results: Mapping[str, Any]) -> str:
    """Header of the column of published results; warns if ours are on synthetic data."""
    return "paper; ours SYNTHETIC" if results["synthetic"] else "paper"


def number(value: float | None, metric: str = "accuracy") -> str:
    """Formats a metric: three decimals for fractions, two for points, a dash for None."""
    return "-" if value is None else f"{value:.{_digits(metric)}f}"


def interval(pair: Sequence[float] | None, metric: str = "accuracy") -> str:
    """Formats an interval as `[low, high]`; a dash for None."""
    if pair is None:
        return "-"
    return f"[{number(pair[0], metric)}, {number(pair[1], metric)}]"


def difference(value: float, metric: str) -> str:
    """Formats a difference with its sign."""
    return f"{value:+.{_digits(metric)}f}"


def seeds(given: Sequence[int]) -> str:
    """Formats seeds: as a range if they are consecutive, otherwise as a list."""
    if len(given) > 2 and list(given) == list(range(given[0], given[0] + len(given))):
        return f"{given[0]}-{given[-1]}"
    return ", ".join(map(str, given))


def rows(task: Mapping[str, Any]) -> list[list[str]]:
    """Table cells of a task: metric, mean, std, both intervals, best constant prediction, paper."""
    cells = []
    for metric in headline(task):
        summary = task["summary"][metric]
        cells.append(
            [
                metric_name(metric),
                number(summary["mean"], metric),
                number(summary["std"], metric),
                interval(summary["interval_runs"], metric),
                interval(summary["interval_items"], metric),
                number(task["constant"][metric], metric),
                number(task["paper_figures"].get(metric), metric),
            ]
        )
    return cells


def calibration_rows(task: Mapping[str, Any]) -> list[list[str]]:
    """Table cells of the calibration of a task: measure, mean, std, both intervals."""
    found = task["calibration"]
    return [
        [
            name,
            number(found["summary"][key]["mean"]),
            number(found["summary"][key]["std"]),
            interval(found["summary"][key]["interval_runs"]),
            interval(found["summary"][key]["interval_items"]),
        ]
        for key, name in MEASURES.items()
    ]


def published(task: Mapping[str, Any]) -> list[str]:
    """Headline metrics that the paper reports as well."""
    return [metric for metric in headline(task) if metric in task["paper_figures"]]


def _digits(metric: str) -> int:
    return {"mae": 2, "rmse": 2, "mean_error": 2, "severity_outliers": 1}.get(metric, 3)
