"""The same metrics from counts, for thousands of resamples; a test holds them equal to sklearn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

from jaxdep.analysis.predictions import Predictions


def statistic(metric: str, predictions: Predictions, classes: int) -> Callable[[np.ndarray], float]:
    """A function of row numbers [N]: the metric on those rows, averaged over runs.

    Args:
      metric: a name of `jaxdep.analysis.metrics`.
      classes: 0 in a regression.
    """
    target = predictions.target
    if classes == 0:
        error = predictions.prediction - target
        if metric == "mae":
            return lambda rows: float(np.abs(error[:, rows]).mean())
        return lambda rows: float(np.sqrt((error[:, rows] ** 2).mean(1)).mean())
    if metric == "roc_auc":
        return lambda rows: _auc(target[rows], predictions.probability[:, rows])
    codes = (target * classes + predictions.prediction).astype(int)

    def from_counts(rows: np.ndarray) -> float:
        counts = [np.bincount(run[rows], minlength=classes**2) for run in codes]
        return float(_score(metric, np.reshape(counts, (-1, classes, classes))).mean())

    return from_counts


def _score(metric: str, counts: np.ndarray) -> np.ndarray:
    """A metric of confusion matrices [R, C, C], true class first: [R]."""
    hits = np.diagonal(counts, axis1=1, axis2=2)
    support, predicted = counts.sum(2), counts.sum(1)
    total = support.sum(1)
    accuracy = hits.sum(1) / total
    kind, _, average = metric.rpartition("_")
    if metric == "accuracy" or average == "micro":
        return accuracy
    recall = hits / np.maximum(support, 1)
    if metric == "balanced_accuracy":
        return recall.sum(1) / (support > 0).sum(1)
    precision = hits / np.maximum(predicted, 1)
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    each = {"precision": precision, "recall": recall, "f1": f1}[kind]
    if average == "positive":
        return each[:, 1]
    return (each * support).sum(1) / total if average == "weighted" else each.mean(1)


def _auc(target: np.ndarray, probability: np.ndarray) -> float:
    """Mean over runs of the Mann-Whitney statistic."""
    positive = target == 1
    count = positive.sum()
    if count in (0, len(target)):
        return float("nan")
    ranks = rankdata(probability, axis=1)[:, positive].sum(1)
    return float(((ranks - count * (count + 1) / 2) / (count * (len(target) - count))).mean())
