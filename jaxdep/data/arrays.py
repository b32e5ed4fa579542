"""Splits of prepared corpora as padded arrays and masks.

The role of a feature follows from its TFDS type: a tensor of unknown length is a sequence, one of
known length a vector; a class label or a scalar is the target of the task with the same name. Texts
are neither inputs nor targets: they tell who was recorded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.errors import UserError


class Labelled:
    """Ids, subjects and targets of a split whose inputs are in memory or on disk."""

    name: str
    ids: np.ndarray
    targets: dict[str, np.ndarray]
    subjects: np.ndarray
    attributes: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def digest(self) -> str:
        """Hash of the ids, subjects and targets, which identifies the split."""
        texts = "\0".join("\n".join(names.tolist()) for names in (self.ids, self.subjects))
        sha = hashlib.sha256(texts.encode())
        for task in sorted(self.targets):
            sha.update(task.encode() + np.ascontiguousarray(self.targets[task]).tobytes())
        return sha.hexdigest()


@dataclass(frozen=True)
class Split(Labelled):
    """Recordings of a split, padded to common lengths.

    Attributes:
      name: name of the split in its corpus.
      ids: ids of the recordings, [N], sorted so that the order is independent of the storage.
      inputs: sequences [N, L, D] with masks `<name>_mask` [N, L] (true for real frames), and
        vectors [N, D]; float32, or uint8 for images.
      targets: int32 classes or float32 scores, [N], by task.
      classes: class names of each classification task.
      subjects: ids of the recorded subjects, [N]; where unknown, the recording's own id.
      attributes: what else is known about the recordings, as texts [N] by name, such as `gender`;
        empty where unknown.
      carved_from: name of the split that this one was carved from; empty otherwise.
    """

    name: str
    ids: np.ndarray
    inputs: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]
    classes: dict[str, tuple[str, ...]]
    subjects: np.ndarray
    attributes: dict[str, np.ndarray]
    carved_from: str = ""

    @property
    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """Inputs and targets, as they are transferred to the device."""
        return {"inputs": self.inputs, "targets": self.targets}

    @property
    def lengths(self) -> dict[str, int]:
        """Padded length L of each sequence."""
        return {name: x.shape[1] for name, x in self.inputs.items() if x.ndim == 3}

    @property
    def contents(self) -> np.ndarray:
        """Hash of the inputs of each recording, [N]."""
        return contents(self.inputs)

    def take(self, rows: np.ndarray, name: str, carved_from: str = "") -> Split:
        """Returns the split restricted to some rows."""
        fields = rows_of(self, rows, "ids", "inputs", "targets", "subjects", "attributes")
        return replace(self, name=name, carved_from=carved_from, **fields)


def rows_of(split: Any, rows: np.ndarray, *fields: str) -> dict[str, Any]:
    """Some rows of fields that hold arrays [N, ...], or such arrays by name."""
    found = {}
    for field in fields:
        value = getattr(split, field)
        of_names = isinstance(value, dict)
        found[field] = {name: x[rows] for name, x in value.items()} if of_names else value[rows]
    return found


def load_split(folder: Path, split: str, lengths: Mapping[str, int]) -> Split:
    """Reads one split of a prepared corpus into memory.

    Args:
      folder: folder of the prepared corpus, from `preparation.prepare`.
      split: name of the split.
      lengths: padded length of each sequence; defaults to the longest of the split.

    Raises:
      UserError: the corpus has no such split.
    """
    features, source = open_split(folder, split)
    records = sorted(source, key=lambda record: record["id"])
    targets, classes = targets_of(features, records)
    inputs = inputs_of(features, records, lengths)
    ids = ids_of(records)
    return Split(split, ids, inputs, targets, classes, *subjects_of(records))


def open_split(folder: Path, split: str) -> tuple[Mapping[str, Any], Any]:
    """Opens one split of a prepared corpus.

    Returns:
      The TFDS features of the corpus, and the records of the split on disk.

    Raises:
      UserError: the corpus has no such split, or was prepared by an earlier version.
    """
    import tensorflow_datasets as tfds

    builder: Any = tfds.builder_from_directory(str(folder))
    if "subject" not in builder.info.features:
        raise UserError(
            f"{folder} was prepared by an earlier version of jaxdep, which stored no subjects:"
            " prepare the corpus again, and train again on what is prepared"
        )
    if split not in builder.info.splits:
        raise UserError(
            f"{folder} has no split {split!r}: choose one of {', '.join(builder.info.splits)}"
        )
    return builder.info.features, builder.as_data_source(split=split)


def ids_of(records: list[Mapping[str, Any]]) -> np.ndarray:
    """Ids of records, [N]."""
    return np.asarray([record["id"].decode() for record in records])


def subjects_of(
    records: list[Mapping[str, Any]],
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Stacks what is known of who was recorded; returns `subjects` and `attributes` of `Split`."""
    subjects = [(record["subject"] or record["id"]).decode() for record in records]
    known = [json.loads(record["attributes"]) for record in records]
    names = sorted({name for each in known for name in each})
    attributes = {name: np.asarray([each.get(name, "") for each in known]) for name in names}
    return np.asarray(subjects), attributes


