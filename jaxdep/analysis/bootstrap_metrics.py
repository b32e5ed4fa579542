"""Vectorized metrics for bootstrap resamples; a test checks that they equal scikit-learn's."""

from __future__ import annotations

import numpy as np

from jaxdep.analysis.intervals import Statistic
from jaxdep.analysis.predictions import Predictions
from jaxdep.scales import bdi


def statistic(metric: str, predictions: Predictions, classes: int) -> Statistic:
    """A metric, averaged over R runs, as a function of how often each recording was drawn.

    Args:
      metric: name of a metric of `jaxdep.analysis.metrics`; or, which only subgroups are compared
        by, `positive_rate`, `true_positive_rate`, `false_positive_rate` or `mean_error`.
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
        if np.prod(np.bincount(target.astype(int), minlength=2)) <= _MOST_PAIRS:
            return _auc_of_pairs(target, predictions.probability)
        return lambda drawn: np.mean([_auc(target, p, drawn) for p in predictions.probability], 0)
    codes = (target * classes + prediction).astype(int)
    cells = np.arange(classes**2)[:, None, None]
    one_hot = (codes == cells).astype(float).reshape(-1, codes.shape[1])

    def from_counts(drawn: np.ndarray) -> np.ndarray:
        counts = (one_hot @ np.asarray(drawn.T, float)).reshape(classes, classes, len(codes), -1)
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
    if metric == "positive_rate":
        return predicted[1] / total
    if metric == "true_positive_rate":
        return recall[1]
    if metric == "false_positive_rate":
        return 1 - recall[0]
    if metric == "balanced_accuracy":
        return recall.sum(0) / (support > 0).sum(0)
    precision = hits / np.maximum(predicted, 1)
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    each = {"precision": precision, "recall": recall, "f1": f1}[kind]
    if average == "positive":
        return each[1]
    return (each * support).sum(0) / total if average == "weighted" else each.mean(0)


def _error_statistic(metric: str, error: np.ndarray) -> Statistic:
    """MAE, RMSE or mean signed error as a function of counts, given the errors [R, N]."""
    if metric in ("mae", "mean_error"):
        each = (np.abs(error) if metric == "mae" else error).mean(0)
        return lambda drawn: (drawn @ each) / drawn.sum(1)
    squared = (error**2).T
    return lambda drawn: np.sqrt((drawn @ squared) / drawn.sum(1, keepdims=True)).mean(1)


_MOST_PAIRS = 1_000_000
"""Number of pairs of a positive and a negative up to which listing them is faster than sorting."""


def _auc_of_pairs(target: np.ndarray, probability: np.ndarray) -> Statistic:
    """Mean over runs of `_auc`, for all R runs [R, N] at once, as a function of counts."""
    positive = target == 1
    p, q = probability[:, positive, None], probability[:, None, ~positive]
    ranked = np.mean([(a > b) + (a == b) / 2 for a, b in zip(p, q, strict=True)], 0)

    def auc(drawn: np.ndarray) -> np.ndarray:
        drawn = np.asarray(drawn, float)
        positives, negatives = drawn[:, positive], drawn[:, ~positive]
        pairs = positives.sum(1) * negatives.sum(1)
        correct = (positives @ ranked * negatives).sum(1)
        return np.divide(correct, pairs, out=np.full(len(drawn), np.nan), where=pairs > 0)

    return auc


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
