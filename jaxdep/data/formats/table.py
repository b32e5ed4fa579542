"""Reads comma-separated tables of numbers, as large as the files of a recording's features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from jaxdep.data.formats.files import GIB, check_file
from jaxdep.errors import BadFileError

_NULLS = [f"{space}{word}" for space in ("", " ") for word in ("", "-1.#IND", "-1.#IND00", "nan")]


def read(path: Path, root: Path, width: int, header: int, limit: int = GIB) -> np.ndarray:
    """Reads a table as [T, width] float64, NaN where a cell has no number.

    Args:
      path: the file.
      root: folder of the corpus.
      width: number of columns.
      header: number of header lines.
      limit: maximum size of the file in bytes.

    Raises:
      BadFileError: the file is not a table of numbers with these columns, or has no rows.
    """
    check_file(path, root, limit)
    names = [f"f{column}" for column in range(width)]
    try:
        with path.open("rb") as file:
            found = csv.read_csv(
                file,
                read_options=csv.ReadOptions(column_names=names, skip_rows=header),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.float64()), null_values=_NULLS
                ),
            )
    except (pa.ArrowException, OSError) as error:
        kind = "wrong shape" if "columns" in str(error) else "not numeric"
        raise BadFileError(kind, str(error).split(":", 1)[-1].strip()) from None
    if not found.num_rows:
        raise BadFileError("no rows", f"expected [T, {width}] with T > 0")
    return np.stack([found.column(name).to_numpy() for name in names], 1)
