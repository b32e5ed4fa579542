"""Reads arrays from HDF5 files, whose declared sizes are checked before allocation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data.formats import npy
from jaxdep.data.formats.files import GIB, check_declared, check_file
from jaxdep.errors import BadFileError

_UNREADABLE = "unreadable or truncated array"


def read(
    path: Path,
    root: Path,
    key: str,
    shape: Sequence[int | None],
    limit: int = 4 * GIB,
    *,
    booleans: bool = False,
) -> np.ndarray:
    """Reads one numeric array as `npz.read` does; what lies in other files is refused.

    The key has `/` between groups. It may be empty if there is only one array, at the top.
    """
    import h5py

    check_file(path, root, limit)
    try:
        with h5py.File(path, "r") as file:
            dataset: Any = _dataset(file, key)
            if not isinstance(dataset, h5py.Dataset):
                raise BadFileError("missing key", f"{key} is a group; found {_keys(dataset)} in it")
            elsewhere = dataset.file.filename != file.filename or dataset.external
            if elsewhere or dataset.is_virtual:
                raise BadFileError("link out of the corpus", f"{key} lies in another file")
            npy.check_shape(dataset.shape or (), dataset.dtype, shape, booleans=booleans)
            size = math.prod(dataset.shape) * dataset.dtype.itemsize
            # What was never written would be filled in, from a file of no size at all.
            check_declared(size, dataset.id.get_storage_size(), limit)
            return np.asarray(dataset[()])
    except BadFileError:
        raise
    except Exception as error:  # damaged files fail in many ways
        raise BadFileError(_UNREADABLE, str(error)) from None


def _dataset(file: Any, key: str) -> Any:
    names = list(file)
    if not key and len(names) == 1:
        key = names[0]
    if not key or key not in file:
        wanted = key or "several arrays: name one by key"
        raise BadFileError("missing key", f"{wanted}; found {_keys(file)}")
    return file[key]


def _keys(group: Any) -> str:
    return ", ".join(group) or "none"
