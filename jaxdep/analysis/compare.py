"""Two runs on the same recordings: the difference, with its interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jaxdep.analysis import fast, intervals
from jaxdep.analysis.predictions import Predictions, read
from jaxdep.analysis.results import load
from jaxdep.errors import UserError


def paired(first: Path, second: Path, task: str, metric: str = "accuracy") -> dict[str, Any]:
    """`first` minus `second` in a metric averaged over their sound runs.

    Returns:
      `difference`, and `interval_items`: bootstrap of the test items, the same for both.

    Raises:
      UserError: the runs were not tested on the same recordings in that task.
    """
    (a, classes), (b, _) = _sound(first, task), _sound(second, task)
    if a.ids.tolist() != b.ids.tolist() or a.target.tolist() != b.target.tolist():
        raise UserError(f"{first} and {second} were not tested on the same recordings")
    of_a, of_b = (fast.statistic(metric, each, classes) for each in (a, b))
    difference = lambda rows: of_a(rows) - of_b(rows)
    return {
        "task": task,
        "metric": metric,
        "first": str(first),
        "second": str(second),
        "difference": difference(slice(None)),  # pyright: ignore[reportArgumentType]
        "interval_items": intervals.over_items(difference, len(a.ids)),
    }


def _sound(run_dir: Path, task: str) -> tuple[Predictions, int]:
    meta = load(run_dir, "meta.json")
    predictions = read(run_dir / "predictions.csv")
    if task not in predictions:
        raise UserError(f"{run_dir} has no predictions of {task}")
    runs = [run["run"] for run in meta["runs"] if run["status"] != "diverged"]
    return predictions[task].of_runs(runs), len(meta["classes"].get(task, ()))
