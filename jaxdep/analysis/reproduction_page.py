"""Writes the page of a reproduction, its figures, and its tables for other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxdep.analysis import (
    formatting,
    intervals,
    page,
    pairwise_table,
    reproduction_notes,
    results,
    system_grid,
    table_formats,
)
from jaxdep.analysis import reproduction_figures as figures
from jaxdep.analysis.reproduction import RUNS, Line, PaperEntry
from jaxdep.analysis.style import save
from jaxdep.artifacts import schema
from jaxdep.artifacts.files import write_text


def write(
    folder: Path,
    paper: PaperEntry,
    lines: Sequence[Line],
    all_results: Mapping[str, Mapping[str, Any]],
) -> Path:
    """Writes `report.html`, `tables.md`, `tables.tex`, `tables.csv` and `figures/`.

    The page loads nothing from elsewhere.

    Args:
      folder: folder of the reproduction.
      paper: content of `tables.json`.
      lines: lines of its tables.
      all_results: content of `results.json` by run directory.
    """
    write_text(folder / "tables.md", table_formats.to_markdown(paper, lines))
    write_text(folder / "tables.tex", table_formats.to_latex(paper, lines))
    write_text(folder / "tables.csv", table_formats.to_csv(lines))
    numbers = {name: number for number, name in enumerate(all_results, 1)}
    values = {
        "title": reproduction_notes.marked(f"Tables of {paper['title']}, reproduced", lines),
        "synthetic": _all_synthetic(lines),
        "synthetic_corpora": reproduction_notes.mixed(lines),
        "seeds": _seeds(all_results),
        "grid": system_grid.of(paper, lines),
        "heads": table_formats.HEADS,
        "tables": [_table(folder, table, lines, numbers) for table in paper["tables"]],
        "losses": _losses(folder, all_results),
        "captions": {"intervals": figures.INTERVALS, "losses": figures.LOSSES},
        "runs": [_run(folder, name, found) for name, found in all_results.items()],
        "methods": [intervals.OVER_RUNS, intervals.OVER_ITEMS],
        "test_heads": pairwise_table.HEADS,
        "corrected": pairwise_table.CORRECTED,
    }
    return page.write("reproduction.html", folder / "report.html", values)


def _seeds(all_results: Mapping[str, Mapping[str, Any]]) -> str:
    counts = {len(each["runs"]) for each in all_results.values() if not each["deterministic"]}
    if not counts:
        return "a deterministic fit"
    return f"{max(counts)} seed{'s' if max(counts) > 1 else ''}"


def _all_synthetic(lines: Sequence[Line]) -> bool:
    """Whether all results are on synthetic data."""
    return any(line.synthetic for line in lines) and not reproduction_notes.mixed(lines)


def _table(
    folder: Path, table: Any, lines: Sequence[Line], numbers: Mapping[str, int]
) -> dict[str, Any]:
    """Data of one table for the template, with the number of each line's run; draws its figure."""
    chosen = table_formats.of_table(lines, table)
    figure = figures.intervals(chosen)
    rows = zip(table_formats.rows(chosen), chosen, strict=True)
    name = f"intervals-{table['name']}"
    return {
        "name": table["name"],
        "title": reproduction_notes.title(table, chosen),
        "proposed": table["proposed"],
        "rows": [{"cells": cells, "run": numbers.get(line.run)} for cells, line in rows],
        "notes": reproduction_notes.notes(table, chosen),
        "tests": pairwise_table.rows(_pairs(folder, table, chosen), only_bootstrap=True),
        "figure": _saved(folder, figure, name, _all_synthetic(chosen)) if figure else "",
    }


def _pairs(folder: Path, table: Any, lines: Sequence[Line]) -> list[pairwise_table.Pair]:
    """Each row of a table and its proposed row."""
    first = {(line.row, line.corpus, line.task): line for line in reversed(lines) if line.metric}
    marks, pairs = reproduction_notes.mixed(lines), []
    for (row, corpus, task), line in sorted(first.items(), key=lambda pair: lines.index(pair[1])):
        proposed = first.get((table["proposed"], corpus, task))
        if proposed and line.run and proposed.run and line.run != proposed.run:
            one, other = (folder / RUNS / each.run for each in (line, proposed))
            metric = _tested_metric(line, lines)
            where = formatting.marked(corpus, corpus in marks)
            label = f"{row} minus {table['proposed']}, {where}"
            claimed = _published([line, proposed], metric, lines)
            pairs.append(pairwise_table.Pair(label, one, other, task, metric, claimed))
    return pairs


def _published(pair: Sequence[Line], metric: str, lines: Sequence[Line]) -> float | None:
    """The paper's difference of two rows; None if it is not shown, or if ours is on stand-ins."""
    keys = [(each.row, each.corpus, each.task, metric) for each in pair]
    figure = {
        (line.row, line.corpus, line.task, line.metric): line.paper
        for line in lines
        if not line.synthetic
    }
    first, second = (figure.get(key) for key in keys)
    return None if first is None or second is None else first - second


def _tested_metric(line: Line, lines: Sequence[Line]) -> str:
    """The metric to test a row by: an F1 if the row has one, or else its first metric."""
    same = [each.metric for each in lines if (each.row, each.run) == (line.row, line.run)]
    return next((metric for metric in same if metric.startswith("f1")), line.metric)


def _losses(folder: Path, all_results: Mapping[str, Mapping[str, Any]]) -> str:
    """The loss curves of all experiments that have epochs, encoded; empty for none."""
    histories = {}
    for name in all_results:
        if lines := schema.read_history(folder / RUNS / name / "metrics.jsonl"):
            histories[name] = lines
    if not histories:
        return ""
    best = {
        name: {run["run"]: run["best_epoch"] for run in all_results[name]["runs"]}
        for name in histories
    }
    marks = [name for name in histories if all_results[name]["synthetic"]]
    every = len(marks) == len(histories)
    figure = figures.losses(histories, best, () if every else marks)
    return _saved(folder, figure, "losses", every)


def _run(folder: Path, name: str, found: Mapping[str, Any]) -> dict[str, str]:
    """The run directory, title, command and commit of an experiment."""
    environment = results.load(folder / RUNS / name, "environment.json")
    return {
        "name": name,
        "title": formatting.title(found),
        "command": environment["command"],
        "commit": str(environment.get("commit") or "unknown"),
    }


def _saved(folder: Path, figure: Any, name: str, synthetic: bool) -> str:
    """Saves a figure; returns it encoded for a page."""
    save(figure, folder, name, synthetic)
    return page.encoded(folder, name)
