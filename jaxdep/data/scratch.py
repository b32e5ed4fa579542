"""Keeps what a scan has read in a temporary folder, until it is stored."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data.builder import Scan


class Scratch:
    """A temporary folder for the arrays of recordings, removed together with a scan."""

    def __init__(self, found: Scan) -> None:
        self._found = found
        self._folder = Path(tempfile.mkdtemp(prefix="jaxdep-"))
        weakref.finalize(found, shutil.rmtree, self._folder, ignore_errors=True)

    def keep(self, item: str, arrays: Mapping[str, np.ndarray]) -> Callable[[], dict[str, Any]]:
        """Writes the arrays of a recording, and returns a function that reads them again."""
        path = self._folder / f"{item}.npz"
        named: dict[str, Any] = dict(arrays)
        np.savez(path, **named)
        # The reference to the scan keeps the folder alive as long as anything loads from it.
        return lambda _=self._found: _read(path)


def _read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in kept.files}
    # TFDS cannot store an empty tensor of unknown length.
    return {
        name: x if len(x) else np.zeros((1, *x.shape[1:]), x.dtype) for name, x in arrays.items()
    }
