"""Reads tables of numbers from Parquet files, whose declared sizes are checked first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jaxdep.data.formats import table
from jaxdep.data.formats.files import GIB, check_file
from jaxdep.errors import BadFileError

_INDEX = "__index_level_"  # of pandas


def read(
    path: Path,
    root: Path,
    columns: Sequence[str] = (),
    limit: int = 4 * GIB,
    *,
    booleans: bool = False,
) -> np.ndarray:
    """Reads a table as [T, D] float64, NaN where a cell is null.

    Args:
      path: `.parquet` file.
      root: folder of the corpus.
      columns: names of the columns to read, in this order; empty for all.
      limit: maximum number of bytes of the file, and of the numbers.
      booleans: whether truth values are numbers, too: 0 and 1.

    Raises:
      BadFileError: the file is not a table of numbers with these columns.
    """
    check_file(path, root, limit)
    try:
        with path.open("rb") as source, pq.ParquetFile(source) as file:
            schema = file.schema_arrow
            names = [name for name in schema.names if not name.startswith(_INDEX)]
            kept = (
                [names[index] for index in table.indices_of(columns, names)] if columns else names
            )
            for name in kept:
                kind = schema.field(name).type
                numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind)
                if not (numeric or (booleans and pa.types.is_boolean(kind))):
                    raise BadFileError("not numeric", f"column {name} has the type {kind}")
            size = 8 * file.metadata.num_rows * len(kept)
            if size > limit:  # runs of one value take no space: nothing else can be told
                raise BadFileError("file too large", f"{size} bytes of numbers; limit {limit}")
            if not size:
                raise BadFileError("no rows", f"found [{file.metadata.num_rows}, {len(kept)}]")
            rows = file.read(columns=kept, use_threads=False)
            numbers = [rows.column(name).cast(pa.float64(), safe=False) for name in kept]
            return np.stack([x.to_numpy().astype(np.float64) for x in numbers], 1)
    except BadFileError:
        raise
    except Exception as error:  # damaged files fail in many ways
        raise BadFileError("unreadable table", str(error)) from None
