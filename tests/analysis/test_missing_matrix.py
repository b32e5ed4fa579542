"""Several runs without some modalities: which cell holds what, and what cannot be compared."""

import io
import re
from pathlib import Path

import pytest
from fabricate import run_folder
from rich.console import Console

from jaxdep.analysis import missing_matrix, missing_modalities
from jaxdep.analysis.missing_matrix import Evaluated
from jaxdep.analysis.missing_modalities import Row
from jaxdep.errors import UserError

HOSTILE = '<img src="http://127.0.0.1:9/a.png" onerror=alert(1)> {{7*7}} [bold]'
TWO = [
    Row(("acoustic", "visual"), {}, 0),
    Row(("acoustic",), {}, 0),
    Row(("visual",), {"depression": (1,)}, 0),
]
THREE = [
    Row(("visual", "acoustic", "text"), {}, 0),
    Row(("visual", "acoustic"), {}, 0),
    Row(("text",), {}, 0),
]


def evaluated(path, rows, title, **options):
    """A run, and what `jaxdep missing` leaves in it."""
    run_folder(path, tasks=("depression",), items=20, title=title, **options)
    for number, row in enumerate(rows):
        if not row.not_finite:
            how = {"seed": number, "accuracy": 0.9 - 0.2 * number, "items": 20, **options}
            run_folder(path / "missing" / row.name, tasks=("depression",), paper=None, **how)
    about: missing_modalities.About = {"title": title, "modality_dropout": 0.25, "structure": {}}
    results = missing_modalities.write(path / "missing", rows, about)
    return Evaluated(path, path / "missing", results)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs")
    return [evaluated(path / "a", TWO, "Two"), evaluated(path / "b", THREE, HOSTILE)]


@pytest.fixture(scope="module")
def accuracy(runs):
    return missing_matrix.of_runs(runs)[0]


def printed(runs, width=80):
    text = io.StringIO()
    missing_matrix.show(runs, Console(file=text, width=width))
    return text.getvalue()


def test_columns_are_the_subsets_of_all_runs(accuracy):
    """In whichever order a model names its modalities."""
    assert accuracy.title == "depression: accuracy"
    assert accuracy.columns == [
        "visual, acoustic, text",
        "acoustic, visual",
        "acoustic",
        "visual",
        "text",
    ]


def test_cells(runs, accuracy):
    (a, two, constant), (b, three, _) = accuracy.rows
    assert (a, b) == ("A", "B")
    assert [bool(cell) for cell in two] == [False, True, True, True, False]
    assert [bool(cell) for cell in three] == [True, True, False, False, True]
    assert two[3] == [missing_matrix.NOT_FINITE]
    task = runs[0].results["tasks"]["depression"]
    voice = task["rows"][1]
    assert two[2][0] == f"{voice['summary']['accuracy']['mean']:.3f}"
    assert f"minus all {voice['differences']['accuracy']['mean']:+.3f}" in two[2]
    assert not any("minus all" in line for line in two[1])
    assert constant == f"{task['constant']['accuracy']:.3f}"


def test_page(runs, tmp_path):
    target = missing_matrix.place([run.source for run in runs], tmp_path / "new")
    page = missing_matrix.write(runs, target).read_text()
    assert target == tmp_path / "new" / "report-missing.html"
    assert page.count("SYNTHETIC") >= 2
    assert "modality_dropout 0.25" in page
    assert "all runs were tested on the same recordings" in page
    assert "minus all" in page
    assert "<img" not in page
    assert "{{7*7}}" in page
    assert "default-src 'none'" in page


def test_terminal(runs):
    text = printed(runs)
    tables, _ = text.split("\n  A: ")
    assert max(map(len, tables.splitlines())) <= 80
    assert "SYNTHETIC: modalities present: depression: accuracy" in text
    assert re.search(r"^A +- +\.\d{3} +\.\d{3} +not finite +- +\.\d{3}", text, re.M)
    assert re.search(r"^ +[+-]\.\d{3}", text, re.M)
    assert HOSTILE in " ".join(printed(runs, 400).split())


def test_other_recordings_and_real_data(runs, tmp_path):
    real = evaluated(tmp_path / "c", TWO[:2], "Real", synthetic=False)
    notes = missing_matrix.notes([runs[0], real])
    assert any(note.startswith("NOT tested on the same recordings: A and B") for note in notes)
    assert "SYNTHETIC data, which say nothing about people: A" in notes
    text = printed([runs[0], real])
    assert "SYNTHETIC: modalities present" not in text
    assert "A: SYNTHETIC: Two" in text
    assert "SYNTHETIC" not in printed([real, real])


def test_place(tmp_path):
    sources = [tmp_path / "a", tmp_path / "b"]
    assert missing_matrix.place(sources, None) == tmp_path.resolve() / "report-missing.html"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="expected a folder"):
        missing_matrix.place([Path("a")], tmp_path / "file")
