"""Input pipeline of an experiment: prepares and opens its corpus, and completes its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdep.data import preparation
from jaxdep.data.opening import OpenCorpus, Splits, open_corpus
from jaxdep.data.sampling import steps_per_epoch
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.losses import LOSSES, OF_CLASSES
from jaxdep.plain import gib
from jaxdep.runner import across
from jaxdep.runner.options import Log, RunOptions
from jaxdep.train import host_memory, hosts

_SHARE = 0.5
"""Share of the free memory for recordings; the rest is for the programs."""

_SURELY_FITS = 0.02
"""Share of the free memory that recordings on disk may take, so that their copies in memory, padded
to the longest one, need not be counted."""


@dataclass(frozen=True)
class PreparedExperiment:
    """An experiment and its data.

    Attributes:
      experiment: experiment with all settings that depend on its data: the options that its corpus
        was prepared with, and class weights.
      data: its corpus, prepared and opened.
    """

    experiment: Experiment
    data: OpenCorpus


def open_experiment(
    experiment: Experiment,
    options: RunOptions,
    log: Log,
    *,
    stream: bool = False,
    may_stream: bool = False,
) -> PreparedExperiment:
    """Prepares and opens the corpus of an experiment, or its synthetic stand-in if none is given.

    Args:
      experiment: experiment to prepare.
      options: data options of the run.
      log: callback for messages.
      stream: leave the recordings on disk.
      may_stream: leave them there if they do not fit in memory.

    Raises:
      UserError: the input is invalid; nothing was written.
    """
    experiment = across.experiment(experiment, options)
    folders = across.folders(experiment.corpus, options.manual_dir)
    prepare = partial(
        preparation.prepare_or_synthesize,
        data_dir=options.data_dir,
        skip_bad=options.skip_bad,
        signal=options.signal,
        log=log,
    )
    with hosts.first_then_others("prepared"):
        folder, elsewhere = prepare(experiment.corpus, folders[0]), None
        if other := across.tested(experiment.corpus, folder):
            elsewhere = prepare(other, folders[1])
    opened = partial(
        open_corpus,
        folder,
        experiment.corpus,
        experiment.labels,
        balanced=experiment.training.balanced,
        elsewhere=elsewhere,
        inputs=across.inputs(experiment),
    )
    if not stream and (needed := _too_much(folder, opened)):
        stream = may_stream
        what = "they are read from disk during training" if stream else "this may be too much"
        log(f"{'' if stream else 'warning: '}the recordings take {needed}: {what}")
    data = opened(stream=stream)
    if elsewhere:
        for warning in data.description["warnings"][-1:]:
            log(f"warning: {warning}")
    log(data.summary)
    _check(experiment, data.splits)
    return PreparedExperiment(completed(experiment, data), data)


def _too_much(folder: Path, opened: Callable[..., OpenCorpus]) -> str:
    """What recordings in memory would take, if that is too much; empty if they fit."""
    free = host_memory.available()
    on_disk = sum(path.stat().st_size for path in folder.glob("*.array_record*"))
    if on_disk < _SURELY_FITS * free:  # spares reading everything twice
        return ""
    splits = opened(stream=True).splits
    on_cpu = jax.default_backend() == "cpu"
    copies = {role: on_cpu * jax.local_device_count() * (role != "test") for role in splits}
    needed = sum(split.nbytes * (1 + copies[role]) for role, split in splits.items())
    return "" if needed < _SHARE * free else f"about {gib(needed)} of {gib(free)} of memory"


def _check(experiment: Experiment, splits: Splits) -> None:
    """Checks that the losses fit the labels, and that there are batches for all buckets."""
    train, training = splits["train"], experiment.training
    for name, task in experiment.tasks.items():
        if (task.loss in OF_CLASSES) != (name in train.classes):
            kind, other = ("classes", "scores") if name in train.classes else ("scores", "classes")
            fitting = [loss for loss in LOSSES if (loss in OF_CLASSES) == (name in train.classes)]
            raise UserError(
                f"tasks.{name}.loss={task.loss} is a loss of {other}, but {experiment.labels[name]}"
                f" of {experiment.corpus.name} has {kind}; choose from {', '.join(fitting)}"
            )
    steps = steps_per_epoch(len(train), training.batch_size)
    if training.buckets > steps:
        raise UserError(
            f"training.buckets={training.buckets}: there are only {steps} batches per epoch"
        )


def completed(experiment: Experiment, data: OpenCorpus) -> Experiment:
    """The experiment with the options of its prepared corpus and the weights of its classes."""
    corpus = replace(experiment.corpus, options=data.options)
    return with_class_weights(replace(experiment, corpus=corpus), data.splits)


def with_class_weights(experiment: Experiment, splits: Mapping[str, Any]) -> Experiment:
    """Sets the class weights of balanced tasks from the class counts of the training split.

    A class with N_c of N recordings has weight N / N_c (SMFL, formulas 1 and 2).
    """
    train, tasks = splits["train"], dict(experiment.tasks)
    for name, task in experiment.tasks.items():
        if task.balanced and name in train.classes:
            counts = np.bincount(train.targets[name], minlength=len(train.classes[name]))
            weights = tuple(float(len(train) / max(count, 1)) for count in counts)
            tasks[name] = replace(task, options={**task.options, "class_weights": weights})
    return replace(experiment, tasks=tasks)
