"""Ids of recordings: names, not paths."""

from __future__ import annotations

import unicodedata

_BYTES = 200


def fault_of(name: str) -> str | None:
    """Why a text cannot be the id of a recording; None if it can.

    Ids name files and folders, and stand in tables and reports.
    """
    if not name or name != name.strip():
        return "empty, or begins or ends with white space"
    if "/" in name or "\\" in name or name in (".", ".."):
        return "a path, not a name"
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        return "has control characters or is not UTF-8"
    if len(name.encode()) > _BYTES:
        return f"longer than {_BYTES} bytes"
    return None
