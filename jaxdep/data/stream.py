"""Corpora that do not fit in memory: recordings read from disk ahead of the steps, by Grain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grain
import numpy as np

from jaxdep.data import arrays

_THREADS, _AHEAD = 4, 4  # that read; batches that wait
_CHUNK = 64  # recordings in memory while a split is indexed


@dataclass(frozen=True)
class Stored(arrays.Labelled):
    """A split whose inputs stay on disk; ids, targets and lengths are in memory.

    Attributes:
      name: and `ids`, `targets`, `classes`, `carved_from`: as in `arrays.Split`.
      lengths: L of each sequence.
      frames: of each sequence the number of real frames [N], at most L.
      features: of the corpus.
      source: its records, in the order that they are stored in.
      rows: [N], where in `source` each recording lies.
    """

    name: str
    ids: np.ndarray
    targets: dict[str, np.ndarray]
    classes: dict[str, tuple[str, ...]]
    lengths: Mapping[str, int]
    frames: Mapping[str, np.ndarray]
    features: Mapping[str, Any]
    source: Any
    rows: np.ndarray
    carved_from: str = ""

    def read(
        self, items: np.ndarray, lengths: Mapping[str, int] | None = None
    ) -> dict[str, np.ndarray]:
        """The inputs of some items, [..., L, D] for `items` of any shape [...].

        Args:
          lengths: L of each sequence; None: the split's.
        """
        once, places = np.unique(items, return_inverse=True)
        records = self.source.__getitems__(self.rows[once].tolist())
        inputs = arrays.inputs_of(self.features, records, lengths or self.lengths)
        places = places.reshape(items.shape)
        return {name: x[places] for name, x in inputs.items()}

    def take(self, rows: np.ndarray, name: str, carved_from: str = "") -> Stored:
        """The split with only these rows."""
        targets = {task: target[rows] for task, target in self.targets.items()}
        frames = {name: of_each[rows] for name, of_each in self.frames.items()}
        own = {"ids": self.ids[rows], "targets": targets, "frames": frames, "rows": self.rows[rows]}
        return replace(self, name=name, **own, carved_from=carved_from)

    def load(self) -> arrays.Split:
        """The split in memory."""
        inputs = self.read(np.arange(len(self)))
        return arrays.Split(
            self.name, self.ids, inputs, self.targets, self.classes, self.carved_from
        )

    @property
    def contents(self) -> np.ndarray:
        """As `arrays.Split.contents`."""
        parts = [
            arrays.contents(self.read(np.arange(at, min(at + _CHUNK, len(self)))))
            for at in range(0, len(self), _CHUNK)
        ]
        return np.concatenate(parts)


def open_split(folder: Path, split: str, lengths: Mapping[str, int]) -> Stored:
    """Reads through one split of a prepared corpus once and keeps all but its inputs.

    Args:
      folder: and the rest: as in `arrays.load_split`.

    Raises:
      UserError: the corpus has no such split.
    """
    features, source = arrays.open_split(folder, split)
    sequences = arrays.sequences_of(features)
    light, frames = [], {name: [] for name in sequences}
    for at in range(0, len(source), _CHUNK):
        for record in source.__getitems__(list(range(at, min(at + _CHUNK, len(source))))):
            for name in sequences:
                frames[name].append(len(record[name]))
            light.append({k: v for k, v in record.items() if not features[k].shape})
    ids = np.asarray([record["id"].decode() for record in light])
    rows = np.argsort(ids)
    targets, classes = arrays.targets_of(features, [light[row] for row in rows])
    kept = {name: lengths.get(name, 0) or max(frames[name]) for name in sequences}
    real = {name: np.minimum(np.array(frames[name])[rows], kept[name]) for name in sequences}
    return Stored(split, ids[rows], targets, classes, kept, real, features, source, rows)


def batches(
    split: Stored, orders: np.ndarray, lengths: Sequence[Mapping[str, int]] = ()
) -> Iterator[dict[str, dict[str, np.ndarray]]]:
    """Batches read ahead of their use, in the order asked for.

    Args:
      orders: [S, ...], the items of each of S batches.
      lengths: of each batch, as in `Stored.read`; none: the split's.

    Yields:
      S times `{"inputs": ..., "targets": ...}`, arrays [..., L, D] and [...].
    """

    def batch(step: int) -> dict[str, dict[str, np.ndarray]]:
        targets = {task: target[orders[step]] for task, target in split.targets.items()}
        inputs = split.read(orders[step], lengths[step] if lengths else None)
        return {"inputs": inputs, "targets": targets}

    options = grain.ReadOptions(num_threads=_THREADS, prefetch_buffer_size=_AHEAD)
    steps = grain.MapDataset.range(len(orders)).map(batch).to_iter_dataset(options)
    iterator = iter(steps)
    try:
        yield from iterator
    finally:
        iterator.close()
