"""`jaxdep bench` refuses what it cannot do, before anything is measured."""

import re
import shutil
from pathlib import Path

import pytest

from jaxdep.cli.commands.benchmarks import bench
from jaxdep.errors import UserError

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("all", {}, "bench all: name the folder to write to with --out"),
        ("law", {"folders": (RESULTS,)}, "bench law: name the folder"),
        ("all", {"model": "bert", "out": Path("x")}, "--model bert: no rows of it"),
        ("compare", {"folders": (RESULTS,)}, "expected 2 folders of results, got 1"),
        ("epoch", {"folders": (RESULTS,)}, "expected 0 folders of results, got 1"),
        ("tables", {"folders": (Path("nowhere"),)}, "nowhere: no results"),
        ("epoch", {"repeats": 0}, "--repeats and --seeds must be at least 1"),
    ],
)
def test_mistakes(name, options, message):
    with pytest.raises(UserError, match=message):
        bench(name, **options)


def test_results_equal_themselves(capsys):
    assert bench("compare", (RESULTS, RESULTS)) == 0
    assert re.search(r"^0 of [1-9]\d* ratios changed", capsys.readouterr().out, re.MULTILINE)


def test_tables_are_rewritten(tmp_path):
    for path in RESULTS.glob("*.json"):
        shutil.copy(path, tmp_path)
    assert bench("tables", (tmp_path,)) == 0
    assert (tmp_path / "README.md").read_text() == (RESULTS / "README.md").read_text()
