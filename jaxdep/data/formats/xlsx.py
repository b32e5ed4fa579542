"""Reads sheets of Excel workbooks, whose archives are checked before they are unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from jaxdep.data.formats.files import check_file
from jaxdep.errors import BadFileError

_LIMIT = 2**26
_UNPACKED = 2**28
"""Maximum number of bytes of all members together."""


def read(path: Path, root: Path, sheet: str, limit: int = _LIMIT) -> list[tuple[Any, ...]]:
    """Reads the values of all rows of a sheet.

    Args:
      path: workbook.
      root: folder of the corpus.
      sheet: name of the sheet; empty for the first one.
      limit: maximum size of the file in bytes.

    Raises:
      BadFileError: the file is not a workbook with this sheet, or unpacks to too much.
    """
    import openpyxl

    check_file(path, root, limit)
    try:
        _check_archive(path)
        with path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            if not sheet and book.sheetnames:
                sheet = book.sheetnames[0]
            if sheet not in book.sheetnames:
                found = ", ".join(book.sheetnames)
                raise BadFileError("missing sheet", f"{sheet}; found {found}")
            return list(book[sheet].iter_rows(values_only=True))
    except BadFileError:
        raise
    except Exception as error:  # openpyxl fails on broken members in as many ways as there are
        raise BadFileError("unreadable table", f"{type(error).__name__}: {error}") from None


def _check_archive(path: Path) -> None:
    """Checks sizes, and that no member declares entities, which may expand without bound."""
    with zipfile.ZipFile(path) as archive:
        total = sum(member.file_size for member in archive.infolist())
        if total > _UNPACKED:
            raise BadFileError("file too large", f"unpacks to {total} bytes")
        for member in archive.infolist():
            with archive.open(member) as file:
                if b"<!" in file.read(4096):
                    raise BadFileError("unreadable table", f"{member.filename} has a DOCTYPE")
