"""A split of a prepared corpus as padded arrays and masks.

The features of a corpus describe themselves: a tensor of unknown length is a sequence, one of
known length a vector; a class label or a scalar is the target of the task that it is named after.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.errors import UserError


class Labelled:
    """What recordings have that are in memory or on disk: ids, targets, a digest."""

    name: str
    ids: np.ndarray
    targets: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def digest(self) -> str:
        """Hash of the ids and targets: two equal digests are the same split."""
        sha = hashlib.sha256("\n".join(self.ids.tolist()).encode())
        for task in sorted(self.targets):
            sha.update(task.encode() + np.ascontiguousarray(self.targets[task]).tobytes())
        return sha.hexdigest()


@dataclass(frozen=True)
class Split(Labelled):
    """Some recordings, padded to common lengths.

    Attributes:
      name: the split's name in its corpus.
      ids: [N], sorted, so that their order does not depend on how they were stored.
      inputs: sequences [N, L, D] with `<name>_mask` [N, L] (true where a frame is real), and
        vectors [N, D]; float32, and pictures as bytes.
      targets: for each task [N], int32 classes or float32 scores.
      classes: for each classification task the names of its classes.
      carved_from: the split that this one was carved from, if it was.
    """

    name: str
    ids: np.ndarray
    inputs: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]
    classes: dict[str, tuple[str, ...]]
    carved_from: str = ""

    @property
    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """What goes to the device."""
        return {"inputs": self.inputs, "targets": self.targets}

    @property
    def lengths(self) -> dict[str, int]:
        """L of each sequence."""
        return {name: x.shape[1] for name, x in self.inputs.items() if x.ndim == 3}

    @property
    def contents(self) -> np.ndarray:
        """[N], equal where the inputs are equal."""
        return contents(self.inputs)

    def take(self, rows: np.ndarray, name: str, carved_from: str = "") -> Split:
        """The split with only these rows."""
        pick = lambda arrays: {key: array[rows] for key, array in arrays.items()}
        targets = pick(self.targets)
        return Split(name, self.ids[rows], pick(self.inputs), targets, self.classes, carved_from)


def load_split(folder: Path, split: str, lengths: Mapping[str, int]) -> Split:
    """Reads one split of a prepared corpus into memory.

    Args:
      folder: what `corpora.prepare` returned.
      split: a split of the corpus.
      lengths: frames kept of each sequence; one that is not named keeps this split's longest.

    Raises:
      UserError: the corpus has no such split.
    """
    features, source = open_split(folder, split)
    records = sorted(source, key=lambda record: record["id"])
    targets, classes = targets_of(features, records)
    ids = np.asarray([record["id"].decode() for record in records])
    return Split(split, ids, inputs_of(features, records, lengths), targets, classes)


def open_split(folder: Path, split: str) -> tuple[Mapping[str, Any], Any]:
    """The features of a prepared corpus, and one of its splits as records on disk.

    Raises:
      UserError: the corpus has no such split.
    """
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(str(folder))
    if split not in builder.info.splits:
        raise UserError(f"{folder}: no split {split!r}; it has {', '.join(builder.info.splits)}")
    return builder.info.features, builder.as_data_source(split=split)


def sequences_of(features: Mapping[str, Any]) -> list[str]:
    """Names of the features that are sequences [T, D]."""
    return [name for name, feature in features.items() if feature.shape[:1] == (None,)]


def inputs_of(
    features: Mapping[str, Any], records: list[Mapping[str, Any]], lengths: Mapping[str, int]
) -> dict[str, np.ndarray]:
    """The inputs of records, as `Split.inputs`; `lengths` as in `load_split`."""
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
    """The targets of records and the names of their classes, as in `Split`."""
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
    """Pads sequences [T_i, D] with zeros to one length and cuts what is longer.

    For lengths 1 and 3 padded to 2:  [[a], [b, c, d]] -> [[a, 0], [b, c]], [[1, 0], [1, 1]].

    Args:
      sequences: at least one; equal D.
      length: 0 for the longest of them.

    Returns:
      [N, L, D], bytes as bytes, other whole numbers int32, else float32; and its mask [N, L].
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
    """A hash of each item of arrays [N, ...]: [N] texts, equal where the items are equal."""
    hashes = []
    for row in range(len(next(iter(inputs.values())))):
        sha = hashlib.blake2b(digest_size=8)
        for name in sorted(inputs):
            sha.update(np.ascontiguousarray(inputs[name][row]).tobytes())
        hashes.append(sha.hexdigest())
    return np.asarray(hashes)


def carve(split: Any, fraction: float, task: str) -> tuple[Any, Any]:
    """Cuts a validation part from a training split, the same for every run.

    Recordings with the same content stay together: what was learned by heart must not choose.

    Args:
      split: the training split, in memory or on disk.
      fraction: share to cut, in (0, 0.5].
      task: the class label that both parts keep the proportions of.

    Returns:
      What is left, and the part.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    folds = StratifiedGroupKFold if task in split.classes else GroupKFold
    cut = folds(n_splits=max(2, round(1 / fraction)), shuffle=True, random_state=0)
    rest, part = next(cut.split(split.ids, split.targets[task], split.contents))
    left = split.take(np.sort(rest), split.name)
    return left, split.take(np.sort(part), f"{split.name}-validation", carved_from=split.name)
