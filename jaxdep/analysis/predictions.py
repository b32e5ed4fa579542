"""Reads `predictions.csv`, and refuses what is not one."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
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
      graded: whether scores are totals of the BDI-II, which has categories of severity.
    """

    ids: np.ndarray
    target: np.ndarray
    prediction: np.ndarray
    probability: np.ndarray
    runs: np.ndarray
    graded: bool = False

    def of_runs(self, runs: Sequence[int]) -> Predictions:
        """Only these runs."""
        rows = np.flatnonzero(np.isin(self.runs, runs))
        of = (self.prediction[rows], self.probability[rows], self.runs[rows])
        return Predictions(self.ids, self.target, *of, self.graded)

    def of_sessions(self, sessions: Mapping[str, str]) -> Predictions:
        """One prediction for each session: the mean over its recordings' scores.

        Args:
          sessions: id of a recording to its session; every id occurs.

        Raises:
          ValueError: a session's recordings differ in their target.
        """
        of = np.array([sessions[name] for name in self.ids])
        ids, first, places = np.unique(of, return_index=True, return_inverse=True)
        target = self.target[first]
        if not np.array_equal(target[places], self.target):
            raise ValueError("recordings of one session have different targets")
        share = np.zeros((len(of), len(ids)))
        share[np.arange(len(of)), places] = 1 / np.bincount(places)[places]
        prediction = self.prediction @ share
        missing = np.full(prediction.shape, np.nan)
        return Predictions(ids, target, prediction, missing, self.runs, self.graded)

    def check(self, task: str, classes: int) -> None:
        """Raises ValueError where a number cannot be what it should.

        Args:
          task: named in the message.
          classes: 0 in a regression.
        """
        for name, values in (("target", self.target), ("prediction", self.prediction)):
            if not np.isfinite(values).all():
                raise ValueError(f"{task}: a {name} is not a finite number")
            if classes and not np.isin(values, np.arange(classes)).all():
                raise ValueError(f"{task}: a {name} is no class of 0 to {classes - 1}")
        sure = (self.probability >= 0) & (self.probability <= 1)
        if classes == 2 and not sure.all():
            raise ValueError(f"{task}: a probability does not lie between 0 and 1")


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
        tasks: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in rows:
            tasks[row["task"]].append(row)
        return {task: _table(of_task) for task, of_task in tasks.items()}
    except (OSError, ValueError, TypeError) as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, why: object) -> UserError:
    """The error of a file of predictions that is missing or damaged."""
    return UserError(
        f"{path} cannot be read ({why}); `jaxdep run ... --out {path.parent} --resume` finishes"
        " an interrupted run"
    )


def _table(rows: list[dict[str, str]]) -> Predictions:
    of_run: dict[int, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        of_run[int(row["run"])].append(row)
    runs = sorted(of_run)
    by_run = [of_run[run] for run in runs]
    ids = [row["id"] for row in by_run[0]]
    target = [float(row["target"]) for row in by_run[0]]
    if len(set(ids)) < len(ids):
        raise ValueError("a recording occurs twice in a run")
    for own in by_run:
        if [row["id"] for row in own] != ids or [float(row["target"]) for row in own] != target:
            raise ValueError("the runs do not hold the same recordings and targets")
    numbers = lambda key: np.array([[float(row[key] or "nan") for row in own] for own in by_run])
    said = numbers("prediction"), numbers("probability")
    return Predictions(np.array(ids), np.array(target), *said, np.array(runs))
