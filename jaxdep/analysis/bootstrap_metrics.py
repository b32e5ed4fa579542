"""Vectorized metrics for bootstrap resamples; a test checks that they equal scikit-learn's."""

from __future__ import annotations

import numpy as np

from jaxdep.analysis.intervals import Statistic
from jaxdep.analysis.predictions import Predictions
from jaxdep.scales import bdi


def statistic(metric: str, predictions: Predictions, classes: int) -> Statistic:
    """A metric, averaged over R runs, as a function of how often each recording was drawn.

    Args:
      metric: name of a metric of `jaxdep.analysis.metrics`.
      predictions: predictions of the R runs.
      classes: number of classes; 0 for a regression.

    Returns:
      A function of counts [S, N]; counts of one give the metric itself.
    """
    target, prediction = predictions.target, predictions.prediction
    if classes == 0:
        if metric == "severity_outliers":
            misplaced = (bdi.category(prediction) != bdi.category(target)).mean(0)
            # A number among N recordings, however many the drawn subjects have.
            return lambda drawn: drawn @ misplaced * (len(target) / drawn.sum(1))
        return _error_statistic(metric, prediction - target)
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
    """A metric of confusion matrices [C, C, ...], indexed by true class first: [...]."""
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


def _error_statistic(metric: str, error: np.ndarray) -> Statistic:
    """MAE or RMSE as a function of counts, given the errors [R, N]."""
    if metric == "mae":
        each = np.abs(error).mean(0)
        return lambda drawn: (drawn @ each) / drawn.sum(1)
    squared = (error**2).T
    return lambda drawn: np.sqrt((drawn @ squared) / drawn.sum(1, keepdims=True)).mean(1)


def _auc(target: np.ndarray, probability: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Fraction of correctly ranked pairs, with ties counted half (Mann and Whitney): [S]."""
    order = np.argsort(probability, kind="stable")
    starts = np.flatnonzero(np.diff(probability[order], prepend=-np.inf))
    drawn, positive = drawn[:, order], target[order] == 1
    positives = np.add.reduceat(np.where(positive, drawn, 0), starts, axis=1)
    negatives = np.add.reduceat(np.where(positive, 0, drawn), starts, axis=1)
    below = np.cumsum(negatives, axis=1) - negatives / 2
    pairs = positives.sum(1) * negatives.sum(1)
    correct = (positives * below).sum(1)
    return np.divide(correct, pairs, out=np.full(len(drawn), np.nan), where=pairs > 0)
