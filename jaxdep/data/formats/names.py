"""Ids of recordings and texts about them: names, not paths; what can stand in tables."""

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
    return fault_of_text(name)


def fault_of_text(text: str) -> str | None:
    """Why a short text cannot stand in tables and reports; None if it can."""
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text):
        return "has control characters or is not UTF-8"
    if len(text.encode()) > _BYTES:
        return f"is longer than {_BYTES} bytes"
    return None
