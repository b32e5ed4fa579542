"""Evaluates a trained run with each subset of its modalities: what remains if others are absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxdep.analysis import missing_modalities, missing_report
from jaxdep.analysis.missing_modalities import About, Row
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.models import spec_of
from jaxdep.models.modalities import Parts, recorded, subsets, without
from jaxdep.runner import reporting
from jaxdep.runner.evaluation import restore, split_of, write_evaluated
from jaxdep.runner.options import Log
from jaxdep.train import devices as device_layout
from jaxdep.train import objective, runs


def missing(folder: str | Path, *, split: str = "test", log: Log = print) -> reporting.Result:
    """Evaluates the best weights of a finished run with each subset of the model's modalities.

    The other modalities are absent from all recordings: their sequences and vectors are zero, and
    their masks are false. Inputs that the model's spec declares as structure stay.

    Args:
      folder: run directory.
      split: `train`, `validation` or `test`, as used by the run.
      log: callback for messages.

    Returns:
      The folder `missing` inside the run directory, or `missing-<split>` if it is not the test
      split, and its results: those of `evaluate` with all modalities, and for each task a list
      `rows` with the results of each subset and their differences from those with all modalities.

    Raises:
      UserError: the folder is not the directory of a trained run, the split does not exist, the
        model has fewer than two modalities, every run diverged, or the outputs are not finite even
        with all modalities.
    """
    device_layout.start()
    source = RunDir.at(Path(folder))
    config, meta, experiment, weights, splits = restore(source)
    chosen, seeds = split_of(splits, split), config["seeds"]
    parts = _modalities(experiment)
    counted = [run["run"] for run in meta["runs"] if run["status"] != "diverged"]
    if not counted:
        raise UserError(f"{folder}: every run diverged, so there are no weights to evaluate")
    log(f"{split}: {len(chosen)} of {chosen.name}, with {', '.join(parts)} and without")
    target = source.subdirectory("missing" if split == "test" else f"missing-{split}")
    layout = device_layout.layout(len(seeds), deterministic=config.get("deterministic", False))
    rows = []
    with jax.default_matmul_precision(experiment.training.precision):
        predict = runs.predictor(without_bounds(experiment), weights, layout)
        for present in subsets(parts):
            inputs = without(chosen.inputs, parts, [name for name in parts if name not in present])
            outputs = predict({**chosen.arrays, "inputs": inputs})
            without_frames = _without_frames(inputs, parts, present)
            row = Row(present, _not_finite(outputs, counted), without_frames)
            if row.not_finite and len(present) == len(parts):
                raise UserError(f"{folder}: outputs are not finite even with all modalities")
            rows.append(row)
            finite: Any = {task: x for task, x in outputs.items() if task not in row.not_finite}
            if not finite:
                continue
            tasks = {task: experiment.tasks[task] for task in finite}
            described: Any = {**meta, "title": f"{meta['title']}; {row.title} present"}
            write_evaluated(
                source,
                target.subdirectory(row.name),
                {**config, "paper": None},  # published results are those with all modalities
                described,
                {"test": objective.predicted(tasks, finite)},
                {"test": chosen},
            )
    return _report(target, meta["title"], rows, experiment)


def _modalities(experiment: Experiment) -> Parts:
    """Inputs of each of the model's modalities, of which there are several."""
    model = type(experiment.model).__name__
    if experiment.is_baseline:
        raise UserError(
            f"{model} has no mask for an absent modality; train it without one by --set"
            " model.modalities=..."
        )
    spec = spec_of(experiment.model)
    parts = spec.modalities(experiment.model)
    if not parts:
        raise UserError(
            f"{model} declares no modalities: its package must set ModelSpec.modalities"
        )
    if len(parts) < 2:
        raise UserError(f"{model} reads {next(iter(parts))} alone, without which nothing remains")
    return parts


def without_bounds(experiment: Experiment) -> Experiment:
    """The experiment without bounds of scores, to which infinite ones would be clipped."""
    tasks = {name: replace(task, bounds=()) for name, task in experiment.tasks.items()}
    return replace(experiment, tasks=tasks)


def _not_finite(
    outputs: Mapping[str, np.ndarray], counted: Sequence[int]
) -> dict[str, tuple[int, ...]]:
    """The counted runs that have an output that is not a finite number, for tasks with any."""
    found = {
        task: tuple(run for run in counted if not np.isfinite(values[run]).all())
        for task, values in outputs.items()
    }
    return {task: affected for task, affected in found.items() if affected}


def _without_frames(inputs: Mapping[str, np.ndarray], parts: Parts, present: Sequence[str]) -> int:
    """Number of recordings without a real frame of any modality that is present."""
    found = [recorded(inputs, parts[modality]) for modality in present]
    return int((~np.stack(found).any(0)).sum())


def _report(
    target: RunDir, title: str, rows: Sequence[Row], experiment: Experiment
) -> reporting.Result:
    about: About = {
        "title": title,
        "modality_dropout": float(experiment.training.modality_dropout),
        "structure": dict(spec_of(experiment.model).structure),
    }
    results = missing_modalities.write(target.path, rows, about)
    missing_report.write(target.path, results)
    return reporting.Result(target.path, results)
