"""Reads MATLAB files, whose variables are checked before they are unpacked."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from jaxdep.data.formats.files import GIB, check_file
from jaxdep.errors import BadFileError

_NUMBERS = {
    "double",
    "single",
    *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32)),
}


def shape(path: Path, root: Path, name: str, limit: int = GIB) -> tuple[int, ...]:
    """Shape of a variable, without reading it.

    Args:
      path: `.mat` file of MATLAB 4 to 7.2.
      root: folder of the corpus.
      name: name of the variable.
      limit: maximum size of the file in bytes.

    Raises:
      BadFileError: the file has no variable of numbers with this name.
    """
    import scipy.io

    check_file(path, root, limit)
    try:
        with path.open("rb") as file:
            known = {variable: rest for variable, *rest in scipy.io.whosmat(file)}
    except NotImplementedError:
        advice = "MATLAB 7.3 (HDF5); save it with the option -v7"
        raise BadFileError("unreadable or truncated array", advice) from None
    except Exception as error:  # SciPy fails on broken files in as many ways as there are
        raise BadFileError("unreadable or truncated array", type(error).__name__) from None
    if name not in known:
        listed = ", ".join(known) or "none"
        raise BadFileError("missing variable", f"{name}; the file has {listed}")
    found, kind = known[name]
    if kind not in _NUMBERS:
        raise BadFileError("not numeric", f"{name} is of type {kind}")
    return tuple(found)


def read(path: Path, root: Path, name: str, width: int, limit: int = 4 * GIB) -> np.ndarray:
    """Reads a matrix [T, width] of numbers; other variables of the file are not unpacked.

    Args:
      path: `.mat` file of MATLAB 4 to 7.2.
      root: folder of the corpus.
      name: name of the variable.
      width: number of columns.
      limit: maximum number of bytes of the matrix in memory.

    Raises:
      BadFileError: the file has no such matrix, or it is too large.
    """
    import scipy.io

    found = shape(path, root, name)
    if len(found) != 2 or found[1] != width:
        raise BadFileError("wrong shape", f"expected [T, {width}], found {list(found)}")
    if not found[0]:
        raise BadFileError("no rows", f"expected [T, {width}] with T > 0")
    if 8 * math.prod(found) > limit:
        raise BadFileError("file too large", f"{name} unpacks to more than {limit} bytes")
    try:
        with path.open("rb") as file:
            array = scipy.io.loadmat(file, variable_names=[name])[name]
    except Exception as error:  # as above
        raise BadFileError("unreadable or truncated array", type(error).__name__) from None
    if array.dtype.kind not in "fiu" or array.shape != found:
        raise BadFileError("not numeric", f"type {array.dtype}, shape {list(array.shape)}")
    return array
