"""Reads and validates `predictions.csv` and `validation.csv`."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import softmax

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
      subjects: subjects of the recordings, [N].
      graded: whether the scores are BDI-II totals, which have categories of severity.
      logits: logits or log-probabilities of all C classes, [R, N, C]; None in a regression, and in
        files of versions of jaxdep that did not write them.
    """

    ids: np.ndarray
    target: np.ndarray
    prediction: np.ndarray
    probability: np.ndarray
    runs: np.ndarray
    subjects: np.ndarray
    graded: bool = False
    logits: np.ndarray | None = None

    def select_runs(self, runs: Sequence[int]) -> Predictions:
        """Selects the predictions of some runs."""
        rows = np.flatnonzero(np.isin(self.runs, runs))
        names = ("prediction", "probability", "runs", "logits")
        fields = {name: getattr(self, name) for name in names}
        kept = {name: None if x is None else x[rows] for name, x in fields.items()}
        return replace(self, **kept)

    def select_items(self, rows: np.ndarray) -> Predictions:
        """Selects the predictions for some recordings.

        Args:
          rows: row of each selected recording, or whether each of the N recordings is selected.
        """
        return replace(
            self,
            ids=self.ids[rows],
            target=self.target[rows],
            prediction=self.prediction[:, rows],
            probability=self.probability[:, rows],
            subjects=self.subjects[rows],
            logits=None if self.logits is None else self.logits[:, rows],
        )

    def merge(self, groups: np.ndarray, classes: int) -> Predictions:
        """Averages what is predicted for the recordings of each group, and takes them as one.

        Args:
          groups: session or subject of each recording, [N].
          classes: number of classes, whose probabilities are averaged; 0 for a regression, whose
            scores are.

        Raises:
          ValueError: recordings of a group have different targets or subjects, or the probabilities
            of some classes are not known.
        """
        check_groups(groups, self.target)
        ids, first, places = np.unique(groups, return_index=True, return_inverse=True)
        # A recording that stands for an unknown subject gives way to its group.
        subjects = np.where(self.subjects == self.ids, groups, self.subjects)
        if (differ := subjects[first][places] != subjects).any():
            raise ValueError(f"the recordings of {groups[differ][0]} have different subjects")
        member = (places[:, None] == np.arange(len(ids))).astype(float)
        mean = lambda values: values @ member / member.sum(0)
        merged = replace(self, ids=ids, target=self.target[first], subjects=subjects[first])
        if not classes:
            score = mean(self.prediction)
            return replace(merged, prediction=score, probability=np.full(score.shape, np.nan))
        if classes == 2:
            both = np.stack([1 - self.probability, self.probability], axis=2)
        elif self.logits is not None:
            both = softmax(self.logits, axis=2)
        else:
            raise ValueError("an earlier version stored the probability of one class only")
        shares = np.moveaxis(mean(np.moveaxis(both, 2, 1)), 1, 2)
        predicted = shares.argmax(2)
        with np.errstate(divide="ignore"):
            logits = np.log(shares)
        return replace(
            merged,
            prediction=predicted.astype(float),
            probability=shares[..., 1] if classes == 2 else shares.max(2),
            logits=logits,
        )

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
        if self.logits is not None:
            if self.logits.shape[2] != classes:
                raise ValueError(
                    f"{task}: {self.logits.shape[2]} logits in a line, for {classes} classes"
                )
            # A class that a baseline excludes has the log-probability -inf.
            largest = np.finfo(np.float32).max
            valid = (np.abs(self.logits) <= largest) | (self.logits == -np.inf)
            if not (valid.all() and np.isfinite(self.logits.max(2)).all()):
                raise ValueError(f"{task}: a logit is not a finite number")


def read(path: Path) -> dict[str, Predictions]:
    """Reads the predictions of every task.

    Raises:
      UserError: the file is missing, malformed, or lists different recordings for different runs.
    """
    try:
        reader = csv.DictReader(io.StringIO(read_text(path)))
        # Earlier versions of jaxdep wrote no logits, which are the last column.
        if tuple(reader.fieldnames or ()) not in (PREDICTION_COLUMNS, PREDICTION_COLUMNS[:-1]):
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


def check_groups(groups: np.ndarray, target: np.ndarray) -> None:
    """Checks that recordings that are to be merged have the same target.

    Args:
      groups: session or subject of each recording, [N].
      target: class indices or scores, [N].

    Raises:
      ValueError: they do not; the message names a group.
    """
    _, first, places = np.unique(groups, return_index=True, return_inverse=True)
    if (differ := target[first][places] != target).any():
        raise ValueError(f"the recordings of {groups[differ][0]} have different targets")


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
    names = np.array(ids)
    return Predictions(
        names,
        np.array(target),
        numbers("prediction"),
        numbers("probability"),
        np.array(runs),
        subjects=names,
        logits=_logits(by_run),
    )


def _logits(by_run: list[list[dict[str, str]]]) -> np.ndarray | None:
    """Logits [R, N, C] of the lines of each run; None if the lines have none."""
    cells = [[(row.get("logits") or "").split() for row in run_rows] for run_rows in by_run]
    sizes = {len(cell) for run_cells in cells for cell in run_cells}
    if len(sizes) > 1:
        raise ValueError("the lines of a task differ in their numbers of logits")
    return None if sizes == {0} else np.array(cells, float)
