"""What remains of several systems without some modalities: a row per run, a column per subset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from jaxdep.analysis import comparison, formatting, intervals, missing_report, page, titles
from jaxdep.analysis.missing_modalities import PAIRED
from jaxdep.analysis.table import plain, short

NOT_FINITE = "not finite"
"""Stands in the cell of a subset for which an output of any run is not a finite number."""


@dataclass(frozen=True)
class Evaluated:
    """A run that was evaluated with each subset of its modalities.

    Attributes:
      source: its run directory.
      folder: folder `missing` in it, or `missing-<split>`.
      results: results of `missing_modalities.write`.
    """

    source: Path
    folder: Path
    results: Mapping[str, Any]


@dataclass(frozen=True)
class Matrix:
    """One metric in one task.

    Attributes:
      task: name of the task.
      metric: name of the metric.
      columns: subsets of modalities as text, from all to each alone.
      rows: letter of each run that has the task, the cell of each column, and the best score of a
        constant prediction. A cell is a list of lines: mean, std and both intervals, then the
        difference from all modalities of the run with both intervals. It is `NOT_FINITE` alone if
        there is no value, and empty if the model does not have these modalities.
    """

    task: str
    metric: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Sequence[str]], str]]

    @property
    def title(self) -> str:
        """Task and metric as text."""
        return f"{self.task}: {formatting.metric_name(self.metric)}"


def of_runs(runs: Sequence[Evaluated]) -> list[Matrix]:
    """The matrices of all tasks and their main metrics."""
    names = dict.fromkeys(task for run in runs for task in run.results["tasks"])
    return [matrix for name in names for matrix in _of_task(runs, name)]


def show(runs: Sequence[Evaluated], console: Console) -> None:
    """Prints a table for each task and main metric, and which run each letter stands for.

    Args:
      runs: evaluated runs.
      console: output console.
    """
    mark = formatting.marked("modalities present", _synthetic(runs))
    for matrix in of_runs(runs):
        table = Table(
            title=plain(f"{mark}: {matrix.title}"),
            title_justify="left",
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
            show_edge=False,
        )
        table.add_column("run")
        for column in matrix.columns:
            # Each modality in a line of its own keeps the columns of three modalities narrow.
            table.add_column(plain(column.replace(", ", ",\n")), justify="right", overflow="fold")
        table.add_column("best\nconst.", justify="right")
        for letter, cells, constant in matrix.rows:
            table.add_row(letter, *(plain(_in_terminal(cell)) for cell in cells), short(constant))
        console.print(table)
    for letter, text in _heads(runs):
        console.print(plain(f"  {letter}: {text}"), soft_wrap=True)
    for note in notes(runs):
        console.print(plain(f"  {note}"), soft_wrap=True)


def place(sources: Sequence[Path], out: str | Path | None) -> Path:
    """The page to write: `report-missing.html` next to the first run, unless `out` names another.

    Args:
      sources: run directories.
      out: HTML file or folder; None for the default.

    Raises:
      UserError: no files can be created there.
    """
    return page.place(out, sources[0].resolve().parent / "report-missing.html")


def write(runs: Sequence[Evaluated], target: Path) -> Path:
    """Writes the self-contained page of several runs, see `place`, and returns it."""
    synthetic = _synthetic(runs)
    values = {
        "title": formatting.marked("What remains of several systems", synthetic),
        "synthetic": synthetic,
        "split": runs[0].results["split"]["name"],
        "heads": _heads(runs),
        "matrices": of_runs(runs),
        "notes": notes(runs),
        "methods": [intervals.OVER_RUNS, intervals.OVER_ITEMS, PAIRED],
    }
    return page.write("missing_matrix.html", target, values)


def notes(runs: Sequence[Evaluated]) -> list[str]:
    """Notes that are needed to compare the rows."""
    lines = ["absent: in all recordings, sequences and vectors are zero, and masks false"]
    letters = comparison.letters(len(runs))
    if marked := [x for x, run in zip(letters, runs, strict=True) if run.results["synthetic"]]:
        lines.append(f"SYNTHETIC data, which say nothing about people: {', '.join(marked)}")
    # A column compares systems only if they answered the same questions.
    tested = []
    for run in runs:
        complete = run.folder / "+".join(run.results["modalities"])
        tested.append(comparison.tested_by(replace(_described(run), folder=complete)))
    if others := comparison.unlike(tested):
        lines.append(
            f"NOT tested on the same recordings: {'; '.join(others)}; do not compare their rows"
        )
    else:
        lines.append("all runs were tested on the same recordings")
    return lines


def _synthetic(runs: Sequence[Evaluated]) -> bool:
    """Whether all runs have synthetic data; otherwise a note says which have."""
    return all(run.results["synthetic"] for run in runs)


def _described(run: Evaluated) -> titles.Run:
    return titles.read(run.source, run.results)


def _heads(runs: Sequence[Evaluated]) -> list[tuple[str, str]]:
    """Letter of each run, and what it stands for."""
    names = titles.distinct([_described(run) for run in runs])
    return [
        (
            letter,
            f"{name}, in the folder {run.source.resolve().name}; modality_dropout"
            f" {run.results['modality_dropout']:g}",
        )
        for letter, name, run in zip(comparison.letters(len(runs)), names, runs, strict=True)
    ]


def _of_task(runs: Sequence[Evaluated], name: str) -> list[Matrix]:
    """The matrix of each main metric of a task."""
    letters = comparison.letters(len(runs))
    tasks = {
        letter: run.results["tasks"][name]
        for letter, run in zip(letters, runs, strict=True)
        if name in run.results["tasks"]
    }
    columns = _columns(list(tasks.values()))
    matrices = []
    for metric in dict.fromkeys(
        m for task in tasks.values() for m in formatting.main_metrics(task)
    ):
        rows = [
            (letter, _cells(task, columns, metric), _constant(task, metric))
            for letter, task in tasks.items()
        ]
        matrices.append(Matrix(name, metric, list(columns.values()), rows))
    return matrices


def _columns(tasks: Sequence[Mapping[str, Any]]) -> dict[frozenset[str], str]:
    """Subsets of all runs and their titles; models may name modalities in another order."""
    found: dict[frozenset[str], str] = {}
    for row in (row for task in tasks for row in task["rows"]):
        found.setdefault(frozenset(row["present"]), ", ".join(row["present"]))
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))  # stable within a size


def _cells(
    task: Mapping[str, Any], columns: Mapping[frozenset[str], str], metric: str
) -> list[list[str]]:
    row_of = {frozenset(row["present"]): row for row in task["rows"]}
    return [_cell(row_of.get(present), metric) for present in columns]


def _cell(row: Mapping[str, Any] | None, metric: str) -> list[str]:
    if row is None:
        return []
    if row["summary"] is None:
        return [NOT_FINITE]
    return missing_report.lines(row, metric) if row["summary"].get(metric) else []


def _constant(task: Mapping[str, Any], metric: str) -> str:
    return formatting.number(task["constant"].get(metric), metric)


def _in_terminal(cell: Sequence[str]) -> str:
    """Mean, and below it the difference from all modalities; a dash if the model has them not."""
    if not cell:
        return "-"
    differences = [line.removeprefix("minus all ") for line in cell if line.startswith("minus")]
    return short("\n".join([cell[0], *differences]))
