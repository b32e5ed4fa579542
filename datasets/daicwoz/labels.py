"""Reads the split files of DAIC-WOZ: split, PHQ-8 score and gender of each interview."""

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
"""PHQ-8 totals of 10 or more are labelled depressed; the maximum is 24."""

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
    """Split, labels and gender of an interview."""

    id: str
    split: str
    depressed: int
    score: int
    gender: str


def read(folder: Path, faults: Faults, warnings: list[str]) -> dict[str, Label]:
    """Reads the labels of all interviews in the available splits."""
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
                    "duplicate id",
                    f"{name}:{number}",
                    f"{label.id} is also in {found[label.id].split}",
                )
            elif label:
                found[label.id] = label
    if not found and not faults:
        faults.add("missing file", " or ".join(FILES.values()), "no split file found")
    return found


def _label(
    cells: Mapping[str, str], split: str, where: str, faults: Faults, warnings: list[str]
) -> Label | None:
    """Parses one row; column names in the test split lack the 8."""
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
        note = (
            f"the score implies {score - rest}" if len(empty) == 1 else "the score is used as given"
        )
        warnings.append(f"{name}: {', '.join(empty)} is empty; {note}.")
    if binary != (score >= CUT):
        warnings.append(
            f"{name}: labelled {binary} with a score of {score}; changed to {int(score >= CUT)},"
            f" as the threshold is {CUT}."
        )
    return Label(name, split, int(score >= CUT), score, gender)


def stratified(labels: Mapping[str, Label], seed: int) -> dict[str, Label]:
    """Reassigns the interviews to random splits of 8:2, stratified by label."""
    from sklearn.model_selection import train_test_split

    names = sorted(labels)
    classes = [labels[name].depressed for name in names]
    train, _ = train_test_split(names, test_size=0.2, random_state=seed, stratify=classes)
    kept = set(train)
    return {
        name: replace(label, split="train" if name in kept else "test")
        for name, label in labels.items()
    }
