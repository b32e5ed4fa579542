"""Every system on every corpus in one grid: its cells, its footnotes, and its other formats."""

import re
from dataclasses import replace

import pytest
from fabricate import run_folder, write

from jaxdep.analysis import reproduction, results, system_grid, table_formats
from jaxdep.analysis.reproduction import Line, PaperEntry

PAPER: PaperEntry = {"paper": "matrix", "system": "", "title": "Everything", "tables": []}


def line(row, corpus, metric="", mean=None, **values):
    interval = (mean - 0.1, mean + 0.1) if mean is not None else None
    given = {"metric": metric, "mean": mean, "interval_items": interval} | values
    return Line("t", "", row, corpus, "depression", True, **given)


LINES = [
    line("JAMFN", "dvlog", "accuracy", 0.9, synthetic=True),
    line("JAMFN", "dvlog", "balanced_accuracy", 0.8, synthetic=True),
    line("MDDR", "dvlog", reason="it predicts a score"),
    line("SVM", "dvlog", "accuracy", 0.7, synthetic=True),
    line("SVM", "dvlog", "balanced_accuracy", 0.6, synthetic=True),
    line("JAMFN", "avec2014", reason="it needs one frame rate"),
    line("MDDR", "avec2014", "mae", 7.0),
    line("MDDR", "avec2014", "rmse", 9.0),
    line("HAN", "avec2014", run="han", reason="every run diverged"),
]


def test_cells_and_footnotes():
    grid = system_grid.of(PAPER, LINES)
    assert grid is not None
    assert grid.title == "SYNTHETIC on dvlog: Everything: overview"
    assert grid.heads == ["system", "SYNTHETIC: dvlog, balanced accuracy", "avec2014, MAE (points)"]
    assert grid.rows == [
        ["JAMFN", "0.800 [0.700, 0.900]", "- (2)"],
        ["MDDR", "- (1)", "7.00 [6.90, 7.10]"],
        ["SVM", "0.600 [0.500, 0.700]", "-"],
        ["HAN", "-", "- (3)"],
    ]
    assert list(grid.notes[1:]) == [
        "(1) no result: it predicts a score",
        "(2) no result: it needs one frame rate",
        "(3) no result: every run diverged",
    ]


def test_another_metric_and_a_corpus_without_results():
    lines = [line("A", "x", "accuracy", 0.5), line("A", "y", reason="no data")]
    grid = system_grid.of(PAPER, lines)
    assert grid is not None
    assert grid.title == "Everything: overview"
    assert grid.heads == ["system", "x, accuracy", "y, no result"]


@pytest.mark.parametrize(
    ("paper", "lines"),
    [
        (PAPER, [each for each in LINES if each.corpus == "dvlog"]),
        ({**PAPER, "system": "JAMFN"}, LINES),
    ],
)
def test_one_corpus_and_papers_have_no_grid(paper, lines):
    assert system_grid.of(paper, lines) is None
    assert "overview" not in table_formats.to_markdown(paper, lines)


def test_markdown_and_latex():
    lines = [*LINES, replace(LINES[0], row="A|B & C_1")]
    markdown = table_formats.to_markdown(PAPER, lines)
    assert "## SYNTHETIC on dvlog: Everything: overview" in markdown
    assert "| JAMFN | 0\\.800 \\[0.700, 0.900\\] | \\- (2) |" in markdown
    assert "| A\\|B \\& C\\_1 | 0\\.900" in markdown
    latex = table_formats.to_latex(PAPER, lines)
    assert r"\begin{tabular}{lll}" in latex
    assert r"MDDR & - (1) & 7.00 [6.90, 7.10] \\" in latex
    assert r"A|B \& C\_1 & 0.900" in latex
    assert latex.count(r"\begin{table*}") == latex.count(r"\end{table*}") == 1


def test_on_the_page(tmp_path):
    for corpus in ("dvlog", "ewre"):
        folder = tmp_path / "runs" / corpus
        results.write(run_folder(folder, (0, 1), items=20, corpus=corpus, paper=None))
    table = {"source": "", "title": "On", "proposed": "JAMFN", "note": ""}
    row = {"label": "JAMFN", "task": "depression", "own": True, "reason": ""}
    tables = [
        {**table, "name": name, "rows": [{**row, "corpus": name, "run": name}]}
        for name in ("dvlog", "ewre")
    ]
    write(tmp_path / "tables.json", {**PAPER, "tables": tables})
    reproduction.write(tmp_path)
    page = (tmp_path / "report.html").read_text()
    overview = page.partition('<h2 id="overview">')[2].partition("</table>")[0]
    heads = re.findall(r"<th>(.*?)</th>", overview)
    assert heads[1:] == [f"SYNTHETIC: {name}, balanced accuracy" for name in ("dvlog", "ewre")]
    cells = re.findall(r"<td>(.*?)</td>", overview)
    assert cells[0] == "JAMFN"
    assert re.fullmatch(r"0\.\d{3} \[0\.\d{3}, [01]\.\d{3}\]", cells[1])
