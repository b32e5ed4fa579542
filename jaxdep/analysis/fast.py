"""The same metrics from counts, for thousands of resamples; a test holds them equal to sklearn."""

from __future__ import annotations

import numpy as np

from jaxdep import severity
from jaxdep.analysis.intervals import Statistic
from jaxdep.analysis.predictions import Predictions


def statistic(metric: str, predictions: Predictions, classes: int) -> Statistic:
    """The metric, averaged over R runs, as a function of how often each recording is drawn.

    Args:
      metric: a name of `jaxdep.analysis.metrics`.
      classes: 0 in a regression.

    Returns:
      A function of counts [S, N]; ones give the metric itself.
    """
    target, prediction = predictions.target, predictions.prediction
    if classes == 0:
        if metric == "severity_outliers":
            apart = (severity.category(prediction) != severity.category(target)).mean(0)
            return lambda drawn: drawn @ apart
        return _of_errors(metric, prediction - target)
    if metric == "roc_auc":
        return lambda drawn: np.mean([_auc(target, p, drawn) for p in predictions.probability], 0)
    codes = (target * classes + prediction).astype(int)
    cells = np.arange(classes**2)[:, None, None]
    one_hot = (codes == cells).astype(float).reshape(-1, codes.shape[1])

    def from_counts(drawn: np.ndarray) -> np.ndarray:
        counts = (one_hot @ drawn.T.astype(float)).reshape(classes, classes, len(codes), -1)
        return score(metric, counts).mean(0)

    return from_counts


def score(metric: str, counts: np.ndarray) -> np.ndarray:
    """A metric of confusion matrices [C, C, ...], true class first: [...]."""
    hits = np.einsum("cc...->c...", counts)
    support, predicted = counts.sum(1), counts.sum(0)
    total = support.sum(0)
    accuracy = hits.sum(0) / total
    kind, _, average = metric.rpartition("_")
    if metric == "accuracy" or average == "micro":
        return accuracy
    recall = hits / np.maximum(support, 1)
    if metric == "specificity":
        return recall[0]
    if metric == "balanced_accuracy":
        return recall.sum(0) / (support > 0).sum(0)
    precision = hits / np.maximum(predicted, 1)
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    each = {"precision": precision, "recall": recall, "f1": f1}[kind]
    if average == "positive":
        return each[1]
    return (each * support).sum(0) / total if average == "weighted" else each.mean(0)


def _of_errors(metric: str, error: np.ndarray) -> Statistic:
    """MAE or RMSE of errors [R, N]."""
    if metric == "mae":
        each = np.abs(error).mean(0)
        return lambda drawn: (drawn @ each) / drawn.sum(1)
    squared = (error**2).T
    return lambda drawn: np.sqrt((drawn @ squared) / drawn.sum(1, keepdims=True)).mean(1)


def _auc(target: np.ndarray, probability: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Share of pairs that are ranked rightly, ties counting half (Mann and Whitney): [S]."""
    order = np.argsort(probability, kind="stable")
    starts = np.flatnonzero(np.diff(probability[order], prepend=-np.inf))
    drawn, positive = drawn[:, order], target[order] == 1
    of_positive = np.add.reduceat(np.where(positive, drawn, 0), starts, axis=1)
    of_negative = np.add.reduceat(np.where(positive, 0, drawn), starts, axis=1)
    below = np.cumsum(of_negative, axis=1) - of_negative / 2
    pairs = of_positive.sum(1) * of_negative.sum(1)
    right = (of_positive * below).sum(1)
    return np.divide(right, pairs, out=np.full(len(drawn), np.nan), where=pairs > 0)
