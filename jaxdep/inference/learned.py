"""What a run has learned: weights of a network, or estimators of a scikit-learn baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxdep.artifacts import estimators
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.train import devices, runs, step
from jaxdep.train.objective import clip

Predictor = Callable[[step.Data], dict[str, np.ndarray]]
"""Outputs of all runs on a split, [R, N, C] or [R, N] for each task."""


def check(source: RunDir, experiment: Experiment) -> None:
    """Checks that a run has stored what it learned.

    Raises:
      UserError: it has not.
    """
    if not (source.estimators if experiment.is_baseline else source.checkpoints).is_dir():
        what = "estimators" if experiment.is_baseline else "checkpoints"
        raise UserError(
            f"{source.path} has no {what}; of a cross-validation, pass one of its folds, and"
            " otherwise run the experiment again"
        )


def restore(
    source: RunDir, experiment: Experiment, seeds: Sequence[int], example: step.Data
) -> Any:
    """Restores the best variables of each run, [R, ...], or its estimators.

    Args:
      source: run directory.
      experiment: experiment that was trained.
      seeds: seed of each run.
      example: training split, or one recording, which determines the shapes.

    Raises:
      UserError: they cannot be read.
    """
    if experiment.is_baseline:
        return estimators.load(source.estimators, len(seeds))
    return runs.restore_best(experiment, seeds, example, source.checkpoints)


def predictor(experiment: Experiment, learned: Any, config: Mapping[str, Any]) -> Predictor:
    """Returns a function from splits to the outputs of all runs.

    Args:
      experiment: experiment that was trained.
      learned: as returned by `restore`.
      config: content of the run's `config.json`.
    """
    if not experiment.is_baseline:
        exactly = config.get("deterministic", False)
        layout = devices.layout(len(config["seeds"]), deterministic=exactly)
        return runs.predictor(experiment, learned, layout)
    model, task = experiment.model, experiment.main_task

    def outputs(split: step.Data) -> dict[str, np.ndarray]:
        each = [model.predict(estimator, split["inputs"]) for estimator in learned]
        # As networks, so that what is read from predictions.csv is the same number.
        return {task: clip(experiment.tasks[task], np.stack(each)).astype(np.float32)}

    return outputs
