"""Reads and validates a corpus of one's own."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from jaxdep.data import checks, corpus_file, functionals
from jaxdep.data.builder import Item, Scan
from jaxdep.data.corpus_file import SENTENCES, SPLITS, Description
from jaxdep.datasets.folder import features, recordings, splits
from jaxdep.datasets.folder.recordings import Row
from jaxdep.errors import Faults


def scan(folder: Path, file: str) -> Scan:
    """Reads every file of the corpus once.

    Args:
      folder: folder of the corpus.
      file: name of the file in it that describes the corpus.
    """
    description = corpus_file.read(folder / file)
    found = Scan(label_source=description.label_source)
    rows = recordings.read(folder, description, found.faults)
    recordings.shared_subjects(rows, description, found.faults, found.warnings)
    shapes: dict[str, dict[str, tuple[int, ...]]] = {}
    contents: dict[str, str] = {}
    for row in rows:
        if arrays := features.read(folder, description, row.id, found.faults):
            shapes[row.id] = {name: array.shape for name, array in arrays.items()}
            contents[row.id] = _content(arrays)
    widths = _widths(description, shapes, found.faults)
    by_id = _splits(rows, contents, description, found)
    for row in rows:
        load = lambda row=row: {
            **(features.read(folder, description, row.id, Faults()) or {}),
            **row.labels,
        }
        known = {"subject": row.subject, "session": row.session, "attributes": row.attributes}
        found.items.append(Item(row.id, by_id[row.id], load, **known))
    pairs = [(content, by_id[name]) for name, content in contents.items()]
    if repeated := checks.subjects_in_two_splits(pairs):
        found.warnings.append(f"{len(repeated)} recordings have the same content in two splits.")
    if not all(row.subject for row in rows):
        found.warnings.append(
            "Some recordings have no subject: people who are in two splits cannot be detected."
        )
    found.features = _features(description, widths)
    found.card = _card(rows, by_id, shapes, description)
    return found


def _content(arrays: features.Arrays) -> str:
    sha = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        sha.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return sha.hexdigest()


def _widths(
    description: Description, shapes: dict[str, dict[str, tuple[int, ...]]], faults: Faults
) -> dict[str, int]:
    """Number of features of each modality that most files have; others are faults."""
    widths: dict[str, int] = {}
    for modality, each in description.modalities.items():
        by_width: dict[int, list[str]] = defaultdict(list)
        for name, found in shapes.items():
            by_width[found[modality][-1]].append(name)
        if not by_width:
            widths[modality] = each.width or 1
            continue
        widths[modality] = usual = max(by_width, key=lambda width: len(by_width[width]))
        for width in by_width.keys() - {usual}:
            for name in by_width[width]:
                where = each.files.replace(corpus_file.ID, name)
                detail = f"{width} features; {len(by_width[usual])} files have {usual}"
                faults.add("wrong width", where, detail, name)
    return widths


def _splits(
    rows: list[Row], contents: dict[str, str], description: Description, found: Scan
) -> dict[str, str]:
    """Split of each recording: that of the table, or one that is made and written down."""
    if not rows or rows[0].split:
        return {row.id: row.split for row in rows}
    how = description.splits
    task = how.stratify or next(iter(description.tasks))
    try:
        chosen = splits.divide(
            [row.subject or row.session or row.id for row in rows],
            [contents.get(row.id, row.id) for row in rows],
            np.asarray([row.labels[task] for row in rows]),
            how.fractions,
            how.seed,
        )
    except ValueError as error:
        found.faults.add("too few subjects", description.recordings, str(error))
        return {row.id: "train" for row in rows}
    by_id = dict(zip((row.id for row in rows), chosen, strict=True))
    found.texts[splits.FILE] = splits.table([(r.id, r.subject, by_id[r.id]) for r in rows])
    found.warnings.append(
        f"The table has no column split: made by subject, stratified by {task}, from seed"
        f" {how.seed}, and written to {splits.FILE} of the prepared corpus."
    )
    return by_id


def _features(description: Description, widths: dict[str, int]) -> dict[str, Any]:
    """TFDS features of the corpus."""
    sequence = lambda width, dtype: tfds.features.Tensor(
        shape=(None, width), dtype=dtype, encoding="bytes"
    )
    vector = lambda width: tfds.features.Tensor(shape=(width,), dtype=np.float32)
    found: dict[str, Any] = {}
    for name, modality in description.modalities.items():
        width = widths[name]
        found[name] = vector(width) if modality.shape == "vector" else sequence(width, np.float32)
        if modality.normalize != "none":
            found[name + functionals.SUFFIX] = vector(len(functionals.FUNCTIONALS) * width)
    if description.sentences is not None:
        found[SENTENCES] = sequence(6, np.int32)
    for name, task in description.tasks.items():
        scores = task.score is not None
        found[name] = (
            tfds.features.Scalar(np.float32)
            if scores
            else tfds.features.ClassLabel(names=list(task.names.values()))
        )
    return found


def _card(
    rows: list[Row],
    by_id: dict[str, str],
    shapes: dict[str, dict[str, tuple[int, ...]]],
    description: Description,
) -> dict[str, Any]:
    """Name of the corpus, labels of each split, and sizes of the features."""
    of = {split: [row for row in rows if by_id[row.id] == split] for split in SPLITS}
    labels = {
        split: {
            "recordings": len(of[split]),
            **{task: _summary(task, of[split], description) for task in description.tasks},
        }
        for split in SPLITS
        if of[split]
    }
    sizes = {}
    for name, modality in description.modalities.items():
        found = [shape[name] for shape in shapes.values()]
        if not found:
            continue
        width = found[0][-1]
        if modality.shape == "vector":
            sizes[name] = f"{width} features"
            continue
        lengths = [shape[0] for shape in found]
        rate = f" at {rate:g} a second" if (rate := description.rate(name)) else ""
        sizes[name] = (
            f"{width} features; rows{rate}: {min(lengths)} to {max(lengths)},"
            f" median {np.median(lengths):g}"
        )
    return {"corpus": description.name, "splits": labels, "features": sizes}


def _summary(task: str, rows: list[Row], description: Description) -> str:
    """Classes of some recordings with their numbers, or mean and range of their scores."""
    values = [row.labels[task] for row in rows]
    if description.tasks[task].score is None:
        return ", ".join(f"{number} {name}" for name, number in sorted(Counter(values).items()))
    scores = np.asarray(values, float)
    return f"mean {scores.mean():.2f}, from {scores.min():g} to {scores.max():g}"
