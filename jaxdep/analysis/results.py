"""`results.json`: every metric with its spread, and all that a number needs to be understood."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from jaxdep import severity
from jaxdep.analysis import fast, intervals, metrics, paper
from jaxdep.analysis.predictions import Predictions, read, unreadable
from jaxdep.errors import UserError


def write(run_dir: Path) -> dict[str, Any]:
    """Computes the results of a run from its folder and writes them there.

    The content depends on nothing but the run: no times, dates or paths.

    Raises:
      UserError: the folder is not that of a finished run.
    """
    results = compute(run_dir)
    text = json.dumps(results, indent=1, sort_keys=True, allow_nan=False) + "\n"
    temporary = run_dir / "results.json.part"
    temporary.write_text(text)
    os.replace(temporary, run_dir / "results.json")
    return results


def compute(run_dir: Path) -> dict[str, Any]:
    """The content of `results.json`."""
    meta, config = load(run_dir, "meta.json"), load(run_dir, "config.json")
    sound = sound_predictions(run_dir, meta)
    corpus = meta["corpus"]
    return {
        "experiment": meta["experiment"],
        "title": meta["title"],
        "hash": meta["hash"],
        "corpus": corpus["name"],
        "synthetic": corpus["synthetic"],
        "label_source": corpus["label_source"],
        "warnings": corpus["warnings"],
        "skipped": corpus["skipped"],
        "selection": meta["selection"],
        "merged": meta.get("merge_tasks", False),
        "split": meta["splits"]["test"],
        "splits": meta["splits"],
        "runs": meta["runs"],
        "excluded": [run["run"] for run in meta["runs"] if run["status"] == "diverged"],
        "level": intervals.LEVEL,
        "deterministic": meta["compile"]["programs"] == 0,
        "intervals": {"runs": intervals.OVER_RUNS, "items": intervals.OVER_ITEMS},
        "tasks": {
            task: _task(task, of_task, meta, config, corpus["synthetic_truth"])
            for task, of_task in sound.items()
        },
    }


def sound_predictions(run_dir: Path, meta: Mapping[str, Any]) -> dict[str, Predictions]:
    """The predictions of every run that did not diverge, checked.

    Raises:
      UserError: the file is missing, damaged, or lacks a run that `meta.json` names.
    """
    path, config = run_dir / "predictions.csv", load(run_dir, "config.json")
    merge = meta.get("merge_tasks", False)
    wanted = [run["run"] for run in meta["runs"] if run["status"] != "diverged"]
    sound = {}
    for task, of_task in read(path).items():
        bounds = config["tasks"][task].get("bounds")
        graded = bounds == list(severity.RANGE)
        sound[task] = replace(of_task.of_runs(wanted), graded=graded)
        if missing := sorted(set(wanted) - set(of_task.runs.tolist())):
            raise unreadable(path, f"{task}: no lines of run {', '.join(map(str, missing))}")
        try:
            sound[task].check(task, len(meta["classes"].get(task, ())))
            if merge and task not in meta["classes"]:
                sound[task] = sound[task].of_sessions(meta["corpus"]["sessions"])
        except ValueError as error:
            raise unreadable(path, error) from None
    return sound


def load(run_dir: Path, name: str) -> dict[str, Any]:
    """Reads a JSON file of a run's folder.

    Raises:
      UserError: it is not there, or not JSON.
    """
    try:
        return json.loads((run_dir / name).read_text())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{run_dir} is not the folder of a finished run: {name} cannot be read ({error});"
            " name a folder that `jaxdep run` made"
        ) from None


def of_run(predictions: Predictions, run: int, classes: int) -> dict[str, float | None]:
    """The metrics of one run, by its place in the table."""
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
) -> dict[str, Any]:
    names = meta["classes"].get(task, [])
    seeds = {run["run"]: run["seed"] for run in meta["runs"]}
    per_run = [
        {"run": int(number), "seed": seeds[number], "metrics": of_run(predictions, i, len(names))}
        for i, number in enumerate(predictions.runs)
    ]
    found: dict[str, Any] = {
        "classes": names,
        "average": config["tasks"][task]["average"],
        "items": len(predictions.ids),
        "per_run": per_run,
        "summary": _summary(per_run, predictions, len(names)),
        "paper": config["paper"],
        "paper_figures": paper.figures(config["paper"], meta["corpus"]["name"], task),
        "constant": metrics.constant(predictions.target, len(names))
        if names
        else metrics.constant_score(predictions.target, predictions.graded),
    }
    if names:
        counts = np.bincount(predictions.target.astype(int), minlength=len(names))
        found["counts"] = dict(zip(names, map(int, counts), strict=True))
        found["majority"] = float(counts.max() / counts.sum())
    known = (truth or {}).get("tasks", {}).get(task, {})
    metric = "accuracy" if names else "mae"
    best, chance = (_KNOWN[metric][i] for i in range(2))
    if best in known and per_run:
        found |= {"known": metric, "chance": known[chance], "attainable": known[best]}
        way = known[best] - known[chance]
        reached = found["summary"][metric]["mean"] - known[chance]
        found["share_of_the_way"] = reached / way if abs(way) > 1e-9 else None
    return found


_KNOWN = {"accuracy": ("bayes_accuracy", "chance"), "mae": ("bayes_mae", "chance_mae")}
"""Metric to the names, in `synthetic.json`, of its best attainable value and of chance."""


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
        statistics[metric] = fast.statistic(metric, predictions, classes)
        summary[metric] = {
            "mean": float(np.mean(values)),
            "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
            "ddof": 1,
            "runs": len(values),
            "interval_runs": intervals.over_runs(np.array(values)),
        }
    for metric, found in intervals.over_items(statistics, len(predictions.ids)).items():
        summary[metric]["interval_items"] = found
    return summary
