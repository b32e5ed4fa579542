"""Writes `report-comparison.html`, a page on which several runs stand side by side."""

from __future__ import annotations

import itertools
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxdep.analysis import (
    compare,
    figures,
    fold_spread,
    formatting,
    intervals,
    narrative,
    page,
    pairwise_table,
    results,
    titles,
)
from jaxdep.analysis.titles import Run
from jaxdep.plain import one_line

Cell = Mapping[str, Any] | None
"""A value and the lines below it; None if there is none."""

Tested = Mapping[str, tuple[Any, ...]]
"""What identifies the tested recordings of a run, by task."""


def write(folders: Sequence[Path], out: str | Path | None = None) -> Path:
    """Writes the comparison of runs next to the folder of the first one.

    Args:
      folders: run directories; that of a sweep stands for its best run.
      out: HTML file or folder to write to instead.

    Raises:
      UserError: a folder is not the directory of a finished run.
    """
    target = page.place(out, folders[0].resolve().parent / "report-comparison.html")
    runs = [titles.read(folder, results.write(results.run_dir_of(folder))) for folder in folders]
    synthetic = all(run.results["synthetic"] for run in runs)
    tested, tasks = [tested_by(run) for run in runs], _tasks(runs)
    columns = zip(letters(len(runs)), titles.distinct(runs), folders, runs, strict=True)
    differences = [_differences(runs, tested, task) for task in tasks]
    values = {
        "title": formatting.marked("Comparison of runs", synthetic),
        "synthetic": synthetic,
        "heads": [
            {**vars(run), "letter": letter, "title": title, "folder": folder.resolve().name}
            for letter, title, folder, run in columns
        ],
        "recordings": _recordings(tested),
        "scores": [_scores(runs, task) for task in tasks],
        "differences": [task for task in differences if task["rows"]],
        "tests": pairwise_table.rows(_pairs(runs, tested, tasks)),
        "test_heads": pairwise_table.HEADS,
        "corrected": pairwise_table.CORRECTED,
        "settings": [
            (name, [one_line(str(run.facts.get(name, "-")), 200) for run in runs])
            for name in titles.differing(runs)
        ],
        "figures": _figures(runs),
        "narrative": narrative,
        "methods": [
            intervals.OVER_RUNS,
            intervals.OVER_ITEMS,
            *([compare.METHOD] if any(task["rows"] for task in differences) else []),
            *([fold_spread.METHOD] if any(r.results["cross_validation"] for r in runs) else []),
        ],
    }
    return page.write("comparison.html", target, values)


def letters(number: int) -> list[str]:
    """Short names of runs: A, B, ..., Z, R27, R28, ..."""
    names = string.ascii_uppercase
    return [names[i] if i < len(names) else f"R{i + 1}" for i in range(number)]


def _tasks(runs: Sequence[Run]) -> list[str]:
    """Tasks of all runs, in the order of the first run that has them."""
    return list(dict.fromkeys(task for run in runs for task in run.results["tasks"]))


def tested_by(run: Run) -> Tested:
    """Identifies the tested recordings of a run by their corpus, ids and targets.

    A stand-in may share them with another stand-in, or with the corpus, but not the recordings.
    """
    stand_in = {name: value for name, value in run.facts.items() if name.startswith("stand-in.")}
    origin = (run.results["corpus"], run.facts["data"], stand_in)
    found = results.finite_predictions(run.folder, results.load(run.folder, "meta.json"))
    return {task: (*origin, x.ids.tolist(), x.target.tolist()) for task, x in found.items()}


def unlike(tested: Sequence[Tested]) -> list[str]:
    """The pairs of runs that were not tested on the same recordings, as text with their letters."""
    names, others = letters(len(tested)), []
    for i, j in itertools.combinations(range(len(tested)), 2):
        shared = [task for task in tested[i] if task in tested[j]]
        different = [task for task in shared if tested[i][task] != tested[j][task]]
        if different or not shared:
            what = ", ".join(different) or "no task in common"
            others.append(f"{names[i]} and {names[j]} ({what})")
    return others


def _recordings(tested: Sequence[Tested]) -> str:
    """Says whether all runs were tested on the same recordings, and otherwise which were not."""
    if not (others := unlike(tested)):
        return "All runs were tested on the same recordings."
    return (
        f"Not tested on the same recordings: {'; '.join(others)}. Differences are shown only"
        " between runs that were."
    )


