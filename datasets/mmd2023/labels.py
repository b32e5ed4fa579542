"""Reads label.xlsx and the id lists of MMD2023: split and HAMD total of each patient."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxdep.data.formats import names, text, xlsx
from jaxdep.errors import BadFileError, Faults

FILE, SHEET = "label.xlsx", "hamd"
LISTS = {"train": "train_set", "test": "test_set"}
PUBLISHED = {"train": 80, "test": 20}
HIGHEST = 76
"""Maximum of the longest version of the Hamilton scale, with 24 items."""


@dataclass(frozen=True)
class Label:
    """Split, label and HAMD total of a patient."""

    id: str
    split: str
    depressed: int
    score: float


def read(folder: Path, hamd_from: int, faults: Faults) -> dict[str, Label]:
    """Reads the label of each id in the lists; ids are compared as text.

    Args:
      folder: folder given by the user.
      hamd_from: lowest total that counts as depressed.
      faults: receives the faults of the files.
    """
    scores = _scores(folder, faults)
    found: dict[str, Label] = {}
    for split, file in LISTS.items():
        try:
            lines = text.read(folder / file, folder).split("\n")
        except BadFileError as error:
            faults.add_file(error, file)
            continue
        for number, name in enumerate((line.strip() for line in lines), 1):
            where = f"{file}:{number}"
            problem = names.fault_of(name) if name else None
            if problem:
                faults.add("bad id", where, f"{name!r}: {problem}", name)
            elif name in found:
                faults.add("duplicate id", where, f"{name} is also in {found[name].split}", name)
            elif name and name not in scores:
                faults.add("unknown label", where, f"{FILE} has no total for {name}", name)
            elif name:
                score = scores[name]
                found[name] = Label(name, split, int(score >= hamd_from), score)
    return found


def _scores(folder: Path, faults: Faults) -> dict[str, float]:
    """Reads the total of each id."""
    try:
        rows = xlsx.read(folder / FILE, folder, SHEET)
    except BadFileError as error:
        faults.add_file(error, FILE)
        return {}
    header = [_text(cell).lower() for cell in rows[0]] if rows else []
    if not {"id", "all"} <= set(header):
        faults.add("wrong header", FILE, f"sheet {SHEET}: expected id and all, found {header}")
        return {}
    name_at, score_at = header.index("id"), header.index("all")
    found: dict[str, float] = {}
    for number, row in enumerate(rows[1:], 2):
        absent = [None] * (len(header) - len(row))  # empty cells at the end
        cells: tuple[Any, ...] = (*row, *absent)
        name, score = _text(cells[name_at]), cells[score_at]
        if not name:
            continue
        if type(score) not in (int, float) or not 0 <= score <= HIGHEST:
            detail = f"row {number}: the total of {name} is {score!r}; expected 0 to {HIGHEST}"
            faults.add("unknown label", FILE, detail, name)
        elif name in found:
            faults.add("duplicate id", FILE, f"row {number}: {name}", name)
        else:
            found[name] = float(score)
    return found


def _text(cell: Any) -> str:
    """Converts a cell to text; integers have no decimal point."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).strip()
