"""Evaluates finished runs on other splits, and writes what was evaluated as a run of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdep.artifacts import schema, writer
from jaxdep.artifacts.run_dir import History, RunDir
from jaxdep.artifacts.schema import Meta, SplitEntries
from jaxdep.data.opening import OpenCorpus, Splits, open_corpus
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.inference import learned
from jaxdep.inference.model import read_run
from jaxdep.runner import across, reporting
from jaxdep.runner.options import Log
from jaxdep.train import devices as device_layout


def evaluate(folder: str | Path, *, split: str = "test", log: Log = print) -> reporting.Result:
    """Evaluates the best weights of a finished run on another split of the corpus.

    Args:
      folder: run directory.
      split: `train`, `validation` or `test`, as used by the run.
      log: callback for messages.

    Returns:
      The folder `evaluate-<split>` inside the run directory, and its results.

    Raises:
      UserError: the folder is not a run directory, or the split does not exist.
    """
    device_layout.start()
    source = RunDir.at(Path(folder))
    config, meta, experiment, weights, splits = restore(source)
    chosen = split_of(splits, split)
    log(f"{split}: {len(chosen)} of {chosen.name}")
    predict = learned.predictor(experiment, weights, config)
    evaluated = {"validation": splits["validation"], "test": chosen}
    with jax.default_matmul_precision(experiment.training.precision):
        outputs = {role: predict(each.arrays) for role, each in evaluated.items()}
    target = source.subdirectory(f"evaluate-{split}")
    write_evaluated(source, target, config, meta, outputs, evaluated)
    return reporting.write_report(target)


def restore(source: RunDir) -> tuple[dict[str, Any], Meta, Experiment, Any, Splits]:
    """Restores configuration, metadata, experiment, best weights [S, ...] and splits of a run.

    Raises:
      UserError: the folder is not the directory of a trained run.
    """
    config, meta, experiment = read_run(source)
    splits = open_again(source, experiment).splits
    example = splits["train"].arrays
    seeds = [run["seed"] for run in meta["runs"]]
    weights = learned.restore(source, experiment, seeds, example)
    return config, meta, experiment, weights, splits


def open_again(source: RunDir, experiment: Experiment) -> OpenCorpus:
    """Opens the prepared corpus that a run was begun with."""
    stored = source.read(source.environment)
    other = stored.get("tested_corpus")
    return open_corpus(
        Path(stored["prepared_corpus"]),
        experiment.corpus,
        experiment.labels,
        balanced=experiment.training.balanced,
        elsewhere=Path(other) if other else None,
        inputs=across.inputs(experiment),
    )


def split_of(splits: Splits, name: str) -> Any:
    """The split with this role in a run.

    Raises:
      UserError: there is no such split.
    """
    if name not in splits:
        raise UserError(f"--split {name}: unknown split; choose from {', '.join(splits)}")
    return splits[name]


def write_evaluated(
    source: RunDir,
    target: RunDir,
    config: Mapping[str, Any],
    meta: Meta,
    outputs: Mapping[str, Mapping[str, np.ndarray]],
    evaluated: Splits,
) -> None:
    """Writes outputs of a finished run into a folder that is read as a run directory of its own.

    Args:
      source: directory of the run.
      target: folder to write to.
      config: content of the folder's `config.json`.
      meta: content of its `meta.json`; its test split is replaced by the evaluated one.
      outputs: for `test` and optionally `validation`, the logits [R, N, C] or regression scores
        [R, N] of each task.
      evaluated: splits of the N recordings, by the same names.
    """
    writer.begin(target, config, source.read(source.environment))
    History(target.metrics).add(0, schema.read_history(source.metrics))
    entries: SplitEntries = {
        **meta["splits"],
        "test": reporting.describe_split(evaluated["test"]),
    }
    writer.finish(target, {**meta, "splits": entries}, outputs, evaluated)
