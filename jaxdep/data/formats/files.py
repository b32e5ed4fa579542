"""Checks that a path is a readable file of a corpus, of limited size."""

from __future__ import annotations

import stat
from pathlib import Path

from jaxdep.errors import BadFileError

GIB = 2**30

_RATIO = 1100
"""Deflate makes data at most 1032 times smaller."""


def check_file(path: Path, root: Path, limit: int) -> int:
    """Checks that a path is a readable regular file of a corpus, and not too large.

    Args:
      path: the file.
      root: folder of the corpus; a link must not lead out of it.
      limit: maximum number of bytes.

    Returns:
      Size of the file in bytes.

    Raises:
      BadFileError: it is not.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise BadFileError("missing file") from None
    except OSError as error:
        raise BadFileError("unreadable file", error.strerror or str(error)) from None
    if not stat.S_ISREG(found.st_mode):
        raise BadFileError("not a file", "expected a regular file")
    if not path.resolve().is_relative_to(root.resolve()):
        raise BadFileError("link out of the corpus", f"leads to {path.resolve()}")
    if found.st_size > limit:
        raise BadFileError("file too large", f"{found.st_size} bytes; the limit is {limit}")
    return found.st_size


def check_declared(declared: int, stored: int, limit: int) -> None:
    """Checks the size that a file declares for what is compressed in it, before allocation.

    Args:
      declared: number of bytes after decompression.
      stored: number of bytes in the file.
      limit: maximum of `declared`.

    Raises:
      BadFileError: it is too large, or more than the file can hold.
    """
    if declared > limit:
        raise BadFileError("file too large", f"{declared} bytes of numbers; the limit is {limit}")
    if declared > _RATIO * (stored + 1):
        detail = f"declares {declared} bytes of numbers in {stored} bytes"
        raise BadFileError("unreadable or truncated array", detail)
