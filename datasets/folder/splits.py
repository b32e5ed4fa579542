"""Divides recordings into splits by subject, with the labels equally frequent in each."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxdep.data import arrays

FILE = "splits.csv"
"""Table of the division, in the folder of the prepared corpus."""

_BINS = 5
"""Groups of similar scores that are divided separately."""


def divide(
    subjects: Sequence[str],
    contents: Sequence[str],
    labels: np.ndarray,
    fractions: Mapping[str, float],
    seed: int,
) -> list[str]:
    """Draws the split of each recording; the order of the recordings does not matter.

    Recordings of one subject go to the same split, and so do recordings with the same content. A
    subject counts once, with the label that most of its recordings have.

    Args:
      subjects: subject of each recording, [N].
      contents: hash of the features of each recording, [N].
      labels: classes (text) or scores (numbers) to stratify by, [N].
      fractions: part of the subjects in each split.
      seed: seed of the draw.

    Raises:
      ValueError: there are too few subjects for these splits.
    """
    together = arrays.groups(np.asarray(subjects), np.asarray(contents))
    members, of = np.unique(together, return_inverse=True)
    strata = _strata(labels)
    stratum = np.asarray([_most_frequent(strata[of == index]) for index in range(len(members))])
    rng = np.random.default_rng(seed)
    chosen = np.empty(len(members), dtype=object)
    ends = np.cumsum(list(fractions.values()))
    for value in np.unique(stratum):
        same = rng.permutation(np.flatnonzero(stratum == value))
        cut = np.rint(ends * len(same)).astype(int)
        which = np.searchsorted(cut, np.arange(len(same)), side="right")
        chosen[same] = np.asarray(list(fractions))[np.minimum(which, len(fractions) - 1)]
    if missing := [split for split in fractions if split not in chosen]:
        raise ValueError(
            f"none of {len(members)} subjects for {', '.join(missing)}: change splits.fractions, or"
            " add a column split to the table"
        )
    return chosen[of].tolist()


def table(rows: Sequence[tuple[str, str, str]]) -> str:
    """Content of `splits.csv`.

    Args:
      rows: id, subject and split of each recording.
    """
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows([("id", "subject", "split"), *sorted(rows)])
    return lines.getvalue()


def _strata(labels: np.ndarray) -> np.ndarray:
    """Classes as they are; scores as groups of about equally many recordings."""
    if labels.dtype.kind != "f":
        return labels
    edges = np.quantile(labels, np.arange(1, _BINS) / _BINS)
    return np.searchsorted(edges, labels, side="right")


def _most_frequent(values: np.ndarray) -> Any:
    found, counts = np.unique(values, return_counts=True)
    return found[counts.argmax()]
