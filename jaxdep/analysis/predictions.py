"""Reads and validates `predictions.csv`."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxdep.artifacts.files import read_text
from jaxdep.artifacts.schema import PREDICTION_COLUMNS
from jaxdep.errors import UserError


@dataclass(frozen=True)
class Predictions:
    """Predictions of R runs for N recordings in one task.

    Attributes:
      ids: ids of the recordings, [N].
      target: class indices or scores, [N].
      prediction: class indices or scores, [R, N].
      probability: probability of class 1 if there are two classes, else of the predicted class,
        [R, N]; NaN in a regression.
      runs: run numbers, [R].
      graded: whether the scores are BDI-II totals, which have categories of severity.
    """

    ids: np.ndarray
    target: np.ndarray
    prediction: np.ndarray
    probability: np.ndarray
    runs: np.ndarray
    graded: bool = False

    def select_runs(self, runs: Sequence[int]) -> Predictions:
        """Selects the predictions of some runs."""
        rows = np.flatnonzero(np.isin(self.runs, runs))
        selected = (self.prediction[rows], self.probability[rows], self.runs[rows])
        return Predictions(self.ids, self.target, *selected, self.graded)

    def merge_sessions(self, sessions: Mapping[str, str]) -> Predictions:
        """Averages the predicted scores over the recordings of each session.

        Args:
          sessions: session of each recording, by id; must contain all ids.

        Raises:
          ValueError: the recordings of a session have different targets.
        """
        session_of = np.array([sessions[name] for name in self.ids])
        ids, first, places = np.unique(session_of, return_index=True, return_inverse=True)
        target = self.target[first]
        if not np.array_equal(target[places], self.target):
            raise ValueError("recordings of one session have different targets")
        share = np.zeros((len(session_of), len(ids)))
        share[np.arange(len(session_of)), places] = 1 / np.bincount(places)[places]
        prediction = self.prediction @ share
        missing = np.full(prediction.shape, np.nan)
        return Predictions(ids, target, prediction, missing, self.runs, self.graded)

    def check(self, task: str, classes: int) -> None:
        """Validates targets, predictions and probabilities.

        Args:
          task: name of the task, for messages.
          classes: number of classes; 0 for a regression.

        Raises:
          ValueError: a value is not finite or out of range.
        """
        for name, values in (("target", self.target), ("prediction", self.prediction)):
            if not np.isfinite(values).all():
                raise ValueError(f"{task}: a {name} is not a finite number")
            if classes and not np.isin(values, np.arange(classes)).all():
                raise ValueError(f"{task}: a {name} is not a class index from 0 to {classes - 1}")
        valid = (self.probability >= 0) & (self.probability <= 1)
        if classes == 2 and not valid.all():
            raise ValueError(f"{task}: a probability is not between 0 and 1")


def read(path: Path) -> dict[str, Predictions]:
    """Reads the predictions of every task.

    Raises:
      UserError: the file is missing, malformed, or lists different recordings for different runs.
    """
    try:
        reader = csv.DictReader(io.StringIO(read_text(path)))
        if tuple(reader.fieldnames or ()) != PREDICTION_COLUMNS:
            raise ValueError(
                f"expected columns {', '.join(PREDICTION_COLUMNS)}, got {reader.fieldnames}"
            )
        rows = list(reader)
        if not rows:
            raise ValueError("it has no lines")
        tasks: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in rows:
            tasks[row["task"]].append(row)
        return {task: _table(task_rows) for task, task_rows in tasks.items()}
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, why: object) -> UserError:
    """The error for a file of predictions that is missing or damaged."""
    return UserError(
        f"{path} cannot be read ({why}); to complete an interrupted run, use"
        f" `jaxdep run ... --out {path.parent} --resume`"
    )


def _table(rows: list[dict[str, str]]) -> Predictions:
    rows_of_run: dict[int, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        rows_of_run[int(row["run"])].append(row)
    runs = sorted(rows_of_run)
    by_run = [rows_of_run[run] for run in runs]
    ids = [row["id"] for row in by_run[0]]
    target = [float(row["target"]) for row in by_run[0]]
    if len(set(ids)) < len(ids):
        raise ValueError("a run lists a recording twice")
    for run_rows in by_run:
        if [row["id"] for row in run_rows] != ids or [
            float(row["target"]) for row in run_rows
        ] != target:
            raise ValueError("the runs differ in their recordings or targets")
    numbers = lambda key: np.array(
        [[float(row[key] or "nan") for row in run_rows] for run_rows in by_run]
    )
    columns = numbers("prediction"), numbers("probability")
    return Predictions(np.array(ids), np.array(target), *columns, np.array(runs))
