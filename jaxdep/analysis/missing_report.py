"""Shows the results of a run with each subset of its modalities, in the terminal and as a page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from jaxdep.analysis import formatting, intervals, narrative, page
from jaxdep.analysis.missing_modalities import PAIRED
from jaxdep.analysis.table import plain, short


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints a table for each task, with its main metrics.

    Args:
      results: results of `missing_modalities.write`.
      console: output console.
    """
    for name, task in results["tasks"].items():
        table = Table(
            title=plain(f"{_title(results)}: {name}"),
            title_justify="left",
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            show_edge=False,
        )
        table.add_column("present", overflow="fold")
        for head in ("mean", "std", "95% CI\n(runs)", "minus\nall", "95% CI\n(runs)"):
            table.add_column(head, justify="right", no_wrap=True)
        for metric in formatting.main_metrics(task):
            table.add_section()
            table.add_row(plain(formatting.metric_name(metric)))
            for row in task["rows"]:
                table.add_row(plain(f"  {_present(row)}"), *map(short, _cells(row, metric)))
            table.add_row(
                "  best constant", short(formatting.number(task["constant"][metric], metric))
            )
        console.print(table)
    for note in notes(results):
        console.print(plain(f"  {note}"), soft_wrap=True)


def write(folder: Path, results: Mapping[str, Any]) -> Path:
    """Writes `report.html`, a self-contained page with all metrics, into a folder."""
    values = {
        "title": _title(results),
        "synthetic": results["synthetic"],
        "results": results,
        "tables": {name: _table(task) for name, task in results["tasks"].items()},
        "notes": notes(results),
        "methods": [intervals.OVER_RUNS, intervals.OVER_ITEMS, PAIRED],
    }
    return page.write("missing.html", folder / "report.html", values)


def notes(results: Mapping[str, Any]) -> list[str]:
    """Notes that are needed to interpret what remains without a modality."""
    lines = ["absent: in all recordings, sequences and vectors are zero, and masks false"]
    if results["modality_dropout"]:
        lines.append(f"trained with modality_dropout {results['modality_dropout']:g}")
    else:
        lines.append(
            "trained without modality dropout: the system has not learned to do without a modality"
        )
    lines += [f"{name} stays in all rows: {text}" for name, text in results["structure"].items()]
    for row in next(iter(results["tasks"].values()))["rows"]:
        if row["without_frames"]:
            names = " or ".join(row["present"])
            lines.append(f"{row['without_frames']} recordings have no frame of {names}")
    return [*lines, *narrative.notes(results)]


def _title(results: Mapping[str, Any]) -> str:
    return f"{formatting.title(results)}; modalities absent"


def _present(row: Mapping[str, Any]) -> str:
    return ", ".join(row["present"])


def _cells(row: Mapping[str, Any], metric: str) -> list[str]:
    """Mean, std and interval of a metric, and its difference from all modalities with interval."""
    if row["summary"] is None:
        return ["not finite", f"in {len(row['not_finite'])} runs"]
    summary = row["summary"][metric]
    cells = [
        formatting.number(summary["mean"], metric),
        formatting.number(summary["std"], metric),
        formatting.interval(summary["interval_runs"], metric),
    ]
    if row["differences"] is None:
        return cells
    difference = row["differences"][metric]
    interval = formatting.interval(difference["interval_runs"], metric)
    return [*cells, formatting.difference(difference["mean"], metric), interval]


def _table(task: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics, and for each subset its cells, each a list of lines; None if not finite."""
    metrics = formatting.headline(task)
    return {
        "metrics": [formatting.metric_name(metric) for metric in metrics],
        "rows": [
            {
                "present": _present(row),
                "not_finite": ", ".join(map(str, row["not_finite"])),
                "cells": row["summary"] and [lines(row, metric) for metric in metrics],
            }
            for row in task["rows"]
        ],
        "constant": [formatting.number(task["constant"][metric], metric) for metric in metrics],
    }


def lines(row: Mapping[str, Any], metric: str) -> list[str]:
    """Mean, std and both intervals of a metric, and the same of its difference but the std.

    Args:
      row: entry of `rows` in the results of a task, with a `summary` of the metric.
      metric: name of the metric.
    """
    summary = row["summary"][metric]
    mean, std = (formatting.number(summary[key], metric) for key in ("mean", "std"))
    found = [mean, f"std {std}", *_intervals(summary, metric)]
    if row["differences"]:
        difference = row["differences"][metric]
        found.append(f"minus all {formatting.difference(difference['mean'], metric)}")
        found += _intervals(difference, metric)
    return found


def _intervals(values: Mapping[str, Any], metric: str) -> list[str]:
    return [
        f"{over} {formatting.interval(values[f'interval_{over}'], metric)}"
        for over in ("runs", "items")
    ]
