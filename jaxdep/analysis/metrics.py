"""Computes the metrics of one run with scikit-learn; their names include the averaging."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import metrics as _metrics

from jaxdep.scales import bdi

sk: Any = _metrics  # pyright's bundled stubs contradict scikit-learn's documentation

AVERAGES = ("weighted", "macro", "micro")


def classification(
    target: np.ndarray, prediction: np.ndarray, probability: np.ndarray, classes: int
) -> dict[str, float | None]:
    """Accuracy, balanced accuracy, ROC AUC, and precision, recall and F1 for each averaging.

    Args:
      target: class indices [N].
      prediction: class indices [N].
      probability: probability of class 1 [N]; used only if there are two classes.
      classes: number of classes, including those that do not occur.

    Returns:
      Metrics by name. With two classes, `f1_positive` and the like are those of class 1, and
      `specificity` is the recall of class 0. A class that is never predicted has precision 0. The
      ROC AUC is None if only one class occurs, and the specificity if class 0 does not occur.
    """
    labels = np.arange(classes)
    recalls = sk.recall_score(target, prediction, labels=labels, average=None, zero_division=0)
    occurs = np.isin(labels, target)
    metrics: dict[str, float | None] = {
        "accuracy": float(sk.accuracy_score(target, prediction)),
        "balanced_accuracy": float(recalls[occurs].mean()),
    }
    averages = {average: {"average": average, "labels": labels} for average in AVERAGES}
    if classes == 2:
        averages["positive"] = {"average": "binary", "pos_label": 1}
    for name, options in averages.items():
        precision, recall, f1, _ = sk.precision_recall_fscore_support(
            target, prediction, zero_division=0, **options
        )
        metrics |= {f"precision_{name}": float(precision), f"recall_{name}": float(recall)}
        metrics[f"f1_{name}"] = float(f1)
    if classes == 2:
        both_occur = occurs.all()
        metrics["specificity"] = float(recalls[0]) if occurs[0] else None
        metrics["roc_auc"] = float(sk.roc_auc_score(target, probability)) if both_occur else None
    return metrics


def constant(target: np.ndarray, classes: int) -> dict[str, float | None]:
    """Best score of a constant prediction in each metric.

    On a test split of 123 depressed and 89 other recordings, predicting "depressed" for all gives
    an accuracy of 0.580, a positive F1 of 0.734 and a weighted F1 of 0.426: results mean little
    without this baseline.

    Returns:
      For each metric of `classification`, the maximum over all constant predictions.
    """
    no_probability = np.zeros(len(target))
    scores = [
        classification(target, np.full(len(target), label), no_probability, classes)
        for label in range(classes)
    ]
    return {
        metric: max((value for each in scores if (value := each[metric]) is not None), default=None)
        for metric in scores[0]
    }


def constant_score(target: np.ndarray, graded: bool) -> dict[str, float | None]:
    """Best score of a constant prediction in a regression.

    The constant is the median for MAE, the mean for RMSE, and the most frequent category for
    severity outliers.
    """
    mae = np.abs(target - np.median(target)).mean()
    metrics: dict[str, float | None] = {"mae": float(mae), "rmse": float(target.std())}
    if graded:
        metrics["severity_outliers"] = len(target) - int(np.bincount(bdi.category(target)).max())
    return metrics


def regression(
    target: np.ndarray, prediction: np.ndarray, graded: bool = False
) -> dict[str, float | None]:
    """Mean absolute error and root mean squared error, in points of the score.

    Args:
      target: scores [N].
      prediction: scores [N].
      graded: whether the scores are BDI-II totals; if so, the number of predictions in another
        category of severity than the target is reported as well (MDDR, Figure 4).
    """
    metrics: dict[str, float | None] = {
        "mae": float(sk.mean_absolute_error(target, prediction)),
        "rmse": float(sk.root_mean_squared_error(target, prediction)),
    }
    if graded:
        misplaced = bdi.category(target) != bdi.category(prediction)
        metrics["severity_outliers"] = int(misplaced.sum())
    return metrics
