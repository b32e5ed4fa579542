"""Reads tables from text files and repairs cells that contain no number."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow

from jaxdep.errors import Faults

_NULLS = [f"{space}{word}" for space in ("", " ") for word in ("", "-1.#IND", "-1.#IND00", "nan")]


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
    where, empty = path.relative_to(root), np.zeros((0, width))
    if not path.is_file():
        faults.add("missing file", where, item=item)
        return empty
    names = [f"f{column}" for column in range(width)]
    try:
        found = arrow.read_csv(
            path,
            read_options=arrow.ReadOptions(column_names=names, skip_rows=header),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.float64()), null_values=_NULLS
            ),
        )
    except pa.ArrowInvalid as error:
        kind = "wrong shape" if "columns" in str(error) else "not numeric"
        faults.add(kind, where, str(error).split(":", 1)[-1].strip()[:120], item)
        return empty
    if not found.num_rows:
        faults.add("no rows", where, f"expected [T, {width}] with T > 0", item)
    return np.stack([found.column(name).to_numpy() for name in names], 1)


def cells(path: Path) -> list[list[str]]:
    """Cells of each line of a tab-separated file; quotes are ordinary characters."""
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    lines = csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [[cell.strip() for cell in line] for line in lines]


def are_numbers(table: np.ndarray) -> np.ndarray:
    """Mask of the cells that are finite and within the range of float32, [T, D]."""
    return np.isfinite(table) & (np.abs(table) < np.finfo(np.float32).max)


def fill_invalid(
    table: np.ndarray, what: str, repairs: Counter, whole_rows: bool = False
) -> np.ndarray:
    """Replaces invalid cells by the last valid one of their column, or by zero if there is none.

    Args:
      table: numbers [T, D]; see `are_numbers` for the valid ones.
      what: key under which `repairs` counts the replacements.
      repairs: number of repairs of each kind.
      whole_rows: whether one invalid cell invalidates its whole row.
    """
    good = are_numbers(table)
    if whole_rows:
        good = np.broadcast_to(good.all(1, keepdims=True), table.shape)
    bad = ~good
    if not bad.any():
        return table
    repairs[what] += int(bad[:, 0].sum() if whole_rows else bad.sum())
    rows = np.where(good, np.arange(len(table))[:, None], -1)
    last_good = np.maximum.accumulate(rows, axis=0)
    values = np.take_along_axis(table, np.maximum(last_good, 0), 0)
    return np.where(last_good >= 0, values, 0.0)
