"""Reads labels and splits of LMVD: those of `labels.csv`, or random splits from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from jaxdep.data import subjects
from jaxdep.data.formats import names, text
from jaxdep.errors import BadFileError, Faults

SPLITS = {"train": 0.7, "valid": 0.1, "test": 0.2}
"""Shares of the splits, as a peer draws them: the corpus has no official ones."""

LABELS = ("normal", "depression")
TABLES = ("labels.csv", "lmvd_labels.csv")
"""Names of the table with someone's splits; the first that exists is read."""

COLUMNS = ("index", "label", "fold")
SUFFIX = "_Depression.csv"

_VALUES = {"0": "normal", "1": "depression", **{name: name for name in LABELS}}


@dataclass(frozen=True)
class Label:
    """Label and split of a recording, and further columns; the split is empty until it is drawn."""

    id: str
    label: str
    split: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


def of_files(folder: Path, recorded: set[str], faults: Faults) -> dict[str, Label]:
    """Reads `label/<id>_Depression.csv` of each recording, whose only cell is 0 or 1."""
    found = {}
    for name in sorted(recorded):
        where = f"label/{name}{SUFFIX}"
        try:
            rows = list(text.rows(text.read(folder / where, folder)))
        except BadFileError as error:
            faults.add_file(error, where, name)
            continue
        cells = [cell for _, row in rows for cell in row if cell]
        if len(cells) == 1 and cells[0] in ("0", "1"):
            found[name] = Label(name, _VALUES[cells[0]])
        else:
            content = ", ".join(cells)[:40]
            faults.add("unknown label", where, f"{content!r}; expected one cell, 0 or 1", name)
    return found


def of_table(folder: Path, table: str, faults: Faults) -> dict[str, Label]:
    """Reads a table of labels and splits, `index,label,fold`, and attributes in further columns.

    The ids are texts, not numbers.
    """
    found: dict[str, Label] = {}
    try:
        rows = list(text.rows(text.read(folder / table, folder)))
    except BadFileError as error:
        faults.add_file(error, table)
        return found
    header = rows[0][1] if rows else []
    further = header[len(COLUMNS) :]
    problem = subjects.fault_of_attributes(further, COLUMNS)
    if tuple(header[: len(COLUMNS)]) != COLUMNS or problem:
        faults.add("wrong header", f"{table}:1", problem or f"expected {','.join(COLUMNS)}")
        return found
    for number, cells in rows[1:]:
        where = f"{table}:{number}"
        if not any(cells):
            continue
        item = cells[0] or where  # a line without an id is left out alone
        if len(cells) != len(header):
            detail = f"found {len(cells)}; expected {','.join(header)}"
            faults.add("wrong columns", where, detail, item)
            continue
        name, label, fold, *values = cells
        if problem := names.fault_of(name):
            faults.add("bad id", where, f"{name!r}: {problem}", item)
        elif name in found:
            faults.add("duplicate id", where, f"{name} is also in a line before", name)
        elif label not in _VALUES:
            expected = "0, 1, normal or depression"
            faults.add("unknown label", where, f"{label!r}; expected {expected}", item)
        elif fold not in SPLITS:
            expected = ", ".join(SPLITS)
            faults.add("unknown fold", where, f"{fold!r}; expected one of {expected}", item)
        elif problem := next(filter(None, map(names.fault_of_text, values)), None):
            faults.add("bad attribute", where, f"a value of {name} {problem}", name)
        else:
            attributes = dict(zip(further, values, strict=True))
            found[name] = Label(name, _VALUES[label], fold, attributes)
    if not found and not faults:
        faults.add("no rows", table, f"expected lines of {','.join(COLUMNS)}")
    return found


def agree(
    table: Mapping[str, Label], files: Mapping[str, Label], where: str, faults: Faults
) -> None:
    """Checks that a table has the labels of the corpus's own files."""
    for name, own in files.items():
        if name in table and table[name].label != own.label:
            detail = f"{name} is {table[name].label} here, but {own.label} in label/{name}{SUFFIX}"
            faults.add("labels differ", where, detail, name)


def drawn(labels: Mapping[str, Label], seed: int, faults: Faults) -> dict[str, Label]:
    """Draws the splits, stratified by label; the same seed and ids give the same ones."""
    from sklearn.model_selection import train_test_split

    ids = sorted(labels)
    try:
        classes = {name: labels[name].label for name in ids}
        rest, test = train_test_split(
            ids, test_size=SPLITS["test"], random_state=seed, stratify=list(classes.values())
        )
        train, valid = train_test_split(
            rest,
            test_size=SPLITS["valid"] / (1 - SPLITS["test"]),
            random_state=seed,
            stratify=[classes[name] for name in rest],
        )
    except ValueError:
        if ids:  # else the missing recordings are a fault already
            counts = [sum(labels[name].label == label for name in ids) for label in LABELS]
            found = ", ".join(f"{n} of {label}" for n, label in zip(counts, LABELS, strict=True))
            detail = f"{found}: too few to draw splits of 7:1:2; give them in {TABLES[0]}"
            faults.add("too few recordings", "label", detail)
        return {name: replace(label, split="train") for name, label in labels.items()}
    of = {"train": train, "valid": valid, "test": test}
    return {name: replace(labels[name], split=split) for split in of for name in of[split]}
