"""Joins the predictions of folds, and stores which fold each recording was tested in."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jaxdep.artifacts.files import read_text, write_text
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.artifacts.schema import PREDICTION_COLUMNS
from jaxdep.errors import UserError

Cuts = Sequence[Mapping[str, int]]
"""Fold of each recording by id, for each repeat."""


FOLDER = "folds"
"""Folder with the run directories of the folds."""


def folder_of(root: Path, repeat: int, fold: int) -> Path:
    """Run directory of a fold in the folder of a cross-validation; both count from 0."""
    return root / FOLDER / f"repeat{repeat}-fold{fold}"


def folders(root: Path, repeats: int, folds: int) -> list[list[Path]]:
    """Run directories of the folds of each repeat."""
    return [[folder_of(root, r, fold) for fold in range(folds)] for r in range(repeats)]


def join(target: RunDir, repeats: Sequence[Sequence[RunDir]], split: str) -> Cuts:
    """Writes `predictions.csv` and `folds.csv` of a cross-validation.

    Values are copied as they are. Of each repeat, run r of all folds together becomes one run; the
    runs of the first repeat come first.

    Args:
      target: folder to write to.
      repeats: run directories of the folds of each repeat, in order.
      split: name of all recordings together.

    Raises:
      UserError: a file is damaged, or recordings were tested twice or not at all in a repeat.
    """
    lines: list[_Line] = []
    cuts: list[dict[str, int]] = []
    runs = 0
    for folds in repeats:
        found, cut = _repeat(folds, runs, split)
        if cuts and cut.keys() != cuts[0].keys():
            raise _damaged(folds[0].predictions, "the repeats differ in their recordings")
        runs = 1 + max(run for _, run, _, _ in found)
        lines += found
        cuts.append(cut)
    text = io.StringIO()
    writer = csv.DictWriter(text, PREDICTION_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row for *_, row in sorted(lines, key=lambda line: line[:3]))
    write_text(target.predictions, text.getvalue())
    _write(target.folds, cuts)
    return cuts


_Line = tuple[int, int, str, Mapping[str, str]]
"""Index of the task, run, recording and content of a line."""


def _repeat(folds: Sequence[RunDir], first: int, split: str) -> tuple[list[_Line], dict[str, int]]:
    """Lines of all folds, their runs numbered from `first`, and the fold of each recording."""
    lines: dict[tuple[int, int, str], Mapping[str, str]] = {}
    tasks: dict[str, int] = {}
    cut: dict[str, int] = {}
    for number, fold in enumerate(folds):
        for row in _read(fold.predictions, PREDICTION_COLUMNS):
            run = first + int(row["run"])
            key = (tasks.setdefault(row["task"], len(tasks)), run, row["id"])
            if key in lines or cut.setdefault(row["id"], number) != number:
                raise _damaged(fold.predictions, f"{row['id']} was tested twice")
            lines[key] = {**row, "split": split, "run": str(run)}
    runs = {run for _, run, _ in lines}
    if not lines or len(lines) < len(cut) * len(runs) * len(tasks):
        raise _damaged(folds[0].predictions, "the folds differ in their runs or tasks")
    return [(*key, row) for key, row in lines.items()], cut


def read(path: Path, repeats: int) -> tuple[np.ndarray, np.ndarray]:
    """Reads `folds.csv`.

    Args:
      path: the file.
      repeats: number of repeats that it must have.

    Returns:
      Ids of the recordings, [N], and their folds, [repeats, N].

    Raises:
      UserError: the file is missing or damaged.
    """
    columns = _columns(repeats)
    rows = _read(path, columns)
    try:
        folds = np.array([[int(row[name]) for row in rows] for name in columns[1:]])
    except ValueError as error:
        raise _damaged(path, error) from None
    return np.array([row["id"] for row in rows], str), folds


def _write(path: Path, cuts: Cuts) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_columns(len(cuts)))
    writer.writerows([name, *(cut[name] for cut in cuts)] for name in sorted(cuts[0]))
    write_text(path, text.getvalue())


def _columns(repeats: int) -> tuple[str, ...]:
    return ("id", *(f"repeat{repeat}" for repeat in range(repeats)))


def _read(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Lines of a table with exactly these columns."""
    try:
        rows = list(csv.reader(io.StringIO(read_text(path)), strict=True))
        if not rows or rows[0] != list(columns) or any(len(row) != len(columns) for row in rows):
            raise ValueError(f"expected columns {', '.join(columns)}")
    except (OSError, ValueError, csv.Error) as error:
        raise _damaged(path, error) from None
    return [dict(zip(columns, row, strict=True)) for row in rows[1:]]


def _damaged(path: Path, why: object) -> UserError:
    return UserError(
        f"{path} cannot be read ({why}); remove the folder {path.parent} and repeat `jaxdep"
        " cross-validate`"
    )
