"""Results of a run with each subset of its modalities, and differences from all modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from jaxdep.analysis import bootstrap_metrics, intervals, results
from jaxdep.analysis.predictions import Predictions
from jaxdep.artifacts.files import write_json

PAIRED = (
    "differences: value with the modalities present minus value with all modalities, first within"
    " each run and then averaged; intervals are those of paired values: over runs, of the"
    " differences within each run; over test items, of both values for the same recordings."
)


@dataclass(frozen=True)
class Row:
    """A subset of a model's modalities.

    Attributes:
      present: modalities that are present; the others are absent from all recordings.
      not_finite: for each task with outputs that are not finite, the runs that have them.
      without_frames: number of recordings without a real frame of any modality that is present.
    """

    present: tuple[str, ...]
    not_finite: Mapping[str, tuple[int, ...]]
    without_frames: int

    @property
    def name(self) -> str:
        """Name of the folder with the predictions."""
        return "+".join(self.present)

    @property
    def title(self) -> str:
        """The modalities as text: "acoustic, visual"."""
        return ", ".join(self.present)


class About(TypedDict):
    """Facts about the run.

    Attributes:
      title: title of the run.
      modality_dropout: the training's `modality_dropout`.
      structure: inputs that are never absent, as in `ModelSpec.structure`.
    """

    title: str
    modality_dropout: float
    structure: Mapping[str, str]


def write(folder: Path, rows: Sequence[Row], about: About) -> dict[str, Any]:
    """Computes the results of all subsets and writes them to `results.json`.

    Args:
      folder: folder that contains a run directory for each subset with finite outputs in any task.
      rows: subsets; the first one has all modalities, and finite outputs.
      about: facts about the run.

    Returns:
      The results with all modalities, `about`, and for each task `rows`: the metrics of each subset
      (`summary`, None if not finite) and their `differences` from those with all modalities. There
      is no `calibration`, because the subsets have no validation predictions.
    """
    content = {**compute(folder, rows), **about}
    write_json(folder / "results.json", content, sort_keys=True)
    return content


def compute(folder: Path, rows: Sequence[Row]) -> dict[str, Any]:
    """As `write`, without the facts about the run."""
    complete = _read(folder, rows[0])
    by_task: dict[str, list[dict[str, Any]]] = {task: [] for task in complete.results["tasks"]}
    for row in rows:
        each = complete if row is rows[0] else _read(folder, row, list(by_task))
        for task, found in by_task.items():
            found.append(_row(row, task, each, complete))
    tasks = {
        task: {**{k: v for k, v in found.items() if k != "calibration"}, "rows": by_task[task]}
        for task, found in complete.results["tasks"].items()
    }
    return {**complete.results, "modalities": list(rows[0].present), "tasks": tasks}


@dataclass(frozen=True)
class _Evaluated:
    """Results and predictions of a subset; empty where no output is finite."""

    results: Mapping[str, Any]
    predictions: Mapping[str, Predictions]


def _read(folder: Path, row: Row, tasks: Sequence[str] = ()) -> _Evaluated:
    if tasks and set(tasks) <= set(row.not_finite):
        return _Evaluated({"tasks": {}}, {})
    run_dir = folder / row.name
    meta = results.load(run_dir, "meta.json")
    return _Evaluated(results.compute(run_dir), results.finite_predictions(run_dir, meta))


def _row(row: Row, task: str, each: _Evaluated, complete: _Evaluated) -> dict[str, Any]:
    """Entry of a subset in the results of a task."""
    finite = task not in row.not_finite
    is_complete = each is complete
    return {
        "present": list(row.present),
        "folder": row.name if finite else None,
        "without_frames": row.without_frames,
        "not_finite": list(row.not_finite.get(task, ())),
        "summary": each.results["tasks"][task]["summary"] if finite else None,
        "differences": _differences(task, each, complete) if finite and not is_complete else None,
    }


def _differences(task: str, each: _Evaluated, complete: _Evaluated) -> dict[str, Any]:
    """Difference of each metric to that with all modalities, with both intervals."""
    first, second = (which.results["tasks"][task] for which in (each, complete))
    metrics = [name for name, summary in second["summary"].items() if summary]
    differences = {}
    for metric in metrics:
        values, reference = (
            np.array([run["metrics"][metric] for run in of["per_run"]]) for of in (first, second)
        )
        differences[metric] = {
            "mean": float((values - reference).mean()),
            "interval_runs": intervals.over_runs(values - reference),
        }
    pair = each.predictions[task], complete.predictions[task]
    statistics = {
        metric: _difference_of(metric, *pair, len(second["classes"])) for metric in metrics
    }
    for metric, interval in intervals.over_items(statistics, pair[0].subjects).items():
        differences[metric]["interval_items"] = interval
    return differences


def _difference_of(
    metric: str, first: Predictions, second: Predictions, classes: int
) -> intervals.Statistic:
    one, other = (bootstrap_metrics.statistic(metric, each, classes) for each in (first, second))
    return lambda drawn: one(drawn) - other(drawn)
