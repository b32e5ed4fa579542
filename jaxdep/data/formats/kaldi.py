"""Reads Kaldi archives of binary matrices, whose declared sizes are checked before allocation."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data.formats.files import GIB, check_file
from jaxdep.errors import BadFileError

_UNREADABLE = "unreadable or truncated array"
_NAME = 1000
_BYTES = {b"FM ": 4, b"DM ": 8}
"""Bytes of a number by the type of a matrix."""


def read(path: Path, root: Path, limit: int = 4 * GIB) -> Iterator[tuple[str, np.ndarray]]:
    """Reads the name and the matrix [rows, columns] of each entry of an archive.

    Args:
      path: `.ark` file.
      root: folder of the corpus.
      limit: maximum size of the file in bytes.

    Raises:
      BadFileError: an entry is not an uncompressed binary matrix of floating-point numbers.
    """
    size = check_file(path, root, limit)
    try:
        with path.open("rb") as file:
            while file.tell() < size:
                name = _name(file)
                yield name, _matrix(file, name, size)
    except (OSError, struct.error) as error:
        raise BadFileError(_UNREADABLE, str(error)) from None


def _name(file: Any) -> str:
    start = file.tell()
    token, space, _ = file.read(_NAME).partition(b" ")
    if not space:
        raise BadFileError(_UNREADABLE, f"no name at byte {start}")
    file.seek(start + len(token) + 1)
    try:
        return token.decode()
    except UnicodeDecodeError as error:
        raise BadFileError(_UNREADABLE, f"a name is not UTF-8 ({error})") from None


def _matrix(file: Any, name: str, size: int) -> np.ndarray:
    # Entries may be marked as pickled, as text or as compressed: none of them occurs in a corpus.
    if file.read(2) != b"\0B" or (kind := file.read(3)) not in _BYTES:
        raise BadFileError(_UNREADABLE, f"{name} is not a binary matrix")
    head = file.read(10)
    if len(head) < 10 or head[0] != 4 or head[5] != 4:
        raise BadFileError(_UNREADABLE, f"{name} has no sizes")
    rows, columns = struct.unpack("<xixi", head)
    expected = rows * columns * _BYTES[kind]
    if rows < 0 or columns < 0 or expected > size - file.tell():
        raise BadFileError(_UNREADABLE, f"{name} declares [{rows}, {columns}] and is shorter")
    numbers = np.frombuffer(file.read(expected), f"<f{_BYTES[kind]}")
    return numbers.reshape(rows, columns)
