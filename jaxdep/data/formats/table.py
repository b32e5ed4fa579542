"""Reads delimited tables of numbers, as large as the files of a recording's features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from jaxdep.data.formats.files import GIB, check_file
from jaxdep.errors import BadFileError

_LONGEST_HEADER = 2**20
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
        if "Could not skip" in str(error) or "Empty CSV" in str(error):
            raise BadFileError("no rows", f"expected [T, {len(kept)}] with T > 0") from None
        kind = "wrong shape" if "columns" in str(error) else "not numeric"
        raise BadFileError(kind, str(error).split(":", 1)[-1].strip()) from None
    if not found.num_rows:
        raise BadFileError("no rows", f"expected [T, {len(kept)}] with T > 0")
    return np.stack([found.column(name).to_numpy() for name in kept], 1)


def header(path: Path, root: Path, delimiter: str = ",", limit: int = GIB) -> list[str]:
    """Names of the columns in the first line of a table, stripped of white space.

    Args:
      path: the file.
      root: folder of the corpus.
      delimiter: separator of the columns.
      limit: maximum size of the file in bytes.

    Raises:
      BadFileError: the file cannot be read, its first line is not text or longer than 1 MiB, or a
        name is empty or occurs twice.
    """
    check_file(path, root, limit)
    try:
        with path.open("rb") as file:
            line = b"".join(
                file.readline(_LONGEST_HEADER).splitlines()[:1]
            )  # may end in "\r" alone
        names = [name.strip() for name in line.decode("utf-8-sig").split(delimiter)]
    except OSError as error:
        raise BadFileError("unreadable file", error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise BadFileError("wrong header", "not UTF-8", 1) from None
    if len(line) == _LONGEST_HEADER:
        raise BadFileError("wrong header", f"longer than {_LONGEST_HEADER} bytes", 1)
    twice = next((name for name in names if names.count(name) > 1), None)
    if "" in names or twice:
        problem = f"{twice} occurs twice" if twice else "a name is empty"
        raise BadFileError("wrong header", problem, 1)
    return names


def read_columns(
    path: Path, root: Path, names: Sequence[str], delimiter: str = ",", limit: int = GIB
) -> np.ndarray:
    """Reads some columns of a table with a header, as `read` does.

    Args:
      path: the file.
      root: folder of the corpus.
      names: columns to read; the others need not be numbers.
      delimiter: separator of the columns.
      limit: maximum size of the file in bytes.

    Raises:
      BadFileError: a column is missing or holds text, or the table has no rows.
    """
    found = header(path, root, delimiter, limit)
    columns = indices_of(names, found)
    return read(path, root, len(found), 1, limit, delimiter=delimiter, columns=columns)


def indices_of(wanted: Sequence[str], names: Sequence[str]) -> list[int]:
    """Indices of columns by their names.

    Args:
      wanted: names of the columns to find.
      names: names of all columns.

    Raises:
      BadFileError: there is no such column, or there are two.
    """
    if missing := [name for name in wanted if name not in names]:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        found = f"{', '.join(names[:8])}{', ...' if len(names) > 8 else ''}"
        raise BadFileError(
            "wrong header", f"no column {', '.join(missing[:3])}{more}; found {found}", 1
        )
    if twice := [name for name in wanted if names.count(name) > 1]:
        raise BadFileError("wrong header", f"{twice[0]} occurs twice", 1)
    return [names.index(name) for name in wanted]
