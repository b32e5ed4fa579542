"""Selective prediction: accuracy if a model abstains from its least confident predictions."""

from __future__ import annotations

import numpy as np


def accuracy_by_coverage(confidence: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Accuracy of the n most confident predictions, for n = 1 to N.

    Predictions with equal confidence are accepted in random order; the values are the expectation
    over these orders, so they do not depend on the order of the recordings.

    Args:
      confidence: confidence of each prediction, [N].
      correct: whether each prediction is correct, [N].

    Returns:
      Accuracies at coverages 1/N, 2/N, ..., 1, [N]; the last one is the accuracy.
    """
    order = np.argsort(-confidence, kind="stable")
    _, first, size = np.unique(-confidence[order], return_index=True, return_counts=True)
    tied = np.add.reduceat(correct[order].astype(float), first) / size
    return np.repeat(tied, size).cumsum() / np.arange(1, len(correct) + 1)


def area_under_risk_coverage(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Mean error over all coverages (Geifman et al., ICLR 2019); 0 is perfect.

    A confidence that says nothing about the errors scores the error rate.

    Args:
      confidence: confidence of each prediction, [N].
      correct: whether each prediction is correct, [N].
    """
    return float(1 - accuracy_by_coverage(confidence, correct).mean())


def threshold(confidence: np.ndarray, coverage: float) -> float:
    """The lowest confidence to accept so that at least a share of the predictions is accepted.

    Choose it on validation data, for predictions whose labels are not known.

    Args:
      confidence: confidence of each prediction, [N].
      coverage: share to accept, above 0 and at most 1; at 1, all predictions are accepted, those of
        other recordings as well.
    """
    if coverage == 1:
        return -np.inf
    accepted = int(np.ceil(coverage * len(confidence)))
    return float(np.sort(confidence)[::-1][max(accepted, 1) - 1])
