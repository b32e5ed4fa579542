"""Writes the tables of a reproduction for other programs: Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from itertools import groupby

from jaxdep.analysis import formatting, system_grid
from jaxdep.analysis.reproduction import Line, PaperEntry, TableEntry
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


def cells(line: Line) -> list[str]:
    """Cells of a line, one for each of `HEADS`."""
    metric, corpus = line.metric, line.corpus
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


def title(table: TableEntry, lines: Sequence[Line]) -> str:
    """Title of a table, marked as SYNTHETIC if a result is."""
    source = f"{table['source']}: " if table["source"] else ""
    mark = "SYNTHETIC: " if any(line.synthetic for line in lines) else ""
    return f"{mark}{source}{table['title']}"


def notes(table: TableEntry, lines: Sequence[Line]) -> list[str]:
    """Notes below a table: on the comparison, on the data, and on the paper's own figures."""
    found = [table["note"]] if table["note"] else []
    if any(line.synthetic for line in lines):
        found.append(
            "Ours is SYNTHETIC: computed on a stand-in, it must not be compared with the paper's"
            " figures."
        )
    reasons: dict[str, dict[str, None]] = {}
    for line in lines:
        if line.reason:
            reasons.setdefault(line.reason, {})[line.row] = None
    found += [f"Not run: {', '.join(rows)}: {reason}." for reason, rows in reasons.items()]
    contradicted = {line.row: line.contradictions for line in lines if line.contradictions}
    found += [
        f"The paper contradicts itself in row {row}: {'; '.join(remarks)}."
        for row, remarks in contradicted.items()
    ]
    return found


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
        rows = [cells(line) for line in chosen]
        parts += _markdown_table(title(table, chosen), HEADS, rows, notes(table, chosen))
    return "\n\n".join(parts) + "\n"


def _markdown_table(
    heading: str, heads: Sequence[str], rows: Sequence[Sequence[str]], remarks: Sequence[str]
) -> list[str]:
    """Paragraphs of a table, with its heading and notes."""
    escape = lambda row: [_in_markdown(cell) for cell in row]
    shown = [escape(heads), ["---"] * len(heads), *map(escape, rows)]
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
        rows = []
        for _, group in groupby(chosen, key=lambda line: (line.row, line.corpus, line.task)):
            for number, line in enumerate(group):
                shown = cells(line)
                shown[0] = "" if number else shown[0]
                rows.append(shown)
        heading, remarks = title(table, chosen), notes(table, chosen)
        parts += _latex_table(heading, HEADS, rows, remarks)
    return "\n".join(parts)


def _latex_table(
    heading: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
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
        *map(line, rows),
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
    rest = ("paper", "inside", "synthetic", "run", "reason")
    out.writerow([*plain, *intervals, *rest, "contradictions"])
    for line in lines:
        bounds = [*(line.interval_runs or ("", "")), *(line.interval_items or ("", ""))]
        values = [getattr(line, name) for name in (*plain, *rest)]
        values[len(plain) : len(plain)] = bounds
        shown = ["" if value is None else value for value in values]
        out.writerow([*shown, "; ".join(line.contradictions)])
    return text.getvalue()


def _in_markdown(cell: str) -> str:
    return escaped(cell) if cell != "-" else cell


def _in_latex(text: str) -> str:
    line = " ".join(visible(text).split())
    return re.sub(r"[&%$#_{}~^\\]", lambda found: _LATEX[found[0]], line)
