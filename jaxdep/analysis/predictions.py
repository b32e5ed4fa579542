"""Reads `predictions.csv`, and refuses what is not one."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxdep.errors import UserError

COLUMNS = ("id", "split", "task", "run", "seed", "target", "prediction", "probability")


@dataclass(frozen=True)
class Predictions:
    """What R runs said of N recordings in one task.

    Attributes:
      ids: [N].
      target: [N]; classes by index, or scores.
      prediction: [R, N].
      probability: [R, N]; of class 1 where there are two, else of the predicted class; NaN in a
        regression.
      runs: [R], their numbers.
    """

    ids: np.ndarray
    target: np.ndarray
    prediction: np.ndarray
    probability: np.ndarray
    runs: np.ndarray

    def of_runs(self, runs: list[int]) -> Predictions:
        """Only these runs."""
        rows = np.flatnonzero(np.isin(self.runs, runs))
        return Predictions(
            self.ids, self.target, self.prediction[rows], self.probability[rows], self.runs[rows]
        )


def read(path: Path) -> dict[str, Predictions]:
    """Reads the predictions of every task.

    Raises:
      UserError: the file is missing, or does not hold the same recordings for every run.
    """
    try:
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ValueError(f"columns {reader.fieldnames}, expected {', '.join(COLUMNS)}")
            rows = list(reader)
        if not rows:
            raise ValueError("no lines")
        tasks = dict.fromkeys(row["task"] for row in rows)
        return {task: _table([row for row in rows if row["task"] == task]) for task in tasks}
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{path} cannot be read ({error}); `jaxdep run ... --out {path.parent} --resume`"
            " finishes an interrupted run"
        ) from None


def _table(rows: list[dict[str, str]]) -> Predictions:
    runs = sorted({int(row["run"]) for row in rows})
    by_run = [[row for row in rows if int(row["run"]) == run] for run in runs]
    ids = [row["id"] for row in by_run[0]]
    target = [float(row["target"]) for row in by_run[0]]
    if len(set(ids)) < len(ids):
        raise ValueError("a recording occurs twice in a run")
    for own in by_run:
        if [row["id"] for row in own] != ids or [float(row["target"]) for row in own] != target:
            raise ValueError("the runs do not hold the same recordings and targets")
    numbers = lambda key: np.array([[float(row[key] or "nan") for row in own] for own in by_run])
    prediction = numbers("prediction")
    if not np.isfinite(prediction).all():
        raise ValueError("a prediction is not a number")
    return Predictions(
        np.array(ids), np.array(target), prediction, numbers("probability"), np.array(runs)
    )
