"""Two runs on the same recordings: the difference, with its interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.analysis import fast, intervals
from jaxdep.analysis.predictions import Predictions
from jaxdep.analysis.results import load, sound_predictions
from jaxdep.errors import UserError


def paired(first: Path, second: Path, task: str, metric: str = "accuracy") -> dict[str, Any]:
    """`first` minus `second` in a metric averaged over their sound runs.

    Returns:
      `difference`; `interval_items`: bootstrap of the test items, the same for both;
      `interval_runs`: bootstrap of the seeds of each on its own, None where a single seed says
      nothing of others. A fit without chance has no spread over seeds.

    Raises:
      UserError: the runs were not tested on the same recordings in that task.
    """
    (a, classes, exact_a), (b, _, exact_b) = _sound(first, task), _sound(second, task)
    if a.ids.tolist() != b.ids.tolist() or a.target.tolist() != b.target.tolist():
        raise UserError(f"{first} and {second} were not tested on the same recordings")
    of_a, of_b = (fast.statistic(metric, each, classes) for each in (a, b))
    difference = lambda drawn: of_a(drawn) - of_b(drawn)
    runs_a, runs_b = (_each_run(metric, each, classes) for each in (a, b))
    return {
        "task": task,
        "metric": metric,
        "first": str(first),
        "second": str(second),
        "difference": float(runs_a.mean() - runs_b.mean()),
        "runs": [len(runs_a), len(runs_b)],
        "interval_runs": _over_runs(runs_a, runs_b, exact_a, exact_b),
        "interval_items": intervals.over_items({metric: difference}, len(a.ids))[metric],
    }


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
    """The metric of each run: [R]."""
    once = np.ones((1, len(predictions.ids)), int)
    alone = [predictions.of_runs([run]) for run in predictions.runs]
    return np.array([fast.statistic(metric, each, classes)(once)[0] for each in alone])


def _sound(run_dir: Path, task: str) -> tuple[Predictions, int, bool]:
    """Predictions of the runs that did not diverge, how many classes, and whether chance-free."""
    meta = load(run_dir, "meta.json")
    predictions = sound_predictions(run_dir, meta)
    if task not in predictions:
        raise UserError(f"{run_dir} has no predictions of {task}")
    if not len(predictions[task].runs):
        raise UserError(f"{run_dir}: every run diverged; there is nothing to compare")
    exact = meta["compile"]["programs"] == 0  # fitted at once, without drawing anything
    return predictions[task], len(meta["classes"].get(task, ())), exact
