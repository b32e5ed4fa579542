"""Reads the table of recordings: ids, subjects, splits, labels and attributes."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxdep.data.corpus_file import COLUMNS, Description, Task
from jaxdep.data.formats import names, numbers, text, xlsx
from jaxdep.errors import BadFileError, Faults, closest

_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Splits by what they are called in the table."""


@dataclass(frozen=True)
class Row:
    """One valid line of the table.

    Attributes:
      id: id of the recording.
      subject: id of the subject; empty if unknown.
      session: id of the session; empty if there are none.
      split: `train`, `validation` or `test`; empty if the table has no splits.
      labels: name of the class, or score, by task.
      attributes: texts of all other columns.
    """

    id: str
    subject: str
    session: str
    split: str
    labels: Mapping[str, str | float]
    attributes: Mapping[str, str]


def read(folder: Path, description: Description, faults: Faults) -> list[Row]:
    """Reads the valid lines of the table.

    Args:
      folder: folder of the corpus.
      description: description of the corpus.
      faults: receives the faults of the table.
    """
    file = description.recordings
    try:
        table = _cells(folder / file, folder, description.sheet)
    except BadFileError as error:
        faults.add_file(error, file)
        return []
    table = [(line, cells) for line, cells in table if any(cells)]
    if not table:
        faults.add("no rows", file, "expected a line of column names and a line per recording")
        return []
    (line, header), *lines = table
    before = len(faults.found)
    _check_header(header, description, f"{file}:{line}", faults)
    if len(faults.found) > before:
        return []
    rows, seen = [], {}
    for line, cells in lines:
        row = _row(cells, header, description, f"{file}:{line}", faults)
        if row is None:
            continue
        if row.id in seen:
            detail = f"{row.id} is also in line {seen[row.id]}"
            faults.add("duplicate id", f"{file}:{line}", detail, row.id)
            continue
        seen[row.id] = line
        rows.append(row)
    if not lines:
        faults.add("no rows", file, "expected a line per recording after the column names")
    return rows


def shared_subjects(
    rows: Sequence[Row], description: Description, faults: Faults, warnings: list[str]
) -> None:
    """Refuses subjects in two splits of the table, or warns of them, as the description says."""
    splits: dict[str, set[str]] = {}
    for row in rows:
        if row.subject and row.split:
            splits.setdefault(row.subject, set()).add(row.split)
    shared = {subject: found for subject, found in splits.items() if len(found) > 1}
    if description.splits.shared_subjects == "warn":
        if shared:
            warnings.append(f"{len(shared)} subjects are in two splits.")
        return
    for subject, found in shared.items():
        detail = f"{subject} is in {' and '.join(sorted(found))}"
        faults.add("subject in two splits", description.recordings, detail)


def _cells(path: Path, root: Path, sheet: str) -> list[tuple[int, list[str]]]:
    """Number of each line, from 1, and its cells as text."""
    if path.suffix == ".xlsx":
        rows = xlsx.read(path, root, sheet)
        return [(line, list(map(_as_text, row))) for line, row in enumerate(rows, 1)]
    delimiter = "\t" if path.suffix == ".tsv" else ","
    return list(text.rows(text.read(path, root), delimiter))


def _as_text(value: Any) -> str:
    """A cell of a workbook as it would stand in a table of text; whole numbers without `.0`."""
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return "" if value is None else str(value).strip()


def _check_header(
    header: Sequence[str], description: Description, where: str, faults: Faults
) -> None:
    counts = Counter(header)
    columns = {name: task.column or name for name, task in description.tasks.items()}
    for column in ("id", *columns.values()):
        if column not in counts:
            hint = closest(column, header, f"found {', '.join(header)}")
            faults.add("missing column", where, f"{column}; {hint}")
    for column, count in counts.items():
        if not column or names.fault_of_text(column):
            faults.add("wrong header", where, "the name of a column is empty or not printable")
        elif count > 1:
            faults.add("wrong header", where, f"{column} occurs twice")


def _row(
    cells: Sequence[str],
    header: Sequence[str],
    description: Description,
    where: str,
    faults: Faults,
) -> Row | None:
    """Reads one line; None if it has a fault."""
    if len(cells) != len(header):
        item = cells[header.index("id")] if header.index("id") < len(cells) else ""
        detail = f"found {len(cells)}; the header has {len(header)}"
        faults.add("wrong columns", where, detail, item or where)
        return None
    found = dict(zip(header, cells, strict=True))
    name = found["id"]
    item = name or where  # a line without an id is left out alone
    before = len(faults.found)
    if problem := names.fault_of(name):
        faults.add("bad id", where, f"{name!r}: {problem}", item)
    for column in ("subject", "session"):
        if (value := found.get(column, "")) and (problem := names.fault_of_text(value)):
            faults.add("bad id", where, f"{column} {value!r}: {problem}", item)
    split = found.get("split", "")
    if "split" in found and split not in _SPLITS:
        expected = f"{split!r}; expected one of {', '.join(_SPLITS)}"
        faults.add("unknown split", where, expected, item)
    labels = {
        task: _label(found, each.column or task, each, where, item, faults)
        for task, each in description.tasks.items()
    }
    used = {*COLUMNS, *(each.column or task for task, each in description.tasks.items())}
    attributes = {column: value for column, value in found.items() if column not in used}
    for column, value in attributes.items():
        if problem := names.fault_of_text(value):
            faults.add("bad attribute", where, f"{column} {problem}", item)
    if len(faults.found) > before:
        return None
    known = (found.get("subject", ""), found.get("session", ""), _SPLITS.get(split, ""))
    return Row(name, *known, labels, attributes)


def _label(
    cells: Mapping[str, str], column: str, task: Task, where: str, item: str, faults: Faults
) -> str | float:
    """The class or score in a column."""
    value = cells[column]
    if not value:
        faults.add("missing label", where, f"{column} is empty", item)
    elif task.score is None:
        if value in task.names:
            return task.names[value]
        detail = f"{value!r}; expected one of {', '.join(task.names)}"
        faults.add("unknown label", where, detail, item)
    else:
        try:
            return numbers.number(value, *task.score)
        except ValueError as error:
            faults.add("not a score", where, str(error), item)
    return ""
