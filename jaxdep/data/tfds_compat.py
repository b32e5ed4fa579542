"""Lets TFDS write splits that exceed its memory limit (1 GB) without importing TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from tensorflow_datasets.core import shuffle


class _Appended:
    """A file that is open only during writes, since TFDS keeps up to a thousand of them."""

    def __init__(self, path: Any) -> None:
        self._path = path
        with open(path, "wb"):
            pass

    def write(self, data: bytes) -> None:
        with open(self._path, "ab") as file:
            file.write(data)

    def flush(self) -> None:
        """Does nothing: each write is flushed when the file is closed."""

    close = flush


def _open(path: Any, mode: str) -> Any:
    return _Appended(path) if mode == "wb" else open(path, mode)


@contextmanager
def without_tensorflow() -> Iterator[None]:
    """Makes TFDS use plain files instead of TensorFlow's to sort large splits."""
    files = SimpleNamespace(GFile=_open, exists=os.path.exists, remove=os.remove)
    # Plain files never raise this error.
    errors = SimpleNamespace(
        ResourceExhaustedError=type("ResourceExhaustedError", (Exception,), {})
    )
    original = shuffle.tf
    shuffle.tf = SimpleNamespace(io=SimpleNamespace(gfile=files), errors=errors)
    try:
        yield
    finally:
        shuffle.tf = original
