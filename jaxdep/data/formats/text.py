"""Reads text and tables of text: encoding, line ends and limits in one place."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from jaxdep.data.formats.files import check_file
from jaxdep.errors import BadFileError

LIMIT = 2**26
"""Maximum size of a text file in bytes, unless a corpus raises it."""

Row = tuple[int, list[str]]
"""Number of the line in which a row starts, from 1, and its cells, stripped of white space."""

_LINE_ENDS = re.compile(rb"\r\n?|\n")


def read(
    path: Path, root: Path, limit: int = LIMIT, errors: Literal["strict", "replace"] = "strict"
) -> str:
    """Reads a text file in UTF-8; line ends become `\\n`.

    Args:
      path: the file.
      root: folder of the corpus.
      limit: maximum size of the file in bytes.
      errors: whether bytes that are not UTF-8 are refused, or replaced by U+FFFD.

    Raises:
      BadFileError: the file cannot be read, is not text, or is too large.
    """
    check_file(path, root, limit)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadFileError("unreadable file", error.strerror or str(error)) from None
    try:
        text = content.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        # error.start does not count the byte-order mark.
        at = error.start + len(content) - len(error.object)
        detail = f"byte 0x{content[at]:02x} at offset {at}: save the file as UTF-8"
        line = 1 + len(_LINE_ENDS.findall(content, 0, at))
        raise BadFileError("not UTF-8", detail, line) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = 1 + text.count("\n", 0, text.index("\0"))
        raise BadFileError("unreadable file", "a zero byte: not text", line)
    return text


def rows(text: str, delimiter: str = ",", *, quotes: bool = True) -> Iterator[Row]:
    """Reads a table line by line; rows before a broken one are still returned.

    Args:
      text: content of the file, from `read`.
      delimiter: separator of the cells.
      quotes: whether quotes group cells with delimiters or line ends; else they are characters.

    Raises:
      BadFileError: a quote is not closed, or a cell is longer than 128 KiB.
    """
    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, quoting=quoting, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, [cell.strip() for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        detail = f"{error}, in the row that starts here; truncated file or missing quote?"
        raise BadFileError("unreadable table", detail, line) from None
