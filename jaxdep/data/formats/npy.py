"""Reads NumPy arrays; the header is checked against the size of the file before allocation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from jaxdep.data.formats.files import GIB, check_file
from jaxdep.errors import BadFileError

_UNREADABLE = "unreadable or truncated array"
_MAX_HEADER = 10_000


def read(
    path: Path,
    root: Path,
    shape: Sequence[int | None],
    limit: int = 4 * GIB,
    *,
    booleans: bool = False,
) -> np.ndarray:
    """Reads a numeric array without conversion.

    Args:
      path: `.npy` file.
      root: folder of the corpus.
      shape: expected shape; None for a variable length of at least 1.
      limit: maximum size of the file in bytes.
      booleans: whether truth values are numbers, too.

    Raises:
      BadFileError: the file is not an array of numbers with this shape.
    """
    size = check_file(path, root, limit)
    try:
        with path.open("rb") as file:
            return read_stream(file, size, shape, booleans=booleans)
    except (OSError, ValueError) as error:
        raise BadFileError(_UNREADABLE, str(error)) from None


def read_stream(
    file: Any, size: int, shape: Sequence[int | None], *, booleans: bool = False
) -> np.ndarray:
    """Reads a numeric array from an open file.

    Args:
      file: binary file, at its beginning.
      size: number of bytes of the file.
      shape: as in `read`.
      booleans: as in `read`.

    Raises:
      BadFileError: the file is not an array of numbers with this shape.
      OSError: the file cannot be read.
      ValueError: it is damaged.
    """
    found, dtype = _header(file)
    check_shape(found, dtype, shape, booleans=booleans)
    expected = math.prod(found) * dtype.itemsize
    if size - file.tell() != expected:
        detail = f"{size - file.tell()} bytes of data; its header declares {expected}"
        raise BadFileError(_UNREADABLE, detail)
    file.seek(0)
    return npy.read_array(file, allow_pickle=False)


def dtype_of(path: Path, root: Path, limit: int = 4 * GIB) -> np.dtype:
    """Type of the numbers of an array, without reading them.

    Args:
      path: `.npy` file.
      root: folder of the corpus.
      limit: maximum size of the file in bytes.

    Raises:
      BadFileError: the file is not an array.
    """
    check_file(path, root, limit)
    try:
        with path.open("rb") as file:
            return _header(file)[1]
    except OSError as error:
        raise BadFileError(_UNREADABLE, str(error)) from None


def _header(file: Any) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array, as its header declares them."""
    start = file.read(8)
    file.seek(0)
    if start[:1] == b"\x80":
        raise BadFileError("pickled array (refused)")
    if start[:2] == b"PK":
        raise BadFileError(_UNREADABLE, "expected one array, found an archive")
    try:
        version = npy.read_magic(file)
        readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        if version not in readers:
            raise BadFileError(_UNREADABLE, f"unknown version {version}")
        shape, _, dtype = readers[version](file, max_header_size=_MAX_HEADER)
    except BadFileError:
        raise
    except Exception:  # the header is a Python literal: parsers fail in many ways
        raise BadFileError(_UNREADABLE, "invalid header") from None
    if dtype.hasobject:
        raise BadFileError("pickled array (refused)")
    return shape, dtype


def check_shape(
    found: tuple[int, ...],
    dtype: np.dtype,
    shape: Sequence[int | None],
    *,
    booleans: bool = False,
) -> None:
    """Checks the declared shape and type of an array before anything is allocated.

    Raises:
      BadFileError: the array does not hold numbers, or has another shape.
    """
    if dtype.kind not in ("fiub" if booleans else "fiu"):
        raise BadFileError("not numeric", f"type {dtype}")
    letters = iter("TDEF")
    expected = f"[{', '.join(next(letters) if size is None else str(size) for size in shape)}]"
    whole = all(type(n) is int and n >= 0 for n in found)
    same = whole and len(shape) == len(found)
    if not same or any(size not in (None, n) for size, n in zip(shape, found, strict=True)):
        raise BadFileError("wrong shape", f"expected {expected}, found {list(found)}")
    if 0 in found:
        raise BadFileError("no rows", f"expected {expected} with T > 0")
