"""Computes `results.json`: all metrics with their intervals, and the facts needed to read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep.analysis import (
    bootstrap_metrics,
    calibration_summary,
    fold_assignment,
    fold_calibration,
    fold_spread,
    intervals,
    metrics,
    published,
    recordings,
    subgroups,
)
from jaxdep.analysis.predictions import Predictions, read, unreadable
from jaxdep.artifacts import folds, schema
from jaxdep.artifacts.files import write_json
from jaxdep.errors import UserError
from jaxdep.scales import bdi


def write(run_dir: Path) -> dict[str, Any]:
    """Computes the results of a run and writes them to its folder.

    The content depends only on the run and contains no times, dates or paths.

    Raises:
      UserError: the folder is not the directory of a finished run.
    """
    results = compute(run_dir)
    write_json(run_dir / "results.json", results, sort_keys=True)
    return results


def compute(run_dir: Path) -> dict[str, Any]:
    """The content of `results.json`."""
    meta, config = load(run_dir, "meta.json"), load(run_dir, "config.json")
    finite = finite_predictions(run_dir, meta)
    calibrated = _calibration(run_dir, meta, finite)
    corpus = meta["corpus"]
    recorded = recordings.read(run_dir / "recordings.csv")
    paper = {task: published.figures(config["paper"], corpus["name"], task) for task in finite}
    reasons = published.withheld(config["paper"], meta.get("changed"))
    withheld = reasons if any(paper.values()) else []
    return {
        "experiment": meta["experiment"],
        "title": meta["title"],
        "changed": meta.get("changed"),
        "hash": meta["hash"],
        "corpus": corpus["name"],
        "corpus_title": corpus.get("own_name") or corpus["name"],
        "synthetic": corpus["synthetic"],
        "label_source": corpus["label_source"],
        "warnings": corpus["warnings"],
        "skipped": corpus["skipped"],
        "selection": meta["selection"],
        "chosen_among": meta.get("chosen_among", 1),
        "cross_validation": meta.get("cross_validation"),
        "withheld": withheld,
        "merge": meta.get("merge", "none"),
        "split": meta["splits"]["test"] | {"subjects": _count(recorded, meta)},
        "subjects": _origin(recorded, meta),
        "splits": meta["splits"],
        "runs": meta["runs"],
        "excluded": [run["run"] for run in meta["runs"] if run["status"] == "diverged"],
        "level": intervals.LEVEL,
        "deterministic": schema.is_deterministic(meta),
        "bits": _bits(meta, config),
        "intervals": {"runs": intervals.OVER_RUNS, "items": intervals.OVER_ITEMS},
        "tasks": {
            task: {
                **_task(
                    task,
                    task_predictions,
                    meta,
                    config,
                    corpus["synthetic_truth"],
                    {} if withheld else paper[task],
                ),
                **calibrated[task],
                "subgroups": _subgroups(task, task_predictions, recorded, meta, config),
                "folds": fold_spread.of_task(
                    run_dir, meta, task_predictions, len(meta["classes"].get(task, ()))
                )
                if "cross_validation" in meta
                else None,
            }
            for task, task_predictions in finite.items()
        },
    }


def _bits(meta: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """What the last bits of a run's outputs depend on, besides its settings and seed."""
    if meta["compile"]["programs"] == 0:
        return "nothing"
    return "run" if config.get("deterministic") else "layout"


def _count(recorded: recordings.Recordings | None, meta: Mapping[str, Any]) -> int:
    """Number of subjects of the evaluated split."""
    return len(np.unique(recorded.subjects)) if recorded else meta["splits"]["test"]["items"]


def _origin(recorded: recordings.Recordings | None, meta: Mapping[str, Any]) -> str:
    """Whether the subjects are `known`, or recordings stand for them, and why."""
    if recorded is None:
        return "not written"
    return "known" if meta["corpus"].get("subjects_known") else "unknown"


_NO_LOGITS = "it needs logits in predictions.csv and in validation.csv"


def finite_predictions(run_dir: Path, meta: Mapping[str, Any]) -> dict[str, Predictions]:
    """Validated predictions of all runs that did not diverge, by task, merged as `meta` says.

    Raises:
      UserError: a file is missing or damaged, lacks a run that `meta.json` lists, or has
        predictions that cannot be merged.
    """
    recorded = recordings.read(path := run_dir / "recordings.csv")
    return {
        task: _merged(recordings.with_subjects(each, recorded, path), task, meta)
        for task, each in _finite(run_dir, "predictions.csv", meta).items()
    }


