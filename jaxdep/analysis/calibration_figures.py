"""Plots the calibration of predicted probabilities, and accuracy if a model may abstain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from jaxdep.analysis import abstention, calibration
from jaxdep.analysis.predictions import Predictions
from jaxdep.analysis.style import BLUE, GREY, ORANGE, axes


def reliability(
    predictions: Predictions, temperatures: Sequence[float] | np.ndarray
) -> tuple[Figure, str]:
    """Reliability diagram: accuracy against confidence, before and after temperature scaling.

    Args:
      predictions: predictions with logits, [R, N, C].
      temperatures: temperature of each run, [R], or of each prediction, [R, N].
    """
    figure, (axis,) = axes(1, width=4.8, height=4.4)
    logits, target = _logits(predictions), predictions.target
    scaled = calibration.scaled(logits, temperatures)
    for probability, color, label in (
        (calibration.probabilities(logits), BLUE, "as predicted"),
        (scaled, ORANGE, "temperature-scaled"),
    ):
        bins = calibration.reliability(probability, target)
        used = bins.count > 0
        count, confidence, correct = (x[used] for x in (bins.count, bins.confidence, bins.correct))
        axis.plot(confidence / count, correct / count, color=color, linewidth=0.9, alpha=0.6)
        # Areas show how many predictions a point stands for.
        area = 12 + 380 * count / count.sum()
        axis.scatter(confidence / count, correct / count, area, color, alpha=0.6, linewidths=0)
        axis.plot([], [], "o", color=color, alpha=0.6, label=label)
    axis.plot([0, 1], [0, 1], color=GREY, linestyle="--")
    low = min(1 / logits.shape[2], 0.5) - 0.03
    axis.set(xlabel="confidence", ylabel="accuracy", xlim=(low, 1.03), ylim=(-0.04, 1.04))
    axis.legend(frameon=False, fontsize=8, loc="upper left")
    return figure, (
        "Accuracy against confidence, the probability of the predicted class, of all runs. Larger"
        " points stand for more predictions. Calibrated predictions lie on the dashed line; points"
        " below it are overconfident. Orange: after division of the logits by a temperature fitted"
        " on validation data."
    )


def coverage(predictions: Predictions) -> tuple[Figure, str]:
    """Accuracy against coverage, of each run and on average.

    Args:
      predictions: predictions with logits, [R, N, C].
    """
    figure, (axis,) = axes(1, width=7, height=3.2)
    probability = calibration.probabilities(_logits(predictions))
    correct = probability.argmax(-1) == predictions.target
    curves = np.stack(
        [
            abstention.accuracy_by_coverage(p.max(-1), c)
            for p, c in zip(probability, correct, strict=True)
        ]
    )
    share = np.arange(1, curves.shape[1] + 1) / curves.shape[1]
    axis.plot(share, curves.T, color=BLUE, alpha=0.3, linewidth=0.9)
    axis.plot(share, curves.mean(0), color="black", linewidth=1.6, label="mean over runs")
    axis.axhline(curves[:, -1].mean(), color=GREY, linestyle="--", label="without abstention")
    axis.set(xlabel="coverage (fraction of recordings that are classified)", ylabel="accuracy")
    axis.set(xlim=(0, 1.01), ylim=(min(0.5, float(curves.min())) - 0.03, 1.03))
    axis.legend(frameon=False, fontsize=8, loc="lower left")
    return figure, (
        "Accuracy if the model abstains from its least confident predictions, by the fraction of"
        " recordings that it still classifies; blue: each run. A curve that does not rise to the"
        " left means that the confidence does not tell right from wrong predictions. On the far"
        " left, few recordings remain."
    )


def _logits(predictions: Predictions) -> np.ndarray:
    if predictions.logits is None:
        raise ValueError("the predictions have no logits")
    return predictions.logits
