"""Reads comma-separated tables of numbers, as large as the files of a recording's features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from jaxdep.data.formats.files import GIB, check_file
from jaxdep.errors import BadFileError

_NULLS = [f"{space}{word}" for space in ("", " ") for word in ("", "-1.#IND", "-1.#IND00", "nan")]


def read(
    path: Path,
    root: Path,
    width: int,
    header: int,
    limit: int = GIB,
    *,
    delimiter: str = ",",
    columns: Sequence[int] | None = None,
) -> np.ndarray:
    """Reads a table as [T, width] float64, NaN where a cell has no number.

    Args:
      path: the file.
      root: folder of the corpus.
      width: number of columns.
      header: number of header lines.
      limit: maximum size of the file in bytes.
      delimiter: separator of the cells.
      columns: indices of the columns to read, in this order; None for all. Others may hold text.

    Raises:
      BadFileError: the file is not a table of numbers with these columns, or has no rows.
    """
    check_file(path, root, limit)
    names = [f"f{column}" for column in range(width)]
    kept = names if columns is None else [names[column] for column in columns]
    try:
        with path.open("rb") as file:
            found = csv.read_csv(
                file,
                read_options=csv.ReadOptions(column_names=names, skip_rows=header),
                parse_options=csv.ParseOptions(delimiter=delimiter),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(kept, pa.float64()),
                    include_columns=kept,
                    null_values=_NULLS,
                ),
            )
    except (pa.ArrowException, OSError) as error:
        kind = "wrong shape" if "columns" in str(error) else "not numeric"
        raise BadFileError(kind, str(error).split(":", 1)[-1].strip()) from None
    if not found.num_rows:
        raise BadFileError("no rows", f"expected [T, {len(kept)}] with T > 0")
    return np.stack([found.column(name).to_numpy() for name in kept], 1)


def indices_of(wanted: Sequence[str], names: Sequence[str]) -> list[int]:
    """Indices of columns by their names.

    Args:
      wanted: names of the columns to find.
      names: names of all columns.

    Raises:
      BadFileError: there is no such column, or there are two.
    """
    for name in wanted:
        if names.count(name) != 1:
            found = "found twice" if name in names else f"found {', '.join(names)}"
            raise BadFileError("missing column", f"{name}; {found}")
    return [names.index(name) for name in wanted]
