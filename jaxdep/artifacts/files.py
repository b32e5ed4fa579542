"""Reads and writes text and JSON files; writes are atomic, so readers never see partial content."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.errors import UserError

LIMIT = 2**30
"""Maximum size of a file that is read, in bytes."""


def check_writable(folder: Path) -> None:
    """Checks that files can be created in a folder, or in its nearest existing parent.

    Raises:
      UserError: the path is not a folder, or nothing can be created there.
    """
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise UserError(
            f"{folder}: no files can be created there ({error.strerror}); choose another folder"
        ) from None


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A temporary file to write, which replaces the file at the end of the block.

    Raises:
      UserError: a folder has the file's name.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder, where a file is written; remove it")
    temporary = path.with_name(path.name + ".part")
    yield temporary
    os.replace(temporary, path)


def write_text(path: Path, text: str) -> None:
    """Replaces a file atomically."""
    with replaced(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Replaces a `.npz` archive atomically."""
    with replaced(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def write_json(path: Path, data: Any, *, sort_keys: bool = False) -> None:
    """Replaces a JSON file atomically.

    Raises:
      ValueError: a number is not finite.
    """
    text = json.dumps(data, indent=1, sort_keys=sort_keys, allow_nan=False)
    write_text(path, text + "\n")


def read_text(path: Path) -> str:
    """Reads a text file in UTF-8.

    Raises:
      OSError: the file cannot be read.
      ValueError: it is not text, or too large.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    if (size := path.stat().st_size) > LIMIT:
        raise ValueError(f"it has {size} bytes; the limit is {LIMIT}")
    return path.read_text(encoding="utf-8")


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
      OSError: the file cannot be read.
      ValueError: the file is not valid JSON.
    """
    return parse_json(read_text(path))


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Reads a `.npz` archive.

    Raises:
      ValueError: it is not an archive of arrays.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return dict(stored)
    except Exception as error:  # damaged archives raise many kinds of errors
        raise ValueError(f"it is not an archive of arrays ({error})") from None


def parse_json(text: str) -> Any:
    """Parses a JSON document, without the constants that JSON does not have.

    Raises:
      ValueError: it is not valid JSON.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON value")
