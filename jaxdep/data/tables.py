"""Tables in text files, read whole, and the repair of cells that hold no number."""

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
    """A table by commas [T, width], float64; NaN where it has no number.

    Args:
      header: lines ahead of the numbers.
      root: the folder that the user named; faults give the path below it.
      item: the recording that the table belongs to.

    Returns:
      No rows if it has a fault.
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
    """The cells of each line of a text, by tabs; quotes are text."""
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    lines = csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [[cell.strip() for cell in line] for line in lines]


def are_numbers(table: np.ndarray) -> np.ndarray:
    """Where cells hold numbers that float32 can hold, [T, D]."""
    return np.isfinite(table) & (np.abs(table) < np.finfo(np.float32).max)


def mended(table: np.ndarray, what: str, repairs: Counter, whole: bool = False) -> np.ndarray:
    """Numbers that are not finite replaced by the last finite one of their column, else by zero.

    Args:
      what: counted in `repairs`.
      whole: replace the whole row.
    """
    good = are_numbers(table)
    if whole:
        good = np.broadcast_to(good.all(1, keepdims=True), table.shape)
    bad = ~good
    if not bad.any():
        return table
    repairs[what] += int(bad[:, 0].sum() if whole else bad.sum())
    rows = np.where(good, np.arange(len(table))[:, None], -1)
    before = np.maximum.accumulate(rows, axis=0)
    found = np.take_along_axis(table, np.maximum(before, 0), 0)
    return np.where(before >= 0, found, 0.0)
