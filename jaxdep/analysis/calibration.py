"""Calibration of predicted probabilities: Brier score, calibration error, temperature scaling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

BINS = 15
"""Number of bins of the calibration error (Guo et al., 2017)."""

TEMPERATURES = (0.05, 20.0)
"""Range of temperatures. Validation data that a model separates perfectly have no best one."""

_LOWEST = float(np.log(np.finfo(np.float32).tiny))
"""Log-probability of a class that was excluded, so that one such error is not infinitely bad."""


@dataclass(frozen=True)
class Reliability:
    """Confidence and accuracy of predictions, grouped into M bins of equal width.

    Attributes:
      count: number of predictions in each bin, [M].
      confidence: sum of the probabilities of the predicted classes, [M].
      correct: number of correct predictions, [M].
    """

    count: np.ndarray
    confidence: np.ndarray
    correct: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of accuracy and confidence over predictions."""
        return float(np.abs(self.correct - self.confidence).sum() / self.count.sum())


def log_probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Logarithm of the softmax of `logits / temperature` over the last axis, [..., C].

    Args:
      logits: logits or log-probabilities, [..., C].
      temperature: above 1, probabilities become less extreme; the predicted classes stay the same.
    """
    return np.maximum(special.log_softmax(logits / temperature, axis=-1), _LOWEST)


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Softmax of `logits / temperature` over the last axis; arguments as `log_probabilities`."""
    return special.softmax(logits / temperature, axis=-1)


def scaled(logits: np.ndarray, temperatures: Sequence[float] | np.ndarray) -> np.ndarray:
    """Softmax of the logits of R runs, each divided by its temperature, [R, N, C].

    Args:
      logits: logits or log-probabilities, [R, N, C].
      temperatures: temperature of each run, [R], or of each prediction, [R, N].
    """
    divisor = np.asarray(temperatures, float).reshape(len(logits), -1, 1)
    return special.softmax(logits / divisor, axis=-1)


def brier(probability: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Brier score of each prediction (Brier, Monthly Weather Review 78, 1950), [..., N].

    It is the squared distance between the probabilities and the true class as a vector of zeros and
    one. For two classes it is halved, as is usual and as scikit-learn does: it is the squared error
    of the probability of class 1. A mean of 0 is perfect; always predicting 0.5 scores 0.25.

    Args:
      probability: probabilities of all classes, [..., N, C].
      target: class indices, [N].
    """
    classes = probability.shape[-1]
    distance = ((probability - np.eye(classes)[target.astype(int)]) ** 2).sum(-1)
    return distance / 2 if classes == 2 else distance


def reliability(probability: np.ndarray, target: np.ndarray, bins: int = BINS) -> Reliability:
    """Groups predictions by the probability of the predicted class.

    Bin m holds probabilities p with m - 1 < M p <= m.

    Args:
      probability: probabilities of all classes, [..., N, C].
      target: class indices, [N].
      bins: number M of bins.
    """
    confidence = probability.max(-1)
    correct = probability.argmax(-1) == target
    place = _bins(confidence, bins).ravel()
    sums = lambda values: np.bincount(place, values.ravel().astype(float), bins)
    return Reliability(sums(np.ones(confidence.shape)), sums(confidence), sums(correct))


def error(probability: np.ndarray, target: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error of one run, or of several as one (Guo et al., 2017, Eq. 3).

    With few recordings it is far from 0 even for perfect probabilities; see `error_if_calibrated`.

    Args:
      probability: probabilities of all classes, [..., N, C].
      target: class indices, [N].
      bins: number of bins of equal width.
    """
    return reliability(probability, target, bins).error


def error_if_calibrated(
    probability: np.ndarray, bins: int = BINS, draws: int = 1000, seed: int = 0
) -> float:
    """Mean calibration error if each prediction were correct with the probability that it states.

    This is what a perfectly calibrated model with the same confidences would score on as many
    recordings (consistency resampling; Bröcker and Smith, Weather and Forecasting 22, 2007).

    Args:
      probability: probabilities of all classes, [N, C].
      bins: number of bins of equal width.
      draws: number of simulated sets of labels.
      seed: seed of the simulation.
    """
    confidence = probability.max(-1)
    member = np.eye(bins)[_bins(confidence, bins)]
    correct = np.random.default_rng(seed).random((draws, len(confidence))) < confidence
    return float(np.abs((correct - confidence) @ member).sum(1).mean() / len(confidence))


def fit_temperature(logits: np.ndarray, target: np.ndarray) -> float:
    """The temperature of lowest negative log-likelihood (Guo et al., ICML 2017, Section 4.2).

    Fit it on validation data: fitted on test data, it would make the test result optimistic.

    Args:
      logits: logits or log-probabilities, [N, C].
      target: class indices, [N].

    Returns:
      A temperature within `TEMPERATURES`.
    """
    rows, classes = np.arange(len(target)), target.astype(int)

    def loss(log_temperature: float) -> float:
        return -log_probabilities(logits, np.exp(log_temperature))[rows, classes].mean()

    # The loss is convex in the inverse temperature, so it has one minimum on this scale, too.
    bounds = np.log(TEMPERATURES)
    found = optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def fit_temperatures(logits: np.ndarray, target: np.ndarray) -> list[float]:
    """The temperature of each of R runs, see `fit_temperature`; logits [R, N, C]."""
    return [fit_temperature(each, target) for each in logits]


def _bins(confidence: np.ndarray, bins: int) -> np.ndarray:
    """Index of the bin of each probability."""
    return np.digitize(confidence, np.linspace(0, 1, bins + 1)[1:-1], right=True)