def _subgroups(
    task: str,
    predictions: Predictions,
    recorded: recordings.Recordings | None,
    meta: Mapping[str, Any],
    config: Mapping[str, Any],
) -> dict[str, Any] | None:
    """Results for the subgroups of what is evaluated in a task."""
    merge, sessions = meta.get("merge", "none"), meta["corpus"]["sessions"]
    attributes = recordings.attributes(recorded, merge, sessions, predictions.ids)
    classes = len(meta["classes"].get(task, ()))
    return subgroups.compare(predictions, attributes, classes, config["tasks"][task]["average"])


def _calibration(
    run_dir: Path, meta: Mapping[str, Any], test: Mapping[str, Predictions]
) -> dict[str, dict[str, Any]]:
    """Calibration of each task, and if a classification task has none, why."""
    found = {task: {"calibration": None, "uncalibrated": ""} for task in test}
    tasks = [task for task in test if task in meta["classes"]]
    about = meta.get("cross_validation")
    # A cross-validation has no validation split of its own; each of its folds has one.
    folders = folds.folders(run_dir, about["repeats"], about["folds"]) if about else [[run_dir]]
    stored = [[(folder, _stored(folder)) for folder in row] for row in folders]
    for task in tasks:
        try:
            validation = [[_validation(*each, task, meta) for each in row] for row in stored]
        except _NoValidationError as error:
            found[task]["uncalibrated"] = str(error)
            continue
        if about:
            fold = fold_assignment.of_items(run_dir, meta, test[task])
            seeds = fold_assignment.seeds_per_repeat(meta)
            calibrated = fold_calibration.summarize(test[task], fold, validation, seeds)
        else:
            calibrated = calibration_summary.summarize(test[task], validation[0][0])
        found[task] = {
            "calibration": calibrated,
            "uncalibrated": "" if calibrated else _NO_LOGITS,
        }
    return found


class _NoValidationError(Exception):
    """Says why temperatures cannot be fitted."""


def _stored(run_dir: Path) -> dict[str, Predictions]:
    """Predictions for the validation split; none in runs of earlier versions of jaxdep."""
    if not (run_dir / "validation.csv").exists():
        return {}
    return validation_predictions(run_dir, load(run_dir, "meta.json"))


def _validation(
    run_dir: Path, stored: Mapping[str, Predictions], task: str, meta: Mapping[str, Any]
) -> Predictions:
    """Validation predictions, merged as those for the test split are.

    A temperature is thus fitted on predictions like those that it scales. Runs of earlier versions
    of jaxdep have none, or no subjects of them.

    Args:
      run_dir: folder of the run, or of a fold.
      stored: its predictions for the validation split.
      task: name of the task.
      meta: says how to merge; for a fold, that of the cross-validation.

    Raises:
      _NoValidationError: there are none, or they cannot be merged.
      UserError: `validation_recordings.csv` is damaged.
    """
    merge, path = meta.get("merge", "none"), run_dir / "validation_recordings.csv"
    where = f"{run_dir.name}: " if "cross_validation" in meta else ""
    if task not in stored:
        raise _NoValidationError(where + _NO_LOGITS)
    recorded = recordings.read(path) if merge != "none" else None
    if merge == "subject" and recorded is None:
        raise _NoValidationError(
            f"{where}it needs {path.name}, which an earlier version did not write"
        )
    try:
        return _average(recordings.with_subjects(stored[task], recorded, path), task, meta)
    except ValueError as error:
        raise _NoValidationError(
            f"{where}validation predictions cannot be merged: {error}"
        ) from None


def validation_predictions(run_dir: Path, meta: Mapping[str, Any]) -> dict[str, Predictions]:
    """Validated predictions for the validation split, of all runs that did not diverge, by task.

    Raises:
      UserError: the file is missing or damaged, or lacks a run that `meta.json` lists.
    """
    return _finite(run_dir, "validation.csv", meta)


def _finite(run_dir: Path, name: str, meta: Mapping[str, Any]) -> dict[str, Predictions]:
    """Validated predictions in a file, of all runs that did not diverge."""
    path, config = run_dir / name, load(run_dir, "config.json")
    wanted = [run["run"] for run in meta["runs"] if run["status"] != "diverged"]
    finite = {}
    for task, task_predictions in read(path).items():
        if task not in config["tasks"]:
            raise unreadable(path, f"config.json has no task {task}")
        bounds = config["tasks"][task].get("bounds")
        graded = bounds == list(bdi.RANGE)
        finite[task] = replace(task_predictions.select_runs(wanted), graded=graded)
        if missing := sorted(set(wanted) - set(task_predictions.runs.tolist())):
            raise unreadable(path, f"{task}: no lines for run {', '.join(map(str, missing))}")
        try:
            finite[task].check(task, len(meta["classes"].get(task, ())))
        except ValueError as error:
            raise unreadable(path, error) from None
    return finite


