"""Compares the rows of a paper's tables with its figures, from the runs of a reproduction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict  # Pydantic needs it before Python 3.12

from jaxdep.analysis import departures, formatting, published, results
from jaxdep.artifacts.files import read_json
from jaxdep.artifacts.schema import check_document
from jaxdep.errors import UserError

TABLES = "tables.json"
"""File with the rows of the tables, and their run directories."""

RUNS = "runs"
"""Folder of the run directories."""

Inside = Literal["yes", "no", "items only", "runs only", ""]
"""Whether the paper's figure lies in both our intervals; empty if they are not comparable."""


class RowEntry(TypedDict):
    """A row of a table: its run directory in `runs/`, or the reason why it has none.

    `overrides` are the settings that the row itself changes, by dotted path.
    """

    label: str
    corpus: str
    task: str
    own: bool
    run: str
    reason: str
    overrides: NotRequired[list[str]]  # earlier versions did not write them


class TableEntry(TypedDict):
    """A table of a paper."""

    name: str
    source: str
    title: str
    proposed: str
    note: str
    rows: list[RowEntry]


class PaperEntry(TypedDict):
    """Content of `tables.json`."""

    paper: str
    system: str
    title: str
    tables: list[TableEntry]


@dataclass(frozen=True)
class Line:
    """One metric of one row of a table, or a row without results.

    Attributes:
      table: name of the table, as on the command line.
      source: name of the table in the paper; empty if the paper does not have it.
      row: name of the row.
      corpus: corpus of the row.
      task: task of the row.
      own: whether the row is the paper's system or a variant of it.
      metric: name in `jaxdep.analysis.metrics`; empty if the row has no results.
      mean: mean over the runs.
      std: standard deviation over the runs, with ddof 1.
      runs: number of runs that were counted.
      interval_runs: 95% interval over runs.
      interval_items: 95% interval over test items.
      paper: the paper's figure; None if there is none, or if it is withheld.
      inside: whether the paper's figure lies in our intervals.
      synthetic: whether ours was computed on synthetic data.
      run: name of the run directory.
      reason: why there is no result.
      split: split on which ours was evaluated.
      withheld: why the paper's figures are withheld: how the run departs from the paper.
      contradictions: remarks on figures of the paper that contradict others.
    """

    table: str
    source: str
    row: str
    corpus: str
    task: str
    own: bool
    metric: str = ""
    mean: float | None = None
    std: float | None = None
    runs: int = 0
    interval_runs: tuple[float, float] | None = None
    interval_items: tuple[float, float] | None = None
    paper: float | None = None
    inside: Inside = ""
    synthetic: bool = False
    run: str = ""
    reason: str = ""
    split: str = ""
    withheld: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coverage:
    """How many of a paper's published rows are reproduced.

    Attributes:
      paper: name of the paper.
      own: whether the rows are the paper's system and its variants, rather than other methods.
      rows: number of rows with published figures.
      experiments: number of them that an experiment reproduces.
      reasons: number of them that none does, for a reason given in the table.
    """

    paper: str
    own: bool
    rows: int
    experiments: int
    reasons: int


def read_tables(folder: Path) -> PaperEntry:
    """Reads `tables.json`.

    Raises:
      UserError: the folder is not one of `jaxdep reproduce`, or the file is damaged.
    """
    try:
        document = read_json(folder / TABLES)
        check_document(document, PaperEntry)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder} is not the folder of a reproduction: {TABLES} cannot be read ({error});"
            " pass a folder created by `jaxdep reproduce`"
        ) from None
    return document


