"""Reads `subjects.csv`, an optional table in which users state what they know of the subjects."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
    return _read(folder, faults, (_SUBJECT,), taken)


def of_recordings(folder: Path, faults: Faults) -> dict[str, dict[str, str]]:
    """Reads the subject of each recording, of a corpus whose files do not say who was recorded.

    The header is `id,subject`, which names of attributes may follow, as in `read`.

    Returns:
      `subject` and attributes by id of a recording; empty if there is no table.
    """
    return _read(folder, faults, ("id", _SUBJECT), ())


def _read(
    folder: Path, faults: Faults, first: tuple[str, ...], taken: Collection[str]
) -> dict[str, dict[str, str]]:
    """Reads the other columns of the table, by the first one; `first` are those it begins with."""
    if not (folder / FILE).exists():
        return {}
    found: dict[str, dict[str, str]] = {}
    try:
        rows = list(text.rows(text.read(folder / FILE, folder)))
    except BadFileError as error:
        faults.add_file(error, FILE)
        return {}
    header = rows[0][1] if rows else []
    if problem := _fault_of_header(header, first, taken):
        faults.add("wrong header", f"{FILE}:1", problem)
        return {}
    for number, cells in rows[1:]:
        where = f"{FILE}:{number}"
        if not any(cells):
            continue
        if len(cells) != len(header):
            faults.add("wrong columns", where, f"found {len(cells)}; the header has {len(header)}")
            continue
        name, *values = cells
        if problem := names.fault_of(name):
            faults.add("bad id", where, f"{name!r}: {problem}")
        elif name in found:
            faults.add("duplicate id", where, f"{name} is also in a line before")
        elif problem := next(filter(None, map(names.fault_of_text, values)), None):
            faults.add("bad attribute", where, f"a value of {name} {problem}")
        else:
            found[name] = dict(zip(header[1:], values, strict=True))
    return found


def warnings(
    table: Mapping[str, object], recorded: Collection[str], what: str = "subjects"
) -> list[str]:
    """Returns warnings about lines that only the table or only the corpus has.

    Args:
      table: attributes by subject, from `read`, or what is known by recording.
      recorded: subjects of all recordings, or their ids.
      what: what a line describes.
    """
    if not table:
        return []
    known, recorded = set(table), set(recorded)
    found = []
    if missing := len(recorded - known):
        found.append(f"{FILE} has no line for {missing} of {len(recorded)} {what}.")
    if unknown := len(known - recorded):
        found.append(f"{FILE} describes {unknown} {what} that the corpus does not have.")
    return found


def fault_of_attributes(attributes: Sequence[str], taken: Collection[str]) -> str:
    """What is wrong with names of attributes; empty if nothing is.

    Args:
      attributes: the names.
      taken: names that the corpus itself defines.
    """
    for name in attributes:
        if not name or names.fault_of_text(name):
            return "a name is empty or not printable"
        if attributes.count(name) > 1:
            return f"{name} occurs twice"
        if name in {"id", _SUBJECT, *taken}:
            return f"{name} is a column of the corpus itself; choose another name"
    return ""


def _fault_of_header(header: list[str], first: tuple[str, ...], taken: Collection[str]) -> str:
    """What is wrong with a header; empty if nothing is."""
    if tuple(header[: len(first)]) != first or len(header) < 2:
        start = ",".join(first)
        return f"expected {start} and names of attributes, such as {start},gender"
    return fault_of_attributes(header[len(first) :], taken)
