"""Opens prepared corpora: the splits that an experiment needs, and the description of its data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.artifacts.files import read_json
from jaxdep.data import arrays, corpora, folds
from jaxdep.data.settings import Corpus
from jaxdep.errors import UserError

Splits = Mapping[str, Any]
"""`train`, `validation` and `test`: `arrays.Split` in memory, or `stream.Stored` on disk."""


@dataclass(frozen=True)
class OpenCorpus:
    """A prepared corpus whose splits are open.

    Attributes:
      folder: folder of the prepared corpus.
      description: content of its `corpus.json`.
      splits: opened `train`, `validation` and `test` splits.
    """

    folder: Path
    description: Mapping[str, Any]
    splits: Splits

    @property
    def options(self) -> dict[str, Any]:
        """All options that the corpus was prepared with, given, inherited or default."""
        known = vars(corpora.builder_class(self.description["name"]).OPTIONS)
        return {name: x for name, x in self.description["options"].items() if name in known}

    @property
    def identity(self) -> dict[str, Any]:
        """The content of the corpus and its splits.

        Runs with equal settings, seeds and identities give equal results, wherever the corpus is
        stored.
        """
        return {
            "corpus": self.description["name"],
            "synthetic": self.description["synthetic"] is not None,
            "contents": self.description["contents"],
            "splits": {role: split.digest for role, split in self.splits.items()},
        }

    @property
    def summary(self) -> str:
        """Size and name of each split, in one line."""
        return "; ".join(f"{role}: {len(x)} of {x.name}" for role, x in self.splits.items())


def open_corpus(
    folder: Path,
    corpus: Corpus,
    labels: Mapping[str, str],
    *,
    balanced: bool = False,
    stream: bool = False,
) -> OpenCorpus:
    """Opens the splits of a prepared corpus, padded to the lengths of the training split.

    With `corpus.folds`, these are a fold and parts of the others, padded to the lengths of all
    other folds.

    Args:
      folder: folder of the prepared corpus.
      corpus: data settings of the experiment.
      labels: label of the corpus that each task predicts; the main task comes first.
      balanced: whether the classes of the main task are to be sampled equally often.
      stream: leave the inputs on disk.

    Raises:
      UserError: the corpus lacks a split or the labels of a task, or cannot be cut into folds.
    """
    check = lambda train: _check(train, corpus, labels, balanced)
    main = next(iter(labels.values()))
    if corpus.folds:
        splits = _fold(folder, corpus, main, check, stream)
    else:
        splits = _own_splits(folder, corpus, main, check, stream)
    named = {role: _with_tasks(split, labels) for role, split in splits.items()}
    return OpenCorpus(folder, _description(folder), named)


def _own_splits(
    folder: Path, corpus: Corpus, main: str, check: Callable[[Any], None], stream: bool
) -> Splits:
    """The splits that the corpus itself has."""
    opened = arrays.load_split
    if stream:
        from jaxdep.data.stream import open_split as opened
    available = arrays.splits_of(folder)
    test = next((name for name in corpus.test if name in available), None)
    if test is None:
        raise UserError(
            f"{folder} has no test split; it needs one of the splits {', '.join(corpus.test)}"
        )
    corpus.refuse_second_role(test)
    train = opened(folder, corpus.train, corpus.lengths)
    check(train)
    lengths = train.lengths
    if corpus.validation:
        validation = opened(folder, corpus.validation, lengths)
    else:
        train, validation = arrays.carve(train, corpus.carve, main)
    return {"train": train, "validation": validation, "test": opened(folder, test, lengths)}


def _fold(
    folder: Path, corpus: Corpus, main: str, check: Callable[[Any], None], stream: bool
) -> Splits:
    """A fold of all recordings as test split, and the others as the training split.

    Recordings are read from disk in either case, so that memory holds no second copy of them.
    """
    from jaxdep.data.stream import join, open_split

    available = arrays.splits_of(folder)
    names = [name for name in corpus.sources if name in available or name not in corpus.test]
    pool = join([open_split(folder, name, corpus.lengths) for name in names])
    check(pool)
    rest, test = folds.cut(pool, corpus.folds, corpus.fold, corpus.fold_seed, main)
    check(rest)
    lengths = {
        name: corpus.lengths.get(name, 0) or int(frames.max())
        for name, frames in rest.frames.items()
    }
    train, validation = arrays.carve(rest.padded(lengths), corpus.carve, main)
    splits = {"train": train, "validation": validation, "test": test.padded(lengths)}
    return splits if stream else {role: split.load() for role, split in splits.items()}


def _check(train: Any, corpus: Corpus, labels: Mapping[str, str], balanced: bool) -> None:
    """Checks that the training split has the sequences, labels and classes that are needed."""
    if unknown := sorted(set(corpus.lengths) - set(train.lengths)):
        raise UserError(
            f"corpus.lengths.{unknown[0]}: {corpus.name} has no such sequence; choose from"
            f" {', '.join(train.lengths)}"
        )
    if missing := sorted(set(labels.values()) - set(train.targets)):
        known = ", ".join(sorted(train.targets))
        raise UserError(
            f"{corpus.name} has no labels for {', '.join(missing)}; available labels: {known}"
        )
    for label in labels.values():
        if label in train.classes and len(np.unique(train.targets[label])) < 2:
            raise UserError(f"{train.name} of {corpus.name} has one class of {label} only")
    main = next(iter(labels.values()))
    if balanced and main not in train.classes:
        raise UserError(
            f"training.sampler='balanced' requires classes, but {main} is a regression target;"
            " set training.sampler=shuffled"
        )


def _with_tasks(split: Any, labels: Mapping[str, str]) -> Any:
    """Adds the targets and classes of each task under the name of the task."""
    targets = split.targets | {task: split.targets[label] for task, label in labels.items()}
    classes = split.classes | {
        task: split.classes[label] for task, label in labels.items() if label in split.classes
    }
    return replace(split, targets=targets, classes=classes)


def _description(folder: Path) -> dict[str, Any]:
    return {"sessions": {}, **read_json(folder / "corpus.json")}
