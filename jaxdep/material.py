"""What an experiment trains on: its corpus prepared, loaded, split, and described."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.data import arrays, corpora
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment

Splits = dict[str, Any]
"""`train`, `validation` and `test`: `arrays.Split` in memory, or `stream.Stored` on disk."""


def prepare(
    experiment: Experiment,
    manual_dir: str | Path | None,
    *,
    data_dir: str | Path | None = None,
    skip_bad: bool = False,
    signal: float = 1.0,
    log: Callable[[str], None] = print,
) -> Path:
    """The prepared corpus of an experiment; the synthetic stand-in where no files are named.

    Raises:
      UserError: the files are at fault; nothing was written.
    """
    corpus = experiment.corpus
    if manual_dir is None:
        log(f"No --manual-dir: a SYNTHETIC stand-in of {corpus.name} is used.")
        wanted = {**corpus.synthetic, "signal": signal}
        manual_dir = corpora.stand_in(corpus.name, data_dir=data_dir, **wanted)
    elif signal != 1.0:
        raise UserError("--signal is for the synthetic stand-in: leave out --manual-dir")
    return corpora.prepare(
        corpus.name,
        manual_dir,
        data_dir=data_dir,
        skip_bad=skip_bad,
        options=dict(corpus.options),
        inherit=True,
        log=log,
    )


def resolved(experiment: Experiment, prepared: Path) -> Experiment:
    """The experiment with all options that its corpus was prepared with, by whomever named."""
    options = corpora.options_of(prepared)
    return replace(experiment, corpus=replace(experiment.corpus, options=options))


def identity(prepared: Path, splits: Splits) -> dict[str, Any]:
    """What a run is trained on: the content of its corpus, and its splits.

    Runs with equal settings, seeds and identities train alike, wherever the corpus lies.
    """
    corpus = about(prepared)
    return {
        "corpus": corpus["name"],
        "synthetic": corpus["synthetic"] is not None,
        "contents": corpus["contents"],
        "splits": {role: split.digest for role, split in splits.items()},
    }


def load(experiment: Experiment, prepared: Path, streamed: bool = False) -> Splits:
    """The three splits of an experiment, padded to the lengths of its training split.

    Args:
      streamed: leave the inputs on disk.

    Raises:
      UserError: the corpus lacks a split or a task's labels.
    """
    corpus = experiment.corpus
    opened = arrays.load_split
    if streamed:
        from jaxdep.data.stream import open_split as opened
    train = opened(prepared, corpus.train, corpus.lengths)
    lengths = train.lengths
    labels = {name: task.label or name for name, task in experiment.tasks.items()}
    if missing := sorted(set(labels.values()) - set(train.targets)):
        known = ", ".join(sorted(train.targets))
        raise UserError(f"{corpus.name} has no labels for {', '.join(missing)}; it has {known}")
    main = labels[experiment.main_task]
    if experiment.training.sampler == "balanced" and main not in train.classes:
        raise UserError(f"training.sampler='balanced' is by class, and {main} has none")
    there = arrays.splits_of(prepared)
    test = next((name for name in corpus.test if name in there), None)
    if test is None:
        raise UserError(f"{prepared}: none of the splits {', '.join(corpus.test)} to test on")
    if corpus.validation:
        validation = opened(prepared, corpus.validation, lengths)
    else:
        train, validation = arrays.carve(train, corpus.carve, main)
    held_out = opened(prepared, test, lengths)
    splits = {"train": train, "validation": validation, "test": held_out}
    return {role: _named(split, labels) for role, split in splits.items()}


def _named(split: Any, labels: Mapping[str, str]) -> Any:
    """The split with the label of each task under the task's name, too."""
    targets = split.targets | {task: split.targets[label] for task, label in labels.items()}
    classes = split.classes | {
        task: split.classes[label] for task, label in labels.items() if label in split.classes
    }
    return replace(split, targets=targets, classes=classes)


def weighed(experiment: Experiment, splits: Splits) -> Experiment:
    """The experiment with the class weights that its balanced tasks take from the training split.

    A class of N_c among N recordings weighs N / N_c (SMFL, formulas 1 and 2).
    """
    train, tasks = splits["train"], dict(experiment.tasks)
    for name, task in experiment.tasks.items():
        if task.balanced and name in train.classes:
            counts = np.bincount(train.targets[name], minlength=len(train.classes[name]))
            weights = tuple(float(len(train) / max(count, 1)) for count in counts)
            tasks[name] = replace(task, options={**task.options, "class_weights": weights})
    return replace(experiment, tasks=tasks)


def about(prepared: Path) -> dict[str, Any]:
    """What a prepared corpus says of itself."""
    return {"sessions": {}, **json.loads((prepared / "corpus.json").read_text())}


def describe(experiment: Experiment, prepared: Path, splits: Splits) -> dict[str, Any]:
    """What `meta.json` says of the corpus, its splits and the selection."""
    corpus = about(prepared)
    return {
        "experiment": experiment.name,
        "title": experiment.title,
        "hash": experiment.digest,
        "corpus": {
            "name": experiment.corpus.name,
            "synthetic": corpus["synthetic"] is not None,
            "synthetic_truth": corpus["synthetic"],
            "warnings": corpus["warnings"],
            "skipped": corpus["skipped"],
            "label_source": corpus["label_source"],
            "sessions": corpus["sessions"],
            "words": corpus["card"].get("words", []),
        },
        "splits": {role: describe_split(split) for role, split in splits.items()},
        "classes": {task: list(names) for task, names in splits["train"].classes.items()},
        "selection": _selection(experiment),
    }


def describe_split(split: Any) -> dict[str, Any]:
    """Name, size and hash of a split, so that no result floats free of it."""
    return {
        "name": split.name,
        "items": len(split),
        "hash": split.digest,
        "carved_from": split.carved_from or None,
    }


def _selection(experiment: Experiment) -> str:
    if experiment.is_baseline:
        return "lowest validation loss over the penalties tried"
    training = experiment.training
    best = "highest" if training.higher_is_better else "lowest"
    return f"{best} validation {training.monitor}; weights of the best epoch restored"