def _average(predictions: Predictions, task: str, meta: Mapping[str, Any]) -> Predictions:
    """Merges predictions as `meta` says; a ValueError says why they cannot be."""
    if (merge := meta.get("merge", "none")) == "none":
        return predictions
    groups = recordings.groups(
        merge, predictions.ids, predictions.subjects, meta["corpus"]["sessions"]
    )
    return predictions.merge(groups, len(meta["classes"].get(task, ())))


def _merged(predictions: Predictions, task: str, meta: Mapping[str, Any]) -> Predictions:
    try:
        return _average(predictions, task, meta)
    except ValueError as error:
        raise UserError(
            f"--merge {meta['merge']}: {task}: {error}; evaluate the recordings with `jaxdep report"
            " --merge none`"
        ) from None


def run_dir_of(folder: Path) -> Path:
    """The folder itself; for the directory of a finished sweep, that of its best run."""
    return folder / "best" if (folder / "sweep.json").is_file() else folder


def load(run_dir: Path, name: str) -> dict[str, Any]:
    """Reads a JSON file of a run.

    Raises:
      UserError: the file is missing or not valid JSON.
    """
    try:
        return schema.read(run_dir / name)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{run_dir} is not the directory of a finished run: {name} cannot be read ({error});"
            " pass a folder created by `jaxdep run`"
        ) from None


def run_metrics(predictions: Predictions, run: int, classes: int) -> dict[str, float | None]:
    """Metrics of one run, given its row in `predictions`."""
    prediction = predictions.prediction[run]
    if classes == 0:
        return metrics.regression(predictions.target, prediction, predictions.graded)
    probability = predictions.probability[run]
    return metrics.classification(predictions.target, prediction, probability, classes)


def _task(
    task: str,
    predictions: Predictions,
    meta: Mapping[str, Any],
    config: Mapping[str, Any],
    truth: Mapping[str, Any] | None,
    paper_figures: Mapping[str, float],
) -> dict[str, Any]:
    names = meta["classes"].get(task, [])
    seeds = {run["run"]: run["seed"] for run in meta["runs"]}
    per_run = [
        {
            "run": int(number),
            "seed": seeds[number],
            "metrics": run_metrics(predictions, i, len(names)),
        }
        for i, number in enumerate(predictions.runs)
    ]
    task_results: dict[str, Any] = {
        "classes": names,
        "average": config["tasks"][task]["average"],
        "items": len(predictions.ids),
        "per_run": per_run,
        "summary": _summary(per_run, predictions, len(names)),
        "paper": config["paper"],
        "paper_figures": paper_figures,
        "constant": metrics.constant(predictions.target, len(names))
        if names
        else metrics.constant_score(predictions.target, predictions.graded),
    }
    if names:
        counts = np.bincount(predictions.target.astype(int), minlength=len(names))
        task_results["counts"] = dict(zip(names, map(int, counts), strict=True))
        task_results["majority"] = float(counts.max() / counts.sum())
    known = (truth or {}).get("tasks", {}).get(task, {})
    metric = "accuracy" if names else "mae"
    best, chance = (_KNOWN[metric][i] for i in range(2))
    if best in known and chance in known and per_run:
        task_results |= {"known": metric, "chance": known[chance], "attainable": known[best]}
        way = known[best] - known[chance]
        reached = task_results["summary"][metric]["mean"] - known[chance]
        task_results["share_of_the_way"] = reached / way if abs(way) > 1e-9 else None
    return task_results


_KNOWN = {"accuracy": ("bayes_accuracy", "chance"), "mae": ("bayes_mae", "chance_mae")}
"""For each metric, the keys in `synthetic.json` of its best attainable value and of chance."""


def _summary(
    per_run: list[dict[str, Any]], predictions: Predictions, classes: int
) -> dict[str, Any]:
    """Mean, standard deviation and both intervals of each metric."""
    summary = {}
    statistics = {}
    for metric in per_run[0]["metrics"] if per_run else ():
        values = [run["metrics"][metric] for run in per_run]
        if None in values:
            summary[metric] = None
            continue
        statistics[metric] = bootstrap_metrics.statistic(metric, predictions, classes)
        summary[metric] = {
            "mean": float(np.mean(values)),
            "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
            "ddof": 1,
            "runs": len(values),
            "interval_runs": intervals.over_runs(np.array(values)),
        }
    for metric, interval in intervals.over_items(statistics, predictions.subjects).items():
        summary[metric]["interval_items"] = interval
    return summary
