"""Reads and validates the files of D-Vlog as distributed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import checks, subjects, unlabelled
from jaxdep.data.builder import Item, Scan
from jaxdep.data.formats import names, numbers, text
from jaxdep.errors import BadFileError, Faults

SPLITS = {"train": 647, "valid": 102, "test": 212}
"""Split -> published number of vlogs."""

COLUMNS = ("video_id", "label", "duration", "gender", "fold")
WIDTHS = {"acoustic": 25, "visual": 136}
LABELS = ("normal", "depression")
GENDERS = {"m": "male", "f": "female"}


@dataclass(frozen=True)
class Row:
    """One line of `labels.csv`."""

    id: str
    label: str
    fold: str
    attributes: Mapping[str, str]


def scan(folder: Path, options: object = None) -> Scan:
    """Reads every file of the corpus once.

    Args:
      folder: folder given by the user, with `labels.csv` and a folder for each vlog.
      options: unused.
    """
    found = Scan()
    rows = _rows(folder, found.faults)
    contents, frames = [], {}
    for row in rows:
        arrays = _read(folder / row.id, row.id, folder, found.faults)
        if arrays:
            contents.append((checks.content(arrays), row.fold))
            frames[row.id] = len(arrays["acoustic"])
        load = lambda row=row: {
            **(_read(folder / row.id, row.id, folder, Faults()) or {}),
            "depression": row.label,
        }
        found.items.append(Item(row.id, row.fold, load, attributes=row.attributes))
    found.warnings += checks.copies(contents)
    counts = Counter(row.fold for row in rows)
    published = {} if (folder / "synthetic.json").is_file() else SPLITS
    found.warnings += checks.count_warnings(counts, published or {s: counts[s] for s in SPLITS})
    found.card = _card(rows, frames)
    return found


def _rows(folder: Path, faults: Faults) -> list[Row]:
    """Reads the valid lines of `labels.csv`.

    A header is optional; further columns, which it names, become attributes.
    """
    try:
        table = list(text.rows(text.read(folder / "labels.csv", folder)))
    except BadFileError as error:
        faults.add_file(error, "labels.csv")
        return []
    rows, seen = [], {}
    named = bool(table) and tuple(table[0][1][: len(COLUMNS)]) == COLUMNS
    further = table[0][1][len(COLUMNS) :] if named else []
    if problem := subjects.fault_of_attributes(further, COLUMNS):
        faults.add("wrong header", "labels.csv:1", problem)
        return []
    for number, cells in table[named:]:
        where = f"labels.csv:{number}"
        if not any(cells):
            continue
        row = _row(cells, further, where, faults)
        if row is None:
            continue
        if row.id in seen:
            faults.add("duplicate id", where, f"{row.id} is also in line {seen[row.id]}", row.id)
            continue
        seen[row.id] = number
        rows.append(row)
    if not rows and not faults:
        faults.add("no rows", "labels.csv", f"expected lines of {','.join(COLUMNS)}")
    return rows


def _row(cells: list[str], further: list[str], where: str, faults: Faults) -> Row | None:
    item = cells[0] or where  # a line without an id is left out alone
    if len(cells) != len(COLUMNS) + len(further):
        detail = f"found {len(cells)}; expected {','.join([*COLUMNS, *further])}"
        faults.add("wrong columns", where, detail, item)
        return None
    name, label, duration, gender, fold, *values = cells
    before = len(faults.found)
    if problem := names.fault_of(name):
        faults.add("bad id", where, f"{name!r}: {problem}", item)
    if label not in LABELS:
        faults.add("unknown label", where, f"{label!r}; expected one of {', '.join(LABELS)}", item)
    if fold not in SPLITS:
        faults.add("unknown fold", where, f"{fold!r}; expected one of {', '.join(SPLITS)}", item)
    if gender not in GENDERS:
        faults.add("unknown gender", where, f"{gender!r}; expected m or f", item)
    if problem := next(filter(None, map(names.fault_of_text, values)), None):
        faults.add("bad attribute", where, f"a value {problem}", item)
    try:
        numbers.number(duration, 0, 1e6)
    except ValueError:
        faults.add("not a number", where, f"duration {duration!r}", item)
        return None
    if len(faults.found) > before:
        return None
    own = {"gender": GENDERS[gender], "duration": duration}
    return Row(name, label, fold, {**own, **dict(zip(further, values, strict=True))})


def recordings(path: Path) -> Scan:
    """Reads all vlogs in a folder, which may be that of a single one, without labels."""
    return unlabelled.arrays(path, WIDTHS, _read)


def _read(folder: Path, name: str, root: Path, faults: Faults) -> dict[str, np.ndarray] | None:
    """Reads both arrays of a vlog, cut to the shorter one; None if either has a fault.

    Args:
      folder: folder of the vlog.
      name: id of the vlog.
      root: folder given by the user.
      faults: receives the faults of the files.
    """
    read = {
        modality: checks.read_array(folder / f"{name}_{modality}.npy", root, width, faults, name)
        for modality, width in WIDTHS.items()
    }
    arrays = {modality: array for modality, array in read.items() if array is not None}
    if len(arrays) < len(read):
        return None
    # Differences of a few rows are common; larger ones mean that the streams do not match.
    return checks.cut_to_shorter(arrays, 0.05, name, faults, name)


def _card(rows: list[Row], frames: dict[str, int]) -> dict[str, Any]:
    """Class and gender counts of each split, and lengths of the recordings."""
    counts = {
        split: {
            **Counter(row.label for row in rows if row.fold == split),
            **Counter(row.attributes["gender"] for row in rows if row.fold == split),
        }
        for split in SPLITS
    }
    seconds = checks.frames_statistics(frames.values())
    return {"counts": counts, "frames (one a second)": seconds}
