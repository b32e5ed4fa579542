"""Compares two runs on the same recordings: difference of a metric, with intervals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.analysis import bootstrap_metrics, intervals
from jaxdep.analysis.predictions import Predictions
from jaxdep.analysis.results import finite_predictions, load
from jaxdep.artifacts import schema
from jaxdep.errors import UserError

METHOD = (
    "differences: over runs, Welch's t, with the seeds of both runs taken for independent; over"
    " test items, of both values for the same drawn recordings."
)


class UnpairedError(UserError):
    """Two runs have no predictions for the same recordings."""


def paired(first: Path, second: Path, task: str, metric: str = "accuracy") -> dict[str, Any]:
    """Difference of a metric, averaged over non-diverged runs: `first` minus `second`.

    Args:
      first: run directory.
      second: run directory.
      task: task to compare.
      metric: name of a metric of `jaxdep.analysis.metrics`.

    Returns:
      `difference`; `interval_items`, a paired bootstrap of the test items, resampled by subject;
      and `interval_runs`, Welch's t for seeds that are not paired, None if either has a single
      seed. Deterministic fits have no variance over seeds.

    Raises:
      UnpairedError: the runs were not tested on the same recordings in that task, or disagree about
        their subjects.
    """
    (a, classes, exact_a), (b, _, exact_b) = load_pair(first, second, task)
    statistic_a, statistic_b = (
        bootstrap_metrics.statistic(metric, each, classes) for each in (a, b)
    )
    difference = lambda drawn: statistic_a(drawn) - statistic_b(drawn)
    runs_a, runs_b = (_each_run(metric, each, classes) for each in (a, b))
    return {
        "task": task,
        "metric": metric,
        "first": str(first),
        "second": str(second),
        "difference": float(runs_a.mean() - runs_b.mean()),
        "runs": [len(runs_a), len(runs_b)],
        "interval_runs": _over_runs(runs_a, runs_b, exact_a, exact_b),
        "interval_items": intervals.over_items({metric: difference}, a.subjects)[metric],
    }


def load_pair(
    first: Path, second: Path, task: str
) -> tuple[tuple[Predictions, int, bool], tuple[Predictions, int, bool]]:
    """Loads the predictions of two runs for the same recordings.

    Returns:
      For each run, the predictions of its non-diverged seeds, the number of classes, and whether
      its fit is deterministic. Both have the subjects that either of them names.

    Raises:
      UnpairedError: the runs were not tested on the same recordings in that task.
    """
    (a, classes, exact_a), (b, _, exact_b) = _load_valid(first, task), _load_valid(second, task)
    if a.ids.tolist() != b.ids.tolist() or a.target.tolist() != b.target.tolist():
        raise UnpairedError(
            f"{first} and {second} were not tested on the same recordings;"
            " compare runs with the same test split"
        )
    if (subjects := _subjects(a, b)) is None:
        raise UnpairedError(
            f"{first} and {second} name different subjects for the same recordings; compare runs on"
            " the same files"
        )
    a, b = replace(a, subjects=subjects), replace(b, subjects=subjects)
    return (a, classes, exact_a), (b, classes, exact_b)


def _subjects(a: Predictions, b: Predictions) -> np.ndarray | None:
    """Subjects of the same recordings in two runs; None if the runs contradict each other."""
    for one, other in ((a, b), (b, a)):
        if np.array_equal(one.subjects, one.ids):  # unknown, or written by an earlier version
            return other.subjects
    return a.subjects if np.array_equal(a.subjects, b.subjects) else None


def _over_runs(
    first: np.ndarray, second: np.ndarray, exact_first: bool, exact_second: bool
) -> intervals.Interval:
    if exact_first and exact_second:
        return None
    if exact_second:
        return intervals.over_runs(first - second.mean())
    if exact_first:
        return intervals.over_runs(first.mean() - second)
    return intervals.difference_over_runs(first, second)


def _each_run(metric: str, predictions: Predictions, classes: int) -> np.ndarray:
    """The metric of each run, [R]."""
    once = np.ones((1, len(predictions.ids)), int)
    alone = [predictions.select_runs([run]) for run in predictions.runs]
    return np.array([bootstrap_metrics.statistic(metric, each, classes)(once)[0] for each in alone])


def _load_valid(run_dir: Path, task: str) -> tuple[Predictions, int, bool]:
    """Predictions of non-diverged runs, number of classes, and whether the fit is deterministic."""
    meta = load(run_dir, "meta.json")
    predictions = finite_predictions(run_dir, meta)
    if task not in predictions:
        raise UnpairedError(f"{run_dir} has no predictions for task {task}")
    if not len(predictions[task].runs):
        raise UnpairedError(f"{run_dir} cannot be compared: every run diverged")
    classes = len(meta["classes"].get(task, ()))
    return predictions[task], classes, schema.is_deterministic(meta)
