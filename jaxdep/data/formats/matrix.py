"""Reads matrices and vectors of numbers in any of the formats that features are kept in."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxdep.data.formats import hdf5, npy, npz, parquet, table
from jaxdep.data.formats.files import GIB, check_file
from jaxdep.errors import BadFileError

TEXT = {".csv": ",", ".tsv": "\t"}
"""Formats of text, with the separator of their cells."""

KEYED = (".npz", ".h5", ".hdf5")
"""Formats of files with several arrays."""

NAMED = (*TEXT, ".parquet")
"""Formats whose columns may have names."""

SUFFIXES = (".npy", ".npz", ".csv", ".tsv", ".parquet", ".h5", ".hdf5")

_LONGEST_LINE = 2**24


class How(NamedTuple):
    """Options of a format.

    Attributes:
      key: name of the array in a file with several; may be empty if there is only one.
      header: whether text begins with a line of column names.
      columns: names of the columns to read; empty for all.
    """

    key: str = ""
    header: bool = True
    columns: Sequence[str] = ()


def read(
    path: Path,
    root: Path,
    shape: Sequence[int | None],
    how: How,
    limit: int = 4 * GIB,
    *,
    booleans: bool = False,
) -> np.ndarray:
    """Reads numbers without conversion from arrays, and as float64 from tables.

    Args:
      path: file in one of the formats `SUFFIXES`.
      root: folder of the corpus.
      shape: [T, D] or [D], with None for a length of at least 1. A single row is read as a vector
        where one is expected.
      how: options of the format.
      limit: maximum size of the file, and of the numbers in it, in bytes.
      booleans: whether truth values are numbers, too; texts write 0 and 1.

    Raises:
      BadFileError: the file does not hold numbers of this shape.
    """
    suffix = path.suffix
    if suffix == ".npy":
        return npy.read(path, root, shape, limit, booleans=booleans)
    if suffix == ".npz":
        return npz.read(path, root, how.key, shape, limit, booleans=booleans)
    if suffix in (".h5", ".hdf5"):
        return hdf5.read(path, root, how.key, shape, limit, booleans=booleans)
    if suffix == ".parquet":
        rows = parquet.read(path, root, how.columns, limit, booleans=booleans)
    else:
        rows = _text(path, root, how, TEXT[suffix])
    found = rows[0] if len(shape) == 1 and len(rows) == 1 else rows
    npy.check_shape(found.shape, found.dtype, shape)
    return found


def _text(path: Path, root: Path, how: How, delimiter: str) -> np.ndarray:
    """Reads a table whose number of columns is that of its first line."""
    check_file(path, root, GIB)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline(_LONGEST_LINE)
        first = next(csv.reader(io.StringIO(line), delimiter=delimiter, strict=True), [])
    except UnicodeDecodeError:
        raise BadFileError("not UTF-8", "save the file as UTF-8") from None
    except (OSError, csv.Error) as error:
        raise BadFileError("unreadable table", str(error)) from None
    cells = [cell.strip() for cell in first]
    if not cells:
        raise BadFileError("no rows", "the file is empty")
    columns = table.indices_of(how.columns, cells) if how.columns else None
    return table.read(path, root, len(cells), int(how.header), delimiter=delimiter, columns=columns)
