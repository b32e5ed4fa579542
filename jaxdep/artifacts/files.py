"""Reads and writes text and JSON files; writes are atomic, so readers never see partial content."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str) -> None:
    """Replaces a file atomically."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text)
    os.replace(temporary, path)


def write_json(path: Path, data: Any, *, sort_keys: bool = False) -> None:
    """Replaces a JSON file atomically.

    Raises:
      ValueError: a number is not finite.
    """
    text = json.dumps(data, indent=1, sort_keys=sort_keys, allow_nan=False)
    write_text(path, text + "\n")


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
      OSError: the file cannot be read.
      ValueError: the file is not valid JSON.
    """
    return json.loads(path.read_text())
