"""Arranges the lines of a reproduction as one grid: a row for each system, a column a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxdep.analysis import formatting
from jaxdep.analysis.reproduction import Line, PaperEntry
from jaxdep.analysis.reproduction_notes import marked

_METRICS = ("balanced_accuracy", "mae")
"""Metrics of the grid. A constant prediction has the same balanced accuracy on every corpus."""

_CELLS = (
    "Each cell is the mean over runs, with the 95% interval over test items. The balanced accuracy"
    " of a constant prediction is 1 divided by the number of classes; the MAE is in points."
)


@dataclass(frozen=True)
class Grid:
    """A table of every system on every corpus.

    Attributes:
      title: title, marked as SYNTHETIC if a result is.
      heads: heads of the columns: "system", and each corpus with its metric.
      rows: the name of each system, and its cells.
      notes: what the cells show, and the numbered reasons for those without a result.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]


def of(paper: PaperEntry, lines: Sequence[Line]) -> Grid | None:
    """The grid of tables that no paper has; None for a paper, or for a single corpus.

    Args:
      paper: content of `tables.json`.
      lines: lines of its tables.
    """
    corpora = list(dict.fromkeys(line.corpus for line in lines))
    if paper["system"] or len(corpora) < 2:
        return None
    chosen = {(line.row, line.corpus): line for line in sorted(lines, key=_rank, reverse=True)}
    reasons = list(dict.fromkeys(line.reason for line in lines if line.reason))
    return Grid(
        marked(f"{paper['title']}: overview", lines),
        ["system", *(_head(corpus, lines) for corpus in corpora)],
        [
            [row, *(_cell(chosen.get((row, corpus)), reasons) for corpus in corpora)]
            for row in dict.fromkeys(line.row for line in lines)
        ],
        [_CELLS, *(f"({number}) no result: {reason}" for number, reason in enumerate(reasons, 1))],
    )


def _rank(line: Line) -> int:
    """Place of a line among those of its row; the first one is shown."""
    return _METRICS.index(line.metric) if line.metric in _METRICS else len(_METRICS)


def _head(corpus: str, lines: Sequence[Line]) -> str:
    """A corpus, marked if its results are on a stand-in, and its metric."""
    found = [line for line in lines if line.corpus == corpus and line.mean is not None]
    metric = formatting.metric_name(min(found, key=_rank).metric) if found else "no result"
    return formatting.marked(f"{corpus}, {metric}", any(line.synthetic for line in found))


def _cell(line: Line | None, reasons: Sequence[str]) -> str:
    if line is None:
        return "-"
    if line.reason:
        return f"- ({reasons.index(line.reason) + 1})"
    mean, interval = line.mean, line.interval_items
    return f"{formatting.number(mean, line.metric)} {formatting.interval(interval, line.metric)}"