def sequences_of(features: Mapping[str, Any]) -> list[str]:
    """Names of the features that are sequences [T, D]."""
    return [name for name, feature in features.items() if feature.shape[:1] == (None,)]


def inputs_of(
    features: Mapping[str, Any], records: list[Mapping[str, Any]], lengths: Mapping[str, int]
) -> dict[str, np.ndarray]:
    """Stacks the inputs of records as in `Split.inputs`; for `lengths` see `load_split`."""
    inputs = {}
    for name, feature in features.items():
        if not feature.shape:
            continue
        values = [record[name] for record in records]
        if feature.shape[0] is None:
            inputs[name], inputs[f"{name}_mask"] = pad(values, lengths.get(name, 0))
        else:
            inputs[name] = np.stack(values).astype(np.float32)
    return inputs


def targets_of(
    features: Mapping[str, Any], records: list[Mapping[str, Any]]
) -> tuple[dict[str, np.ndarray], dict[str, tuple[str, ...]]]:
    """Stacks the targets of records; returns `targets` and `classes` of `Split`."""
    import tensorflow_datasets as tfds

    targets, classes = {}, {}
    for name, feature in features.items():
        if isinstance(feature, tfds.features.Text) or feature.shape:
            continue
        values = [record[name] for record in records]
        if isinstance(feature, tfds.features.ClassLabel):
            targets[name] = np.asarray(values, np.int32)
            classes[name] = tuple(feature.names)
        else:
            targets[name] = np.asarray(values, np.float32)
    return targets, classes


def splits_of(folder: Path) -> list[str]:
    """Names of the splits of a prepared corpus."""
    import tensorflow_datasets as tfds

    return list(tfds.builder_from_directory(str(folder)).info.splits)


def pad(sequences: list[np.ndarray], length: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pads sequences [T_i, D] with zeros, or truncates them, to a common length L.

    For lengths 1 and 3 padded to 2:  [[a], [b, c, d]] -> [[a, 0], [b, c]], [[1, 0], [1, 1]].

    Args:
      sequences: one or more sequences with the same D.
      length: padded length L; 0 for the longest sequence.

    Returns:
      The padded array [N, L, D] (uint8 stays uint8, other integers become int32, all else float32)
      and its mask [N, L].
    """
    length = length or max(len(sequence) for sequence in sequences)
    dtype = sequences[0].dtype
    if dtype != np.uint8:
        dtype = np.int32 if np.issubdtype(dtype, np.integer) else np.float32
    padded = np.zeros((len(sequences), length, *sequences[0].shape[1:]), dtype)
    mask = np.zeros((len(sequences), length), bool)
    for row, sequence in enumerate(sequences):
        kept = min(len(sequence), length)
        padded[row, :kept] = sequence[:kept]
        mask[row, :kept] = True
    return padded, mask


def contents(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Hashes each item of arrays [N, ...]; equal items have equal hashes, [N] strings."""
    hashes = []
    for row in range(len(next(iter(inputs.values())))):
        sha = hashlib.blake2b(digest_size=8)
        for name in sorted(inputs):
            sha.update(np.ascontiguousarray(inputs[name][row]).tobytes())
        hashes.append(sha.hexdigest())
    return np.asarray(hashes)


def groups(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Groups items that have either key in common, directly or through other items.

    For contents `[1, 2, 2, 3]` and subjects `[p, p, q, r]`: `[1, 1, 1, 3]`.

    Args:
      first: keys of one kind, [N].
      second: keys of another kind, [N].

    Returns:
      The smallest of the first keys in each item's group, [N].
    """
    from scipy.sparse import coo_array, csgraph

    keys, one = np.unique(first, return_inverse=True)
    _, other = np.unique(second, return_inverse=True)
    nodes = len(keys) + int(other.max()) + 1
    graph = coo_array((np.ones(len(one)), (one, len(keys) + other)), (nodes, nodes))
    _, group = csgraph.connected_components(graph, directed=False)
    # Keys are sorted, so the first of a group is its smallest.
    _, smallest, code = np.unique(group[: len(keys)], return_index=True, return_inverse=True)
    return keys[smallest][code][one]


def carve(split: Any, fraction: float, task: str) -> tuple[Any, Any]:
    """Carves a validation split from a training split, identically in every run.

    All recordings of a subject go to the same part, and so do recordings with the same content: the
    validation split holds neither a person nor a duplicate of the training split.

    Args:
      split: training split, in memory or on disk.
      fraction: share of the validation split, in (0, 0.5].
      task: task to stratify by, if it is a classification task.

    Returns:
      The remaining training split, and the validation split.

    Raises:
      UserError: the split has too few recordings or subjects.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    folds = StratifiedGroupKFold if task in split.classes else GroupKFold
    parts = max(2, round(1 / fraction))
    together = groups(split.contents, split.subjects)
    if parts > (count := len(np.unique(together))):
        raise UserError(
            f"corpus.carve={fraction}: {split.name} has {len(split)} recordings in {count} groups"
            " that share a subject or their content, too few to carve off this part for validation;"
            " increase corpus.carve"
        )
    cut = folds(n_splits=parts, shuffle=True, random_state=0)
    rest, part = next(cut.split(split.ids, split.targets[task], together))
    left = split.take(np.sort(rest), split.name)
    return left, split.take(np.sort(part), f"{split.name}-validation", carved_from=split.name)