def _scores(runs: Sequence[Run], name: str) -> dict[str, Any]:
    """All metrics of a task: for each, the mean of every run with both intervals below it."""
    tasks = [run.results["tasks"].get(name) for run in runs]
    rows: list[tuple[str, list[Cell]]] = []
    for metric in dict.fromkeys(m for task in tasks if task for m in formatting.headline(task)):
        cells = [_score(run, name, metric) for run in runs]
        rows.append((formatting.metric_name(metric), cells))
    constants = [task and _constant(task) for task in tasks]
    if any(constants):
        rows.append(("best constant prediction", constants))
    return {"task": name, "rows": rows}


def _score(run: Run, name: str, metric: str) -> Cell:
    task = run.results["tasks"].get(name, {"summary": {}})
    summary = task["summary"].get(metric)
    if not summary:
        return None
    lines = [
        f"std {formatting.number(summary['std'], metric)}, {summary['runs']} seeds",
        *_intervals(summary, metric),
    ]
    if metric in task["paper_figures"] and not run.results["synthetic"]:
        lines.append(f"paper {formatting.number(task['paper_figures'][metric], metric)}")
    return {"value": formatting.number(summary["mean"], metric), "lines": lines}


def _constant(task: Mapping[str, Any]) -> Cell:
    metric = "accuracy" if task["classes"] else "mae"
    value = formatting.number(task["constant"][metric], metric)
    return {"value": value, "lines": [formatting.metric_name(metric)]}


def _intervals(summary: Mapping[str, Any], metric: str) -> list[str]:
    return [
        f"over {over} {formatting.interval(summary[f'interval_{over}'], metric)}"
        for over in ("runs", "items")
    ]


def _differences(runs: Sequence[Run], tested: Sequence[Tested], name: str) -> dict[str, Any]:
    """Difference of each further run to the first, in the metrics that the papers report.

    Runs without the task, without a result or tested on other recordings have no difference.
    """
    tasks = [run.results["tasks"].get(name, {"summary": {}}) for run in runs]
    rows = []
    for metric in dict.fromkeys(metric for task in tasks for metric in _reported(task)):
        cells: list[Cell] = [
            _difference(run.folder, runs[0].folder, name, metric)
            if tasks[0]["summary"].get(metric)
            and task["summary"].get(metric)
            and recordings.get(name) == tested[0].get(name)
            else None
            for run, task, recordings in zip(runs[1:], tasks[1:], tested[1:], strict=True)
        ]
        if any(cells):
            rows.append((formatting.metric_name(metric), cells))
    return {"task": name, "rows": rows}


def _pairs(
    runs: Sequence[Run], tested: Sequence[Tested], tasks: Sequence[str]
) -> list[pairwise_table.Pair]:
    """Each further run and the first, in every task that can be compared."""
    pairs = []
    for letter, run, recordings in [*zip(letters(len(runs)), runs, tested, strict=True)][1:]:
        for task in tasks:
            both = [each.results["tasks"].get(task, {"summary": {}}) for each in (run, runs[0])]
            same = recordings.get(task) == tested[0].get(task)
            if same and all(each["summary"] for each in both):
                label, metric = f"{letter} minus A", _reported(both[1])[-1]
                metric = "mae" if metric == "rmse" else metric
                pairs.append(pairwise_table.Pair(label, run.folder, runs[0].folder, task, metric))
    return pairs


def _reported(task: Mapping[str, Any]) -> list[str]:
    """Accuracy, and F1 as the paper of the experiment averages it; errors of a regression."""
    if not task["summary"]:
        return []
    return ["accuracy", f"f1_{task['average']}"] if task["classes"] else ["mae", "rmse"]


def _difference(folder: Path, base: Path, task: str, metric: str) -> Cell:
    pair = compare.paired(folder, base, task, metric)
    value = formatting.difference(pair["difference"], metric)
    return {"value": value, "lines": _intervals(pair, metric)}


def _figures(runs: Sequence[Run]) -> list[list[dict[str, str]]]:
    """Figures of the same name, those of all runs that have it together."""
    drawn = [figures.write(run.folder, run.results) for run in runs]
    each = [*zip(letters(len(runs)), runs, drawn, strict=True)]
    return [
        [
            {
                "letter": letter,
                "caption": captions[name],
                "data": page.encoded(run.folder, name),
            }
            for letter, run, captions in each
            if name in captions
        ]
        for name in dict.fromkeys(name for captions in drawn for name in captions)
    ]
