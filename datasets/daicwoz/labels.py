"""Reads DAIC-WOZ's split files: who belongs to which split, with PHQ-8 score and gender."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from jaxdep.errors import Faults

FILES = {
    "train": "train_split_Depression_AVEC2017.csv",
    "dev": "dev_split_Depression_AVEC2017.csv",
    "test": "full_test_split.csv",
}
PUBLISHED = {"train": 107, "dev": 35, "test": 47}
CUT, HIGHEST = 10, 24
"""PHQ-8 totals from 10 on are labelled depressed; the scale ends at 24."""

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


@dataclass(frozen=True)
class Label:
    """What is known of an interview."""

    id: str
    split: str
    depressed: int
    score: int
    gender: str


def read(folder: Path, faults: Faults, warnings: list[str]) -> dict[str, Label]:
    """The label of each interview of the splits that are there."""
    found: dict[str, Label] = {}
    for split, name in FILES.items():
        if not (folder / name).is_file():
            continue
        text = (folder / name).read_bytes().decode("utf-8-sig", errors="replace")
        reader = csv.DictReader(text.splitlines())
        rows = list(reader)
        for number, row in enumerate(rows, 2):
            cells = {(key or "").strip(): (cell or "").strip() for key, cell in row.items() if key}
            label = _label(cells, split, f"{name}:{number}", faults, warnings)
            if label and label.id in found:
                faults.add(
                    "duplicate id", f"{name}:{number}", f"{label.id} is in {found[label.id].split}"
                )
            elif label:
                found[label.id] = label
    if not found and not faults:
        faults.add("missing file", " or ".join(FILES.values()), "no split at all")
    return found


def _label(
    cells: Mapping[str, str], split: str, where: str, faults: Faults, warnings: list[str]
) -> Label | None:
    """One row; the columns of the test split lack the 8 in their names."""
    name = cells.get("Participant_ID") or cells.get("participant_ID") or ""
    try:
        binary = int(cells.get("PHQ8_Binary") or cells["PHQ_Binary"])
        score = int(cells.get("PHQ8_Score") or cells["PHQ_Score"])
        gender = {"1": "male", "0": "female"}[cells["Gender"]]
        if not (name.isdigit() and binary in (0, 1) and 0 <= score <= HIGHEST):
            raise ValueError
    except (KeyError, ValueError):
        needed = "Participant_ID, PHQ8_Binary (0 or 1), PHQ8_Score (0 to 24), Gender (1 or 0)"
        faults.add("unknown label", where, f"expected {needed}", name)
        return None
    empty = [item for item in _ITEMS if cells.get(item) == ""]
    if empty:
        rest = sum(int(cells[item]) for item in _ITEMS if cells.get(item))
        said = (
            f"it follows from the score: {score - rest}" if len(empty) == 1 else "the score counts"
        )
        warnings.append(f"{name}: {', '.join(empty)} is empty; {said}.")
    if binary != (score >= CUT):
        warnings.append(
            f"{name}: labelled {binary} with a score of {score}; repaired to {int(score >= CUT)},"
            f" as the cut is at {CUT}."
        )
    return Label(name, split, int(score >= CUT), score, gender)


def stratified(labels: Mapping[str, Label], seed: int) -> dict[str, Label]:
    """The labels in splits of 8:2 instead of the official ones, with equal shares of depressed."""
    from sklearn.model_selection import train_test_split

    names = sorted(labels)
    classes = [labels[name].depressed for name in names]
    train, _ = train_test_split(names, test_size=0.2, random_state=seed, stratify=classes)
    kept = set(train)
    return {
        name: replace(label, split="train" if name in kept else "test")
        for name, label in labels.items()
    }
