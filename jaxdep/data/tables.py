"""Tables of numbers: faults of their files, and repairs of cells that contain no number."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from jaxdep.data.formats import numbers, table
from jaxdep.errors import BadFileError, Faults


def read(path: Path, width: int, header: int, root: Path, faults: Faults, item: str) -> np.ndarray:
    """Reads a comma-separated table of numbers.

    Args:
      path: the file.
      width: number of columns.
      header: number of header lines.
      root: folder given by the user; faults report the path relative to it.
      faults: receives the faults of the file.
      item: id of the recording that the table belongs to.

    Returns:
      [T, width] float64, NaN where a cell has no number; no rows if the file has a fault.
    """
    try:
        rows = table.read(path, root, width, header)
        if not are_numbers(rows).any():
            raise BadFileError("not numeric", "no cell holds a number")
        return rows
    except BadFileError as error:
        faults.add_file(error, path.relative_to(root), item)
        return np.zeros((0, width))


def are_numbers(rows: np.ndarray) -> np.ndarray:
    """Mask of the cells that are finite and not absurdly large, [T, D]."""
    return np.isfinite(rows) & (np.abs(rows) <= numbers.LARGEST)


def fill_invalid(
    rows: np.ndarray, what: str, repairs: Counter, whole_rows: bool = False
) -> np.ndarray:
    """Replaces invalid cells by the last valid one of their column, or by zero if there is none.

    Args:
      rows: numbers [T, D]; see `are_numbers` for the valid ones.
      what: key under which `repairs` counts the replacements.
      repairs: number of repairs of each kind.
      whole_rows: whether one invalid cell invalidates its whole row.
    """
    good = are_numbers(rows)
    if whole_rows:
        good = np.broadcast_to(good.all(1, keepdims=True), rows.shape)
    bad = ~good
    if not bad.any():
        return rows
    repairs[what] += int(bad[:, 0].sum() if whole_rows else bad.sum())
    numbered = np.where(good, np.arange(len(rows))[:, None], -1)
    last_good = np.maximum.accumulate(numbered, axis=0)
    values = np.take_along_axis(rows, np.maximum(last_good, 0), 0)
    return np.where(last_good >= 0, values, 0.0)
