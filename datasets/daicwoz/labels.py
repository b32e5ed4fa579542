"""Reads the split files of DAIC-WOZ: split, PHQ-8 score and gender of each interview."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from jaxdep.data.builder import Scan
from jaxdep.data.formats import names, numbers, text
from jaxdep.errors import BadFileError, Faults

FILES = {
    "train": "train_split_Depression_AVEC2017.csv",
    "dev": "dev_split_Depression_AVEC2017.csv",
    "test": "full_test_split.csv",
}
PUBLISHED = {"train": 107, "dev": 35, "test": 47}
CUT, HIGHEST = 10, 24
"""PHQ-8 totals of 10 or more are labelled depressed; the maximum is 24."""

_NEEDED = (
    ("Participant_ID", "participant_ID"),
    ("PHQ8_Binary", "PHQ_Binary"),
    ("PHQ8_Score", "PHQ_Score"),
    ("Gender",),
)
"""Columns, each with all its names; those of the test split lack the 8."""

_GENDERS = {"1": "male", "0": "female", "male": "male", "female": "female"}
"""Codes of DAIC-WOZ, and words of E-DAIC."""

_ITEMS = [
    f"PHQ8_{item}"
    for item in (
        "NoInterest",
        "Depressed",
        "Sleep",
        "Tired",
        "Appetite",
        "Failure",
        "Concentrating",
        "Moving",
    )
]


_SCORES = ("phq", "pcl", "ptsd", "depression")
"""What names of columns with scores begin with, in lower case."""


@dataclass(frozen=True)
class Label:
    """Split, labels and gender of an interview, and further columns of its split file."""

    id: str
    split: str
    depressed: int
    score: int
    gender: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def read(
    folder: Path, faults: Faults, warnings: list[str], files: Mapping[str, str] = FILES
) -> dict[str, Label]:
    """Reads the labels of all interviews in the available splits.

    Args:
      folder: folder given by the user.
      faults: receives the faults of the files.
      warnings: receives what was changed.
      files: path of the file of each split, relative to the folder.
    """
    found: dict[str, Label] = {}
    for split, name in files.items():
        if not (folder / name).exists():
            continue
        try:
            rows = list(text.rows(text.read(folder / name, folder)))
        except BadFileError as error:
            faults.add_file(error, name)
            continue
        header = rows[0][1] if rows else []
        if missing := [columns[0] for columns in _NEEDED if not set(columns) & set(header)]:
            faults.add("wrong header", f"{name}:1", f"no column {', '.join(missing)}")
            continue
        for number, row in rows[1:]:
            if not any(row):
                continue
            cells = dict(zip(header, row, strict=False))
            label = _label(cells, split, f"{name}:{number}", faults, warnings)
            if label and label.id in found:
                detail = f"{label.id} is also in {found[label.id].split}"
                faults.add("duplicate id", f"{name}:{number}", detail, label.id)
            elif label:
                found[label.id] = label
    if not found and not faults:
        faults.add("missing file", " or ".join(files.values()), "no split file found")
    return found


def _label(
    cells: Mapping[str, str], split: str, where: str, faults: Faults, warnings: list[str]
) -> Label | None:
    """Parses one row."""
    value = lambda columns: next(filter(None, map(cells.get, columns)), "")
    name, *values, sex = map(value, _NEEDED)
    try:
        binary, score = map(numbers.integer, values)
        gender = _GENDERS[sex.lower()]
        rest = sum(numbers.integer(cells[item]) for item in _ITEMS if cells.get(item))
        if not (name.isascii() and name.isdigit() and binary in (0, 1) and 0 <= score <= HIGHEST):
            raise ValueError
    except (KeyError, ValueError):
        needed = "Participant_ID, PHQ8_Binary (0 or 1), PHQ8_Score (0 to 24), Gender (1 or 0)"
        # A line without an id is left out alone.
        faults.add("unknown label", where, f"expected integers {needed}", name or where)
        return None
    empty = [item for item in _ITEMS if cells.get(item) == ""]
    if empty:
        note = (
            f"the score implies {score - rest}" if len(empty) == 1 else "the score is used as given"
        )
        warnings.append(f"{name}: {', '.join(empty)} is empty; {note}.")
    if binary != (score >= CUT):
        warnings.append(
            f"{name}: labelled {binary} with a score of {score}; changed to {int(score >= CUT)},"
            f" as the threshold is {CUT}."
        )
    further = _further(cells)
    if problem := next(filter(None, map(names.fault_of_text, [*further, *further.values()])), None):
        faults.add("bad attribute", where, f"a column or value of {name} {problem}", name)
        return None
    return Label(name, split, int(score >= CUT), score, gender, further)


def _further(cells: Mapping[str, str]) -> dict[str, str]:
    """Columns of your own, such as the age: those that are no score and that no label needs."""
    own = {"", "id", "subject", *(column for columns in _NEEDED for column in columns)}
    return {
        column: value
        for column, value in cells.items()
        if column not in own and not column.lower().startswith(_SCORES)
    }


def compare(known: Mapping[str, Label], present: set[str], found: Scan) -> None:
    """Reports interviews that have a label only, or a folder only.

    Args:
      known: label of each interview.
      present: interviews that have a folder.
      found: scan that receives the faults and warnings.
    """
    for name in sorted(set(known) - present):
        found.faults.add("missing file", f"{name}_P", item=name)
    if unlabelled := sorted(present - set(known)):
        found.warnings.append(
            f"{len(unlabelled)} interviews have no label: {', '.join(unlabelled[:8])}"
        )


def stratified(labels: Mapping[str, Label], seed: int, faults: Faults) -> dict[str, Label]:
    """Reassigns the interviews to random splits of 8:2, stratified by label."""
    from sklearn.model_selection import train_test_split

    names = sorted(labels)
    classes = [labels[name].depressed for name in names]
    try:
        train, _ = train_test_split(names, test_size=0.2, random_state=seed, stratify=classes)
    except ValueError:
        if names:  # else the missing labels are a fault already
            counts = ", ".join(f"{classes.count(label)} of label {label}" for label in (0, 1))
            faults.add("too few interviews", "split=stratified", counts)
        return dict(labels)
    kept = set(train)
    return {
        name: replace(label, split="train" if name in kept else "test")
        for name, label in labels.items()
    }
