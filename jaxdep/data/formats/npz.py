"""Reads archives of NumPy arrays, whose declared sizes are checked before they are unpacked."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxdep.data.formats import npy
from jaxdep.data.formats.files import GIB, check_declared, check_file
from jaxdep.errors import BadFileError

_UNREADABLE = "unreadable or truncated array"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read(
    path: Path,
    root: Path,
    key: str,
    shape: Sequence[int | None],
    limit: int = 4 * GIB,
    *,
    booleans: bool = False,
) -> np.ndarray:
    """Reads one numeric array without conversion.

    Args:
      path: `.npz` file.
      root: folder of the corpus.
      key: name of the array; empty if the file has only one.
      shape: as in `npy.read`.
      limit: maximum number of bytes of the file and of the array.
      booleans: as in `npy.read`.

    Raises:
      BadFileError: the file has no such array of numbers with this shape.
    """
    check_file(path, root, limit)
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            member = _member(archive, key)
            if member.compress_type not in _METHODS:
                raise BadFileError(_UNREADABLE, f"compressed by method {member.compress_type}")
            check_declared(member.file_size, member.compress_size, limit)
            with archive.open(member) as stream:
                return npy.read_stream(stream, member.file_size, shape, booleans=booleans)
    except (OSError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadFileError(_UNREADABLE, str(error)) from None
    except (zipfile.BadZipFile, zlib.error) as error:
        raise BadFileError(_UNREADABLE, str(error)) from None


def _member(archive: zipfile.ZipFile, key: str) -> zipfile.ZipInfo:
    found = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
    if not key and len(found) == 1:
        return next(iter(found.values()))
    if key not in found:
        keys = ", ".join(found) or "none"
        wanted = key or "several arrays: name one by key"
        raise BadFileError("missing key", f"{wanted}; found {keys}")
    return found[key]
