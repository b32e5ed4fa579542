"""Cuts a corpus into stratified folds that share no subjects, for cross-validation."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from jaxdep.data import arrays
from jaxdep.errors import UserError

_BINS = 10
"""Maximum number of quantiles of a score to stratify by."""


def cut(pool: Any, folds: int, fold: int, seed: int, task: str) -> tuple[Any, Any]:
    """Cuts a pool of recordings into folds, and separates one from the others.

    As in `arrays.carve`, all recordings of a subject go to the same fold, and so do recordings with
    the same content. Folds are stratified by the classes of a task, or by quantiles of its scores.

    Args:
      pool: recordings of all folds, in memory or on disk.
      folds: number of folds.
      fold: index of the fold to separate.
      seed: seed of the cut.
      task: task to stratify by.

    Returns:
      The other folds, a split named `other-folds`, and the fold, `fold-<index>`.

    Raises:
      UserError: there are too few subjects, in all or of a class.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    together = arrays.groups(pool.contents, pool.subjects)
    _check(pool, folds, task, together)
    strata = pool.targets[task] if task in pool.classes else _quantiles(pool, folds, task)
    cutter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    rest, part = next(islice(cutter.split(pool.ids, strata, together), fold, None))
    return (
        pool.take(np.sort(rest), "other-folds", carved_from=pool.name),
        pool.take(np.sort(part), f"fold-{fold}", carved_from=pool.name),
    )


def _check(pool: Any, folds: int, task: str, together: np.ndarray) -> None:
    """Checks that there are enough subjects, and of each class, for every fold to have one."""
    if folds > (count := len(np.unique(together))):
        raise UserError(
            f"corpus.folds={folds}: {pool.name} has {len(pool)} recordings in {count} groups that"
            " share a subject or their content, too few for so many folds; set fewer folds"
        )
    if task not in pool.classes:
        return
    for label in np.unique(pool.targets[task]):
        if folds > (count := len(np.unique(together[pool.targets[task] == label]))):
            raise UserError(
                f"corpus.folds={folds}: {task}={pool.classes[task][label]} occurs in {count} groups"
                f" of {pool.name} that share a subject or their content, fewer than there are"
                " folds; set fewer folds"
            )


def _quantiles(pool: Any, folds: int, task: str) -> np.ndarray:
    """Quantile of each recording's score, [N]; each has at least as many recordings as folds."""
    rank = np.argsort(np.argsort(pool.targets[task], kind="stable"))
    bins = min(_BINS, len(pool) // folds)
    return rank * bins // len(pool)
