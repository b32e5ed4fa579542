"""Writes the tables of a reproduction for other programs: Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from itertools import groupby

from jaxdep.analysis import formatting, system_grid
from jaxdep.analysis.reproduction import Line, PaperEntry, TableEntry
from jaxdep.analysis.reproduction_notes import mixed, notes, title
from jaxdep.plain import markdown as escaped
from jaxdep.plain import visible

HEADS = ("row", "corpus", "metric", "ours", "std", "95% CI (runs)", "95% CI (items)", "paper", "in")
"""Heads of the columns of `cells`."""

_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def rows(lines: Sequence[Line]) -> list[list[str]]:
    """Cells of the lines of a table, one for each of `HEADS`.

    If only some of its corpora are SYNTHETIC, these are marked in each line.
    """
    mark = bool(mixed(lines))
    return [_cells(line, mark and line.synthetic) for line in lines]


def _cells(line: Line, mark: bool) -> list[str]:
    metric, corpus = line.metric, formatting.marked(line.corpus, mark)
    if line.task != "depression":
        corpus = f"{corpus}, {line.task}"
    head = [line.row, corpus, formatting.metric_name(metric) if metric else "-"]
    paper = formatting.number(line.paper, metric)
    if line.reason:
        return [*head, "-", "-", "-", "-", paper, "not run"]
    return [
        *head,
        formatting.number(line.mean, metric),
        formatting.number(line.std, metric),
        formatting.interval(line.interval_runs, metric),
        formatting.interval(line.interval_items, metric),
        paper,
        line.inside or "-",
    ]


def of_table(lines: Sequence[Line], table: TableEntry) -> list[Line]:
    """The lines of one table."""
    return [line for line in lines if line.table == table["name"]]


def to_markdown(paper: PaperEntry, lines: Sequence[Line]) -> str:
    """All tables as GitHub-flavoured Markdown."""
    parts = [f"# {escaped(paper['title'])}"]
    if grid := system_grid.of(paper, lines):
        parts += _markdown_table(grid.title, grid.heads, grid.rows, grid.notes)
    for table in paper["tables"]:
        chosen = of_table(lines, table)
        heading, remarks = title(table, chosen), notes(table, chosen)
        parts += _markdown_table(heading, HEADS, rows(chosen), remarks)
    return "\n\n".join(parts) + "\n"


def _markdown_table(
    heading: str, heads: Sequence[str], body: Sequence[Sequence[str]], remarks: Sequence[str]
) -> list[str]:
    """Paragraphs of a table, with its heading and notes."""
    escape = lambda row: [_in_markdown(cell) for cell in row]
    shown = [escape(heads), ["---"] * len(heads), *map(escape, body)]
    return [
        f"## {escaped(heading)}",
        "\n".join("| " + " | ".join(row) + " |" for row in shown),
        *(f"- {escaped(note)}" for note in remarks),
    ]


def to_latex(paper: PaperEntry, lines: Sequence[Line]) -> str:
    """All tables as LaTeX, for a document that uses the package booktabs."""
    parts = ["% \\usepackage{booktabs}"]
    if grid := system_grid.of(paper, lines):
        parts += _latex_table(grid.title, grid.heads, grid.rows, grid.notes, wide=True)
    for table in paper["tables"]:
        chosen = of_table(lines, table)
        shown = []
        key = lambda pair: (pair[0].row, pair[0].corpus, pair[0].task)
        for _, group in groupby(zip(chosen, rows(chosen), strict=True), key=key):
            for number, (_, (row, *others)) in enumerate(group):
                shown.append(["" if number else row, *others])
        heading, remarks = title(table, chosen), notes(table, chosen)
        parts += _latex_table(heading, HEADS, shown, remarks)
    return "\n".join(parts)


def _latex_table(
    heading: str,
    heads: Sequence[str],
    body: Sequence[Sequence[str]],
    remarks: Sequence[str],
    *,
    wide: bool = False,
) -> list[str]:
    """Lines of a table of text and numbers over all columns of a page; a `wide` one is smaller."""
    size, gap = (r"\scriptsize", "2pt") if wide else (r"\footnotesize", "3pt")
    columns = "l" * len(heads) if wide else f"lll{'r' * (len(heads) - 4)}l"
    line = lambda row: " & ".join(map(_in_latex, row)) + r" \\"
    return [
        r"\begin{table*}",
        r"\centering",
        rf"{size}\setlength{{\tabcolsep}}{{{gap}}}",
        rf"\caption{{{_in_latex(heading)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        line(heads),
        r"\midrule",
        *map(line, body),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {_in_latex(note)}" for note in remarks),
        r"\end{table*}",
        "",
    ]


def to_csv(lines: Sequence[Line]) -> str:
    """All lines with full precision, one column for each field of `Line`."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    plain = ("table", "source", "row", "corpus", "task", "own", "metric", "mean", "std", "runs")
    intervals = ("runs_low", "runs_high", "items_low", "items_high")
    rest = ("paper", "inside", "synthetic", "run", "reason", "split")
    out.writerow([*plain, *intervals, *rest, "withheld", "contradictions"])
    for line in lines:
        bounds = [*(line.interval_runs or ("", "")), *(line.interval_items or ("", ""))]
        values = [getattr(line, name) for name in (*plain, *rest)]
        values[len(plain) : len(plain)] = bounds
        shown = ["" if value is None else value for value in values]
        out.writerow([*shown, "; ".join(line.withheld), "; ".join(line.contradictions)])
    return text.getvalue()


def _in_markdown(cell: str) -> str:
    return escaped(cell) if cell != "-" else cell


def _in_latex(text: str) -> str:
    line = " ".join(visible(text).split())
    return re.sub(r"[&%$#_{}~^\\]", lambda found: _LATEX[found[0]], line)
