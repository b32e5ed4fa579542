"""Rows of tests of several pairs of runs."""

import numpy as np
from fabricate import run_folder

from jaxdep.analysis import pairwise
from jaxdep.analysis.pairwise_table import HEADS, Pair, rows


def test_only_the_bootstrap_is_corrected_alone_and_a_pair_of_other_recordings_says_so(tmp_path):
    better = run_folder(tmp_path / "a", accuracy=0.9)
    worse = run_folder(tmp_path / "b", accuracy=0.4, seed=1)
    others = run_folder(tmp_path / "c", items=20)
    pairs = [
        Pair("b minus a", worse, better, "depression", "accuracy"),
        Pair("c minus a", others, better, "depression", "accuracy"),
    ]
    tested, unpaired = (
        dict(zip(HEADS, row, strict=True)) for row in rows(pairs, only_bootstrap=True)
    )
    (bootstrap,) = pairwise.between(worse, better, "depression", "accuracy", only_bootstrap=True)
    assert bootstrap.p is not None
    assert bootstrap.difference is not None
    assert bootstrap.p == pairwise.between(worse, better, "depression", "accuracy")[0].p
    assert tested["p"] == tested["p, Holm"] == f"{bootstrap.p:.3g}"
    assert np.isclose(float(tested["difference"]), bootstrap.difference, atol=5e-4)
    assert {unpaired[head] for head in HEADS[2:-1]} == {"-"}
    assert "same recordings" in unpaired["remark"]
    assert len(rows(pairs)) == 5


def test_each_test_is_named_once(tmp_path):
    first = run_folder(tmp_path / "a", accuracy=0.9)
    second = run_folder(tmp_path / "b", accuracy=0.4, seed=1)
    cells = [row[2] for row in rows([Pair("b minus a", first, second, "depression", "accuracy")])]
    names = [cell.partition(":")[0] for cell in cells]
    assert names == ["paired bootstrap", "McNemar", "DeLong", "Wilcoxon"]
    assert [cell.count(name) for cell, name in zip(cells, names, strict=True)] == [1] * 4
    assert cells[0].endswith("other seeds? (60 subjects and 3 seeds)")
