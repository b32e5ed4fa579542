"""Splits that exceed TFDS's memory (1 GB): its temporary files without TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from tensorflow_datasets.core import shuffle


class _Appended:
    """A file that is open only while it is written to: TFDS keeps up to a thousand of them."""

    def __init__(self, path: Any) -> None:
        self._path = path
        with open(path, "wb"):
            pass

    def write(self, data: bytes) -> None:
        with open(self._path, "ab") as file:
            file.write(data)

    def flush(self) -> None:
        """Everything is on disk already."""

    close = flush


def _open(path: Any, mode: str) -> Any:
    return _Appended(path) if mode == "wb" else open(path, mode)


@contextmanager
def without_tensorflow() -> Iterator[None]:
    """Lets TFDS sort large splits through plain files, where it would import TensorFlow."""
    files = SimpleNamespace(GFile=_open, exists=os.path.exists, remove=os.remove)
    # An error that plain files never raise.
    errors = SimpleNamespace(
        ResourceExhaustedError=type("ResourceExhaustedError", (Exception,), {})
    )
    before = shuffle.tf
    shuffle.tf = SimpleNamespace(io=SimpleNamespace(gfile=files), errors=errors)
    try:
        yield
    finally:
        shuffle.tf = before
