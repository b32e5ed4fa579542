"""Computes how much the results of a cross-validation differ between its folds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.analysis import fold_assignment, metrics
from jaxdep.analysis.predictions import Predictions

METHOD = (
    "over folds: every recording is tested by a model trained on other folds. Intervals over test"
    " items draw subjects with these predictions and leave the folds as they are; those over runs"
    " cover seeds, and cuts if the cross-validation was repeated. The standard deviation over folds"
    " is descriptive only: folds share training data, so their spread is no standard error."
)


def of_task(
    run_dir: Path, meta: Mapping[str, Any], predictions: Predictions, classes: int
) -> dict[str, dict[str, float] | None]:
    """Mean and standard deviation (ddof 1) over folds, averaged over runs.

    Args:
      run_dir: folder of the cross-validation.
      meta: content of its `meta.json`.
      predictions: its predictions in a task, merged as `meta` says.
      classes: number of classes; 0 for a regression.

    Returns:
      `mean` and `std` by metric; None if a metric is undefined in a fold.

    Raises:
      UserError: `folds.csv` is missing or damaged.
    """
    about = meta["cross_validation"]
    found: dict[str, list[list[float | None]]] = {}
    for row, fold in enumerate(fold_assignment.of_items(run_dir, meta, predictions)):
        parts = [_metrics(predictions, row, fold == n, classes) for n in range(about["folds"])]
        for name in parts[0]:
            found.setdefault(name, []).append([part[name] for part in parts])
    return {name: _spread(values) for name, values in found.items()}


def _metrics(
    predictions: Predictions, run: int, items: np.ndarray, classes: int
) -> dict[str, float | None]:
    target, prediction = predictions.target[items], predictions.prediction[run, items]
    if not classes:
        return metrics.regression(target, prediction, predictions.graded)
    return metrics.classification(target, prediction, predictions.probability[run, items], classes)


def _spread(values: list[list[float | None]]) -> dict[str, float] | None:
    if any(value is None for run in values for value in run):
        return None
    array = np.array(values, float)
    return {"mean": float(array.mean()), "std": float(array.std(axis=1, ddof=1).mean())}
