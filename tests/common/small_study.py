"""A small corpus of one's own, written and changed by tests of what is read and refused."""

from typing import Any

import csv_rows
import numpy as np
import pytest

from jaxdep.data import preparation
from jaxdep.errors import UserError

QUIET: dict[str, Any] = {"log": lambda line: None}
WIDTH = 3

DESCRIPTION = """\
name: mine
recordings: recordings.csv
tasks:
  depression: {classes: [normal, depression]}
  phq8: {score: [0, 24]}
modalities:
  acoustic: {files: "acoustic/{id}.npy", rate: 2}
  face: {files: "face/{id}.npy", shape: vector}
"""
COLUMNS = ("id", "subject", "session", "split", "depression", "phq8", "site")
SPLITS = ("train",) * 6 + ("dev",) * 2 + ("test",) * 2


def table(raw, rows, file="recordings.csv"):
    csv_rows.write(raw / file, rows)


def rows_of(raw):
    return csv_rows.read(raw / "recordings.csv")


def change(raw, line, column, value):
    """Changes a cell of the table; line 1 is the first recording."""
    rows = rows_of(raw)
    rows[line][COLUMNS.index(column)] = value
    table(raw, rows)


def describe(raw, old, new):
    text = (raw / "corpus.yaml").read_text()
    assert old in text
    (raw / "corpus.yaml").write_text(text.replace(old, new))


def write(folder):
    """Writes ten recordings: six to train, two to validate, two to test."""
    rng = np.random.default_rng(0)
    for part in ("acoustic", "face"):
        (folder / part).mkdir(parents=True)
    (folder / "corpus.yaml").write_text(DESCRIPTION)
    rows: list[Any] = [COLUMNS]
    for number, split in enumerate(SPLITS):
        name = f"r{number}"
        np.save(folder / "acoustic" / f"{name}.npy", rng.normal(size=(6 + number, WIDTH)))
        np.save(folder / "face" / f"{name}.npy", rng.normal(size=4).astype(np.float32))
        label = ("normal", "depression")[number % 2]
        rows.append((name, f"p{number}", f"s{number}", split, label, number, "Bonn"))
    table(folder, rows)
    return folder


def prepare(raw, tmp_path, **options):
    return preparation.prepare("folder", raw, data_dir=tmp_path / "data", **{**QUIET, **options})


def refused(raw, tmp_path, skip_bad=False):
    with pytest.raises(UserError) as error:
        prepare(raw, tmp_path, skip_bad=skip_bad)
    assert not (tmp_path / "data").exists()
    return str(error.value)
