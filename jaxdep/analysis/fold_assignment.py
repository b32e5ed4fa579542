"""Tells in which fold each prediction of a cross-validation was tested."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.analysis import recordings
from jaxdep.analysis.predictions import Predictions
from jaxdep.artifacts import folds


def of_items(run_dir: Path, meta: Mapping[str, Any], predictions: Predictions) -> np.ndarray:
    """Fold of each prediction of R runs for N recordings, sessions or subjects, [R, N].

    Args:
      run_dir: folder of the cross-validation.
      meta: content of its `meta.json`.
      predictions: its predictions in a task, merged as `meta` says.

    Raises:
      UserError: `folds.csv` or `recordings.csv` is missing or damaged.
    """
    fold_of, seeds = _folds(run_dir, meta), seeds_per_repeat(meta)
    names = predictions.ids.tolist()
    rows = [[fold_of[run // seeds][name] for name in names] for run in predictions.runs.tolist()]
    return np.array(rows, int).reshape(len(predictions.runs), len(names))


def seeds_per_repeat(meta: Mapping[str, Any]) -> int:
    """Number of runs of each repeat; those of the first repeat come first."""
    return len(meta["runs"]) // meta["cross_validation"]["repeats"]


def _folds(run_dir: Path, meta: Mapping[str, Any]) -> list[dict[str, int]]:
    """Fold of each recording, session or subject that is evaluated as one, for each repeat."""
    path = run_dir / "folds.csv"
    about = meta["cross_validation"]
    ids, cuts = folds.read(path, about["repeats"])
    if any(set(cut) != set(range(about["folds"])) for cut in cuts.tolist()):
        raise recordings.unreadable(path, f"it does not have {about['folds']} folds")
    recorded = recordings.read(run_dir / "recordings.csv")
    if recorded is None:
        raise recordings.unreadable(run_dir / "recordings.csv", "it is missing")
    try:
        subjects = recorded.subjects[recorded.rows(ids)]
    except ValueError as error:
        raise recordings.unreadable(path, error) from None
    names = recordings.groups(
        meta.get("merge", "none"), ids, subjects, meta["corpus"]["sessions"]
    ).tolist()
    return [dict(zip(names, cut.tolist(), strict=True)) for cut in cuts]