def lines_of(paper: PaperEntry, all_results: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """The lines of all tables.

    Args:
      paper: content of `tables.json`.
      all_results: content of `results.json` by name of the run directory.
    """
    return [
        line
        for table in paper["tables"]
        for row in table["rows"]
        for line in _row_lines(paper["system"], table, row, all_results)
    ]


def _row_lines(
    system: str,
    table: TableEntry,
    row: RowEntry,
    all_results: Mapping[str, Mapping[str, Any]],
) -> list[Line]:
    key = {"system": system, "source": table["source"], "row": row["label"]}
    figures = published.figures(key, row["corpus"], row["task"])
    notes = tuple(published.notes(key, row["corpus"], row["task"]))
    place = (table["name"], table["source"], row["label"], row["corpus"], row["task"], row["own"])
    if not row["run"]:
        return [
            Line(*place, metric, paper=value, reason=row["reason"], contradictions=notes)
            for metric, value in (figures or {"": None}).items()
        ]
    found = all_results[row["run"]]
    task = found["tasks"][_task_of(row, found)]
    if not task["summary"]:
        return [Line(*place, run=row["run"], reason="every run diverged", contradictions=notes)]
    wanted = figures or dict.fromkeys(_columns(system, table, row) or formatting.headline(task)[:3])
    withheld: tuple[str, ...] = ()
    if figures and not found["synthetic"]:
        withheld = tuple(departures.of_run(found, row.get("overrides", ()), all_results))
    lines = []
    for metric in wanted:
        summary = task["summary"].get(metric)
        if not summary:
            continue
        paper = None if withheld else figures.get(metric)
        lines.append(
            Line(
                *place,
                metric,
                summary["mean"],
                summary["std"],
                summary["runs"],
                summary["interval_runs"],
                summary["interval_items"],
                paper,
                "" if paper is None or found["synthetic"] else _inside(paper, summary),
                found["synthetic"],
                row["run"],
                split=found["split"]["name"],
                withheld=withheld,
                contradictions=() if withheld else notes,
            )
        )
    return lines


def _task_of(row: RowEntry, found: Mapping[str, Any]) -> str:
    """The task of a run that a row reports: the named one, or the main task under another name."""
    return row["task"] if row["task"] in found["tasks"] else next(iter(found["tasks"]))


def _columns(system: str, table: TableEntry, row: RowEntry) -> list[str]:
    """Metrics that the paper reports for other rows of the table on this corpus and task."""
    found: dict[str, None] = {}
    for other in table["rows"]:
        if (other["corpus"], other["task"]) == (row["corpus"], row["task"]):
            key = {"system": system, "source": table["source"], "row": other["label"]}
            found |= dict.fromkeys(published.figures(key, row["corpus"], row["task"]))
    return list(found)


def _inside(figure: float, summary: Mapping[str, Any]) -> Inside:
    """Whether a figure lies in the intervals over runs and over items; one run has no first."""
    low_high = [summary["interval_runs"], summary["interval_items"]]
    runs, items = (pair is not None and pair[0] <= figure <= pair[1] for pair in low_high)
    if summary["interval_runs"] is None:
        return "items only" if items else "no"
    if runs and items:
        return "yes"
    return "runs only" if runs else "items only" if items else "no"


def read_results(folder: Path, paper: PaperEntry) -> dict[str, dict[str, Any]]:
    """Content of `results.json` of every run that the tables name, by run directory."""
    names = {row["run"] for table in paper["tables"] for row in table["rows"] if row["run"]}
    return {name: results.load(folder / RUNS / name, "results.json") for name in sorted(names)}


def write(folder: Path) -> Sequence[Line]:
    """Writes the page of a reproduction, and its tables as Markdown, LaTeX and CSV.

    Returns:
      The lines of the tables.

    Raises:
      UserError: the folder is not one of `jaxdep reproduce`, or a run in it is damaged.
    """
    from jaxdep.analysis import reproduction_page, reproduction_words  # import matplotlib

    paper = read_tables(folder)
    all_results = read_results(folder, paper)
    paper = reproduction_words.noted(folder, paper, all_results)
    lines = lines_of(paper, all_results)
    reproduction_page.write(folder, paper, lines, all_results)
    return lines
