"""Reads label.xlsx and the id lists of MMD2023: split and HAMD total of each patient."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxdep.errors import Faults

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
        if not (folder / file).is_file():
            faults.add("missing file", file, "expected one id per line")
            continue
        lines = (folder / file).read_text("utf-8-sig", "replace").splitlines()
        for number, name in enumerate((line.strip() for line in lines), 1):
            where = f"{file}:{number}"
            if name in found:
                faults.add("duplicate id", where, f"{name} is also in {found[name].split}", name)
            elif name and name not in scores:
                faults.add("unknown label", where, f"{FILE} has no total for {name}", name)
            elif name:
                score = scores[name]
                found[name] = Label(name, split, int(score >= hamd_from), score)
    return found


def _scores(folder: Path, faults: Faults) -> dict[str, float]:
    """Reads the total of each id."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    if not (folder / FILE).is_file():
        faults.add("missing file", FILE, f"expected sheet {SHEET} with columns id and all")
        return {}
    try:
        book = openpyxl.load_workbook(folder / FILE, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        faults.add("unreadable table", FILE, str(error)[:120])
        return {}
    try:
        if SHEET not in book.sheetnames:
            faults.add("missing sheet", FILE, f"{SHEET}; found {', '.join(book.sheetnames)}")
            return {}
        rows = list(book[SHEET].iter_rows(values_only=True))
    finally:
        book.close()
    header = [_text(cell).lower() for cell in rows[0]] if rows else []
    if not {"id", "all"} <= set(header):
        faults.add("wrong header", FILE, f"sheet {SHEET}: expected id and all, found {header}")
        return {}
    name_at, score_at = header.index("id"), header.index("all")
    found: dict[str, float] = {}
    for number, row in enumerate(rows[1:], 2):
        name, score = _text(row[name_at]), row[score_at]
        if not name:
            continue
        if not isinstance(score, int | float) or not 0 <= score <= HIGHEST:
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
