"""Predictions of an ensemble of runs for new recordings, with what is known of their uncertainty.

The logits of each run are divided by its temperature, which is fitted on the validation split as in
the report, and their probabilities are averaged over runs. Averages of calibrated probabilities are
not confident enough (Rahaman and Thiery, NeurIPS 2021), so a further temperature is fitted to the
averages on the same split ("pool, then calibrate"). All thresholds and margins are chosen on
validation predictions of the same ensemble. As the epoch was selected on these, too, they are
optimistic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from jaxdep.analysis import abstention, calibration
from jaxdep.analysis.intervals import LEVEL
from jaxdep.analysis.predictions import Predictions as Stored
from jaxdep.errors import UserError

LEGEND = (
    "probability: temperature-scaled, averaged over runs and scaled again; spread: standard"
    f" deviation over runs. The {LEVEL:.0%} interval of a probability says how it would vary with"
    " other seeds (Student's t); that of a score is where the true score of such a recording would"
    " lie, by the errors on the validation split (split conformal prediction). abstains: less"
    " certain than the chosen share of the validation split, by the highest probability, or the"
    " spread of a score. distance: percentile among training recordings of the distance from their"
    " mean; near 100, the recording is unlike all of them."
)
"""What the columns of a table of predictions mean."""


@dataclass(frozen=True)
class TaskPredictions:
    """Predictions of R runs for N recordings in one task.

    Attributes:
      classes: names of the C classes; empty if the task has scores.
      outputs: outputs of each run as in `predictions.csv`: logits [R, N, C] or scores [R, N].
      value: calibrated probabilities [N, C], or scores [N], of all runs together.
      spread: standard deviation of `value` over runs; NaN for a single run.
      low: lower end of the interval of `value`, see `LEGEND`; NaN where there is none.
      high: upper end.
      abstains: whether the model abstains, [N].
    """

    classes: tuple[str, ...]
    outputs: np.ndarray
    value: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray
    abstains: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """Indices of the most probable classes, or scores, [N]."""
        return self.value.argmax(-1) if self.classes else self.value


@dataclass(frozen=True)
class Predictions:
    """Predictions for N recordings.

    Attributes:
      ids: ids of the recordings, [N].
      tasks: predictions in each task.
      distance: distance from the training data, [N], see `inference.distance`.
      percentile: share of the training recordings that are nearer, [N], from 0 to 100.
    """

    ids: Sequence[str]
    tasks: Mapping[str, TaskPredictions]
    distance: np.ndarray
    percentile: np.ndarray


@dataclass(frozen=True)
class Calibration:
    """What the validation split says of an ensemble's predictions in one task.

    Attributes:
      classes: names of the C classes; empty if the task has scores.
      temperatures: temperature of each run, [R]; empty for scores.
      pooled: temperature of the mean over runs; 1 for scores.
      validation: probabilities [R, N, C] or scores [R, N] of the validation split.
      target: its class indices or scores, [N].
    """

    classes: tuple[str, ...]
    temperatures: Sequence[float]
    pooled: float
    validation: np.ndarray
    target: np.ndarray

    @classmethod
    def of(cls, stored: Stored, classes: Sequence[str]) -> Calibration:
        """Fits temperatures to the predictions in `validation.csv`.

        Raises:
          UserError: an earlier version wrote the file, without logits.
        """
        if not classes:
            return cls((), (), 1.0, stored.prediction, stored.target)
        if stored.logits is None:
            raise UserError(
                "validation.csv has no logits: an earlier version of jaxdep wrote it; train again"
            )
        temperatures = calibration.fit_temperatures(stored.logits, stored.target)
        scaled = _scaled(stored.logits, temperatures)
        pooled = calibration.fit_temperature(_log(scaled.mean(0)), stored.target)
        return cls(tuple(classes), temperatures, pooled, scaled, stored.target)

    def predict(
        self, outputs: np.ndarray, coverage: float, bounds: Sequence[float] = ()
    ) -> TaskPredictions:
        """Joins the outputs of R runs.

        Args:
          outputs: logits [R, N, C] or scores [R, N].
          coverage: share of the validation split on which the model would not abstain.
          bounds: lowest and highest score of the task's scale.
        """
        each = _scaled(outputs, self.temperatures) if self.classes else outputs.astype(float)
        value, spread = self._joined(each)
        if self.classes:
            margin = stats.t.ppf((1 + LEVEL) / 2, max(len(each) - 1, 1)) * spread
            margin, bounds = margin / np.sqrt(len(each)), (0.0, 1.0)
        else:
            margin = self._margin
        clip = lambda x: x.clip(*bounds) if bounds else x
        threshold = abstention.threshold(self._confidence(self.validation), coverage)
        return TaskPredictions(
            self.classes,
            outputs,
            value,
            spread,
            clip(value - margin),
            clip(value + margin),
            self._confidence(each) < threshold,
        )

    def _joined(self, each: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Value of all runs together, and its spread over runs, [N, C] or [N]."""
        if not self.classes:
            return each.mean(0), _spread(each)
        scale = lambda mean: calibration.probabilities(_log(mean), self.pooled)
        return scale(each.mean(0)), _spread(scale(each))

    def _confidence(self, each: np.ndarray) -> np.ndarray:
        """Confidence [N] in all runs together: the highest probability, or minus the spread."""
        value, spread = self._joined(each)
        return value.max(-1) if self.classes else -spread

    @property
    def _margin(self) -> float:
        """Half the width of the intervals of scores; NaN if the validation split is too small.

        Split conformal prediction (Lei et al., JASA 113, 2018, Algorithm 2).
        """
        errors = np.sort(np.abs(self.validation.mean(0) - self.target))
        place = int(np.ceil((len(errors) + 1) * LEVEL))
        return float(errors[place - 1]) if place <= len(errors) else np.nan


def rows(predictions: Predictions) -> list[dict[str, Any]]:
    """One JSON object for each recording, nested by task and class; None for what is unknown."""
    return [
        {
            "id": name,
            "tasks": {task: _task(each, row) for task, each in predictions.tasks.items()},
            "distance": float(predictions.distance[row]),
            "distance_percentile": float(predictions.percentile[row]),
        }
        for row, name in enumerate(predictions.ids)
    ]


def _task(each: TaskPredictions, row: int) -> dict[str, Any]:
    def shown(values: np.ndarray) -> Any:
        plain = [None if np.isnan(x) else float(x) for x in np.atleast_1d(values[row])]
        return dict(zip(each.classes, plain, strict=True)) if each.classes else plain[0]

    predicted = each.predicted[row]
    kind = "probability" if each.classes else "score"
    return {
        **({"prediction": each.classes[predicted]} if each.classes else {}),
        "abstains": bool(each.abstains[row]),
        kind: shown(each.value),
        "spread": shown(each.spread),
        "low": shown(each.low),
        "high": shown(each.high),
    }


def _scaled(logits: np.ndarray, temperatures: Sequence[float]) -> np.ndarray:
    """Temperature-scaled probabilities of each run, [R, N, C]."""
    pairs = zip(logits, temperatures, strict=True)
    return np.stack([calibration.probabilities(x.astype(float), t) for x, t in pairs])


def _spread(each: np.ndarray) -> np.ndarray:
    """Standard deviation over runs; NaN for a single run."""
    return each.std(0, ddof=1) if len(each) > 1 else np.full(each.shape[1:], np.nan)


def _log(probability: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities, of which some may be zero."""
    return np.log(np.maximum(probability, np.finfo(np.float32).tiny))
