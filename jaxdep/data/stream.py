"""Streaming of splits that do not fit in memory: Grain reads batches from disk in advance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grain
import numpy as np

from jaxdep.data import arrays

_THREADS, _PREFETCH = 4, 4  # reader threads; prefetched batches
_CHUNK = 64  # recordings in memory while a split is indexed or hashed


@dataclass(frozen=True)
class Stored(arrays.Labelled):
    """A split whose inputs stay on disk; everything else is in memory.

    Attributes:
      name: see `arrays.Split`.
      ids: see `arrays.Split`.
      targets: see `arrays.Split`.
      classes: see `arrays.Split`.
      lengths: padded length L of each sequence.
      frames: number of real frames of each recording, [N], at most L, by sequence.
      features: TFDS features of the corpus.
      source: records of the split, in stored order.
      rows: row of each recording in `source`, [N].
      subjects: see `arrays.Split`.
      attributes: see `arrays.Split`.
      carved_from: see `arrays.Split`.
    """

    name: str
    ids: np.ndarray
    targets: dict[str, np.ndarray]
    classes: dict[str, tuple[str, ...]]
    lengths: Mapping[str, int]
    frames: dict[str, np.ndarray]
    features: Mapping[str, Any]
    source: Any
    rows: np.ndarray
    subjects: np.ndarray
    attributes: dict[str, np.ndarray]
    carved_from: str = ""

    def read(
        self, items: np.ndarray, lengths: Mapping[str, int] | None = None
    ) -> dict[str, np.ndarray]:
        """Reads the inputs of some items.

        Args:
          items: indices of the items, of any shape [...].
          lengths: padded length of each sequence; None for the split's.

        Returns:
          Inputs [..., L, D] by name.
        """
        unique, inverse = np.unique(items, return_inverse=True)
        records = self.source.__getitems__(self.rows[unique].tolist())
        inputs = arrays.inputs_of(self.features, records, lengths or self.lengths)
        inverse = inverse.reshape(items.shape)
        return {name: x[inverse] for name, x in inputs.items()}

    def take(self, rows: np.ndarray, name: str, carved_from: str = "") -> Stored:
        """Returns the split restricted to some rows."""
        kept = ("ids", "targets", "frames", "rows", "subjects", "attributes")
        fields = arrays.rows_of(self, rows, *kept)
        return replace(self, name=name, carved_from=carved_from, **fields)

    def padded(self, lengths: Mapping[str, int]) -> Stored:
        """Returns the split with other padded lengths, at most those that it was opened with."""
        frames = {name: np.minimum(x, lengths[name]) for name, x in self.frames.items()}
        return replace(self, lengths=dict(lengths), frames=frames)

    @property
    def nbytes(self) -> int:
        """Bytes that the padded inputs take in memory, with their masks."""
        each = 0
        for name, feature in self.features.items():
            length, cells = self.lengths.get(name, 0), math.prod(feature.shape[1:])
            if length:
                each += length * (cells * (1 if feature.np_dtype == np.uint8 else 4) + 1)
            elif feature.shape:
                each += 4 * feature.shape[0] * cells
        return each * len(self)

    def load(self) -> arrays.Split:
        """Loads the split into memory."""
        inputs = self.read(np.arange(len(self)))
        known = (self.targets, self.classes, self.subjects, self.attributes, self.carved_from)
        return arrays.Split(self.name, self.ids, inputs, *known)

    @property
    def contents(self) -> np.ndarray:
        """See `arrays.Split.contents`."""
        parts = [
            arrays.contents(self.read(np.arange(start, min(start + _CHUNK, len(self)))))
            for start in range(0, len(self), _CHUNK)
        ]
        return np.concatenate(parts)


def open_split(folder: Path, split: str, lengths: Mapping[str, int]) -> Stored:
    """Opens one split of a prepared corpus, reading everything but the inputs into memory.

    Args:
      folder: see `arrays.load_split`.
      split: see `arrays.load_split`.
      lengths: see `arrays.load_split`.

    Raises:
      UserError: the corpus has no such split.
    """
    features, source = arrays.open_split(folder, split)
    sequences = arrays.sequences_of(features)
    scalars, frames = [], {name: [] for name in sequences}
    for start in range(0, len(source), _CHUNK):
        for record in source.__getitems__(list(range(start, min(start + _CHUNK, len(source))))):
            for name in sequences:
                frames[name].append(len(record[name]))
            scalars.append({k: v for k, v in record.items() if not features[k].shape})
    ids = arrays.ids_of(scalars)
    rows = np.argsort(ids)
    scalars = [scalars[row] for row in rows]
    targets, classes = arrays.targets_of(features, scalars)
    kept = {name: lengths.get(name, 0) or max(frames[name]) for name in sequences}
    real = {name: np.minimum(np.array(frames[name])[rows], kept[name]) for name in sequences}
    stored = (kept, real, features, source, rows)
    return Stored(split, ids[rows], targets, classes, *stored, *arrays.subjects_of(scalars))


@dataclass(frozen=True)
class _Sources:
    """Records of several splits, one after the other.

    Attributes:
      parts: records of each split.
      starts: number of records before each split.
    """

    parts: Sequence[Any]
    starts: np.ndarray

    def __len__(self) -> int:
        return int(self.starts[-1]) + len(self.parts[-1])

    def __getitems__(self, rows: Sequence[int]) -> list[Any]:
        part = np.searchsorted(self.starts, rows, side="right") - 1
        found: list[Any] = [None] * len(rows)
        for each in set(part.tolist()):
            places = np.flatnonzero(part == each).tolist()
            wanted = [int(rows[place] - self.starts[each]) for place in places]
            for place, record in zip(places, self.parts[each].__getitems__(wanted), strict=True):
                found[place] = record
        return found


def join(splits: Sequence[Stored]) -> Stored:
    """Joins splits of one corpus, sorted by id and padded to the longest of their lengths.

    Args:
      splits: one or more splits, opened with the same lengths, if any.

    Returns:
      A split named after all of them, such as `train+test`.
    """
    first = splits[0]
    stack = lambda get: np.concatenate([get(split) for split in splits])
    sources = [split.source for split in splits]
    starts = np.cumsum([0, *(len(source) for source in sources[:-1])])
    names = sorted({name for split in splits for name in split.attributes})
    unknown = lambda split: np.full(len(split), "")
    joined = Stored(
        name="+".join(split.name for split in splits),
        ids=stack(lambda split: split.ids),
        targets={task: stack(lambda split, t=task: split.targets[t]) for task in first.targets},
        classes=first.classes,
        lengths={name: max(split.lengths[name] for split in splits) for name in first.lengths},
        frames={name: stack(lambda split, n=name: split.frames[n]) for name in first.frames},
        features=first.features,
        source=_Sources(sources, starts),
        rows=np.concatenate([x.rows + start for x, start in zip(splits, starts, strict=True)]),
        subjects=stack(lambda split: split.subjects),
        attributes={
            name: stack(lambda split, n=name: split.attributes.get(n, unknown(split)))
            for name in names
        },
    )
    return joined.take(np.argsort(joined.ids), joined.name)


def batches(
    split: Stored, orders: np.ndarray, lengths: Sequence[Mapping[str, int]] = ()
) -> Iterator[dict[str, dict[str, np.ndarray]]]:
    """Reads batches in the given order, with prefetching.

    Args:
      split: split to read from.
      orders: items of each of S batches, [S, ...].
      lengths: padded lengths of each batch, see `Stored.read`; if empty, those of the split.

    Yields:
      S batches `{"inputs": ..., "targets": ...}` of arrays [..., L, D] and [...].
    """

    def batch(step: int) -> dict[str, dict[str, np.ndarray]]:
        targets = {task: target[orders[step]] for task, target in split.targets.items()}
        inputs = split.read(orders[step], lengths[step] if lengths else None)
        return {"inputs": inputs, "targets": targets}

    options = grain.ReadOptions(num_threads=_THREADS, prefetch_buffer_size=_PREFETCH)
    steps = grain.MapDataset.range(len(orders)).map(batch).to_iter_dataset(options)
    iterator = iter(steps)
    try:
        yield from iterator
    finally:
        iterator.close()
