"""Summarises, for `results.json`, how far the probabilities of a task can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxdep.analysis import abstention, calibration, intervals
from jaxdep.analysis.predictions import Predictions

MEASURES = {
    "brier": "Brier score",
    "brier_scaled": "Brier score, temperature-scaled",
    "ece": "ECE",
    "ece_scaled": "ECE, temperature-scaled",
    "ece_if_calibrated": "ECE of calibrated predictions",
    "aurc": "area under risk-coverage curve",
}
"""Names of all measures."""

METHODS = (
    "Brier score: mean squared error of the probabilities (of class 1, if there are two classes;"
    " otherwise summed over classes). Lower is better; it rewards accuracy and calibration.",
    f"ECE: expected calibration error over {calibration.BINS} bins of equal width, the mean"
    " distance between confidence (the probability of the predicted class) and accuracy. Perfectly"
    " calibrated predictions score above 0, too: what they would score on so few recordings is"
    " given for comparison. It has no interval over test items, because resampling adds to it.",
    "temperature-scaled: logits divided by a temperature, fitted for each run on its validation"
    " predictions. It changes confidences, but not the predicted classes. If predictions are"
    " averaged over sessions or subjects, those on validation data are, too, and the logits are the"
    " logarithms of the averages.",
    "area under risk-coverage curve: mean error over all coverages, if a model abstains from its"
    " least confident predictions. A confidence that says nothing scores the error rate.",
)


def summarize(test: Predictions, validation: Predictions) -> dict[str, Any] | None:
    """Calibration and selective prediction of R runs in one classification task.

    Args:
      test: predictions on the test split, with logits.
      validation: predictions of the same runs on the validation split, with logits.

    Returns:
      `temperature` of each run and their mean; `summary`, with mean, standard deviation and both
      intervals of each of `MEASURES` (those over test items for the Brier score alone);
      `validation_items`; and `bins`. None without logits or without a run.
    """
    if test.logits is None or validation.logits is None or not len(test.runs):
        return None
    temperatures = calibration.fit_temperatures(validation.logits, validation.target)
    found = of_temperatures(test, temperatures, temperatures)
    return {**found, "validation_items": len(validation.ids)}


def of_temperatures(
    test: Predictions, temperatures: Sequence[float] | np.ndarray, per_run: Sequence[float]
) -> dict[str, Any]:
    """As `summarize`, with given temperatures and without `validation_items`.

    Args:
      test: predictions of R runs, at least one, on the test split, with logits.
      temperatures: temperature of each run, [R], or of each prediction, [R, N].
      per_run: temperature to state for each run, [R].

    Raises:
      ValueError: there are no logits.
    """
    if test.logits is None:
        raise ValueError("the predictions have no logits")
    plain = calibration.probabilities(test.logits)
    scaled = calibration.scaled(test.logits, temperatures)
    correct = plain.argmax(-1) == test.target
    brier, brier_scaled = (calibration.brier(each, test.target) for each in (plain, scaled))
    values = {
        "brier": brier.mean(1),
        "brier_scaled": brier_scaled.mean(1),
        "ece": [calibration.error(p, test.target) for p in plain],
        "ece_scaled": [calibration.error(p, test.target) for p in scaled],
        "ece_if_calibrated": [calibration.error_if_calibrated(p) for p in plain],
        "aurc": [
            abstention.area_under_risk_coverage(p.max(-1), c)
            for p, c in zip(plain, correct, strict=True)
        ],
    }
    statistics = {"brier": _mean_of(brier), "brier_scaled": _mean_of(brier_scaled)}
    over_items = intervals.over_items(statistics, test.subjects)
    return {
        "temperature": {**_spread(per_run), "per_run": [float(each) for each in per_run]},
        "bins": calibration.BINS,
        "summary": {
            name: {
                **_spread(each),
                "interval_runs": intervals.over_runs(np.array(each)),
                "interval_items": over_items.get(name),
            }
            for name, each in values.items()
        },
    }


def _spread(values: Any) -> dict[str, Any]:
    """Mean and standard deviation over runs."""
    several = len(values) > 1
    return {
        "mean": float(np.mean(values)),
        "std": float(np.std(values, ddof=1)) if several else None,
        "ddof": 1,
        "runs": len(values),
    }


def _mean_of(values: np.ndarray) -> intervals.Statistic:
    """The mean of values [R, N] over runs and drawn recordings."""
    each = values.mean(0)
    return lambda drawn: (drawn @ each) / drawn.sum(1)
