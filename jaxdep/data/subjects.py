"""Reads `subjects.csv`, an optional table in which users state what they know of the subjects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from jaxdep.data.formats import names, text
from jaxdep.errors import BadFileError, Faults

FILE = "subjects.csv"

_SUBJECT = "subject"


def read(folder: Path, faults: Faults, taken: Collection[str] = ()) -> dict[str, dict[str, str]]:
    """Reads the attributes of each subject.

    The header is `subject`, followed by the names of attributes of your choice, such as `gender`;
    each further line describes one subject, as the corpus names it. Unknown values stay empty. The
    attributes become those of the subject's recordings (`Item.attributes`) and columns of a run's
    `recordings.csv`.

    Args:
      folder: folder given by the user.
      faults: receives the faults of the table. They cannot be skipped together with recordings.
      taken: names of attributes that the corpus itself defines.

    Returns:
      Attributes by subject; empty if there is no table.
    """
    if not (folder / FILE).exists():
        return {}
    found: dict[str, dict[str, str]] = {}
    try:
        rows = list(text.rows(text.read(folder / FILE, folder)))
    except BadFileError as error:
        faults.add_file(error, FILE)
        return {}
    header = rows[0][1] if rows else []
    if problem := _fault_of_header(header, {"id", *taken}):
        faults.add("wrong header", f"{FILE}:1", problem)
        return {}
    for number, cells in rows[1:]:
        where = f"{FILE}:{number}"
        if not any(cells):
            continue
        if len(cells) != len(header):
            faults.add("wrong columns", where, f"found {len(cells)}; the header has {len(header)}")
            continue
        subject, *values = cells
        if problem := names.fault_of(subject):
            faults.add("bad id", where, f"{subject!r}: {problem}")
        elif subject in found:
            faults.add("duplicate id", where, f"{subject} is also in a line before")
        elif problem := next(filter(None, map(names.fault_of_text, values)), None):
            faults.add("bad attribute", where, f"a value of {subject} {problem}")
        else:
            found[subject] = dict(zip(header[1:], values, strict=True))
    return found


def warnings(table: Mapping[str, object], recorded: Collection[str]) -> list[str]:
    """Returns warnings about subjects that only the table or only the corpus has.

    Args:
      table: attributes by subject, from `read`.
      recorded: subjects of all recordings.
    """
    if not table:
        return []
    known, recorded = set(table), set(recorded)
    found = []
    if missing := len(recorded - known):
        found.append(f"{FILE} has no line for {missing} of {len(recorded)} subjects.")
    if unknown := len(known - recorded):
        found.append(f"{FILE} describes {unknown} subjects without recordings.")
    return found


def _fault_of_header(header: list[str], taken: Collection[str]) -> str:
    """What is wrong with a header; empty if nothing is."""
    attributes = header[1:]
    expected = f"expected {_SUBJECT} and names of attributes, such as {_SUBJECT},gender"
    if header[:1] != [_SUBJECT] or not attributes:
        return expected
    for name in attributes:
        if not name or names.fault_of_text(name):
            return f"{expected}; a name is empty or not printable"
        if header.count(name) > 1:
            return f"{name} occurs twice"
        if name in taken:
            return f"{name} is a column of the corpus itself; choose another name"
    return ""
