"""Writes tables of numbers as the extractors of features do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv


def write(
    path: Path,
    table: np.ndarray,
    header: Sequence[str] | None,
    delimiter: str = ",",
    invalid: str = "-1.#IND",
    first: str = "",
) -> None:
    """Writes numbers with three decimals.

    Args:
      path: file to write.
      table: numbers [T, D].
      header: names of all columns; None for no header.
      delimiter: separator of the columns.
      invalid: what stands for NaN; the default is the notation of CLNF's tracker.
      first: text of a column before the numbers; empty for no such column.
    """
    columns = [pa.array(column) for column in np.round(table.astype(np.float64), 3).T.copy()]
    if first:
        columns.insert(0, pa.array([first] * len(table)))
    names = [f"f{column}" for column in range(len(columns))]
    options = csv.WriteOptions(include_header=False, quoting_style="none", delimiter=delimiter)
    with path.open("wb") as file:
        if header:
            file.write((delimiter.join(header) + "\n").encode())
        csv.write_csv(pa.table(columns, names=names), file, options)
    if np.isnan(table).any():
        path.write_bytes(path.read_bytes().replace(b"nan", invalid.encode()))
