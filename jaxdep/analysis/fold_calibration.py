"""Calibration of a cross-validation: the test predictions of all its folds, pooled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxdep.analysis import calibration, calibration_summary
from jaxdep.analysis.predictions import Predictions

METHOD = (
    "calibration over folds: the test predictions of all folds are pooled, each scaled with the"
    " temperature that was fitted for its model on the validation split of its own fold. Of each"
    " repeat and seed there is one such pool, which has each recording once; tables give means over"
    " these. The reliability diagram pools all of them, so that each recording counts once per"
    " repeat and seed. The ECE of all of them together is lower than that mean, because more"
    " predictions share a bin; it cannot be compared with the ECE of calibrated predictions."
)


def summarize(
    test: Predictions,
    fold: np.ndarray,
    validation: Sequence[Sequence[Predictions]],
    seeds: int,
) -> dict[str, Any] | None:
    """As `calibration_summary.summarize`, of R runs that each pool F folds.

    Args:
      test: out-of-fold predictions with logits; the runs of the first repeat come first.
      fold: fold that each prediction was tested in, [R, N].
      validation: for each repeat and fold, predictions with logits of its runs, which are numbered
        from 0, on its own validation split.
      seeds: number of runs of each repeat.

    Returns:
      As there. The `temperature` of a run is the mean over its folds, and `per_fold` has those of
      all folds, [R, F]; `validation_items` is the mean over folds. In addition, `pooled` has the
      ECE of all runs together, before and after temperature scaling, and the number of runs. None
      without logits or without a run.
    """
    parts = [part for of_repeat in validation for part in of_repeat]
    if test.logits is None or any(part.logits is None for part in parts) or not len(test.runs):
        return None
    per_fold = np.array(
        [
            [_temperature(part, run % seeds) for part in validation[run // seeds]]
            for run in test.runs.tolist()
        ]
    )
    found = calibration_summary.of_temperatures(test, of_items(per_fold, fold), per_fold.mean(1))
    found["temperature"]["per_fold"] = per_fold.tolist()
    scaled = calibration.scaled(test.logits, of_items(per_fold, fold))
    ece = lambda probability: calibration.error(probability, test.target)
    pooled = {"ece": ece(calibration.probabilities(test.logits)), "ece_scaled": ece(scaled)}
    return {
        **found,
        "validation_items": round(sum(len(part.ids) for part in parts) / len(parts)),
        "pooled": {**pooled, "runs": len(test.runs)},
    }


def of_items(per_fold: Any, fold: np.ndarray) -> np.ndarray:
    """The temperature of each prediction, [R, N], given those of the folds, [R, F]; fold [R, N]."""
    return np.take_along_axis(np.asarray(per_fold, float), fold, 1)


def caption(found: Mapping[str, Any]) -> str:
    """What to add to the caption of a reliability diagram, given the result of `summarize`."""
    runs = found["pooled"]["runs"]
    often = f", {runs} times in all" if runs > 1 else ""
    return (
        " Temperatures are those of the folds, each fitted on its own validation split. The folds"
        f" are pooled: each recording counts once per repeat and seed{often}."
    )


def _temperature(validation: Predictions, run: int) -> float:
    """The temperature of one run of a fold, fitted on its validation split."""
    logits = validation.select_runs([run]).logits
    assert logits is not None
    return calibration.fit_temperature(logits[0], validation.target)
