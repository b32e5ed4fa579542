"""Tests of the difference between two run directories."""

import csv
import json
from typing import Any

import numpy as np
import pytest
from fabricate import run_folder
from scipy import special
from scipy import stats as _stats

from jaxdep.analysis import compare, pairwise, significance
from jaxdep.analysis.predictions import read
from jaxdep.errors import UserError

# Results are read here without asking first whether they are there.
between: Any = pairwise.between
stats: Any = _stats


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two systems of which the first is better."""
    folder = tmp_path_factory.mktemp("runs")
    seeds = range(7)
    better = run_folder(folder / "a", seeds=seeds, accuracy=0.9)
    return better, run_folder(folder / "b", seeds=seeds, accuracy=0.4, seed=1)


def columns(folder, task, name):
    with (folder / "predictions.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["task"] == task]
    runs = sorted({row["run"] for row in rows})
    return np.array([[float(row[name]) for row in rows if row["run"] == run] for run in runs])


def test_two_classes(folders):
    tests = between(*folders, "depression")
    assert [test.method for test in tests] == ["paired bootstrap", "McNemar", "DeLong", "Wilcoxon"]
    bootstrap, mcnemar, delong, wilcoxon = tests
    pair = compare.paired(folders[0], folders[1], "depression")
    assert bootstrap.difference == pytest.approx(pair["difference"])
    assert wilcoxon.difference == pytest.approx(pair["difference"])
    assert all(test.p is not None and test.p < 0.05 for test in tests)
    target = columns(folders[0], "depression", "target")[0]
    positive = [columns(x, "depression", "probability").mean(0) for x in folders]
    right = [(p > 0.5) == target for p in positive]
    assert mcnemar.difference == pytest.approx(right[0].mean() - right[1].mean())
    assert mcnemar.p == significance.mcnemar(right[0], right[1], np.arange(60)).p
    areas = [np.mean(p[target == 1][:, None] > p[target == 0]) for p in positive]
    assert delong.difference == pytest.approx(areas[0] - areas[1])
    assert bootstrap.units == "60 subjects and 7 seeds"
    assert wilcoxon.units == "7 seeds"


def test_several_classes_and_another_metric(folders):
    tests = between(*folders, "emotion", "f1_macro")
    assert [test.method for test in tests] == ["paired bootstrap", "McNemar", "Wilcoxon"]
    expected = compare.paired(folders[0], folders[1], "emotion", "f1_macro")["difference"]
    assert tests[0].difference == pytest.approx(expected)


def test_turned_around(folders):
    there, back = (between(*x, "depression") for x in (folders, folders[::-1]))
    for one, other in zip(there, back, strict=True):
        assert one.p == pytest.approx(other.p)
        assert one.difference == pytest.approx(-(other.difference or 0))


def test_regression(tmp_path):
    first, second = (
        run_folder(tmp_path / name, tasks=("score",), seeds=range(6), seed=seed)
        for seed, name in enumerate("ab")
    )
    tests = between(first, second, "score")
    assert [test.units for test in tests] == ["60 subjects and 6 seeds", "60 subjects", "6 seeds"]
    error = [
        np.abs(columns(x, "score", "prediction") - columns(x, "score", "target")).mean(0)
        for x in (first, second)
    ]
    assert tests[1].p == pytest.approx(stats.wilcoxon(error[0] - error[1]).pvalue)
    assert tests[0].difference == pytest.approx(error[0].mean() - error[1].mean())


def test_subjects_with_several_recordings(folders):
    subjects = {f"v{item:03d}": f"s{item // 3}" for item in range(60)}
    tests = between(*folders, "depression", subjects=subjects)
    bootstrap, mcnemar, delong, wilcoxon = tests
    assert bootstrap.units == "20 subjects and 7 seeds"
    assert bootstrap.p is not None
    for test in (mcnemar, delong):
        assert test.p is None
        assert "several recordings" in test.reason
    assert wilcoxon.p is not None


def test_seeds_are_paired_only_if_they_are_the_same(folders, tmp_path):
    other = run_folder(tmp_path / "c", seeds=range(3, 12), accuracy=0.4, seed=2)
    tests = between(folders[0], other, "depression")
    assert tests[0].units == "60 subjects and 7 and 9 seeds"
    assert tests[-1].units == "4 seeds"  # 3 to 6, which both have
    assert "fewer than 6" in tests[-1].reason
    exact = run_folder(tmp_path / "d", seeds=(0,), accuracy=0.4, seed=2, deterministic=True)
    tests = between(folders[0], exact, "depression")
    assert tests[0].units == "60 subjects and 7 and 1 seeds"
    assert tests[0].p is not None
    strangers = run_folder(tmp_path / "e", seeds=(20, 21), accuracy=0.4)
    assert between(folders[0], strangers, "depression")[-1].difference is None


@pytest.mark.parametrize("task", ["depression", "emotion"])
def test_files_of_earlier_versions(folders, tmp_path, task):
    """Without logits, two classes have the same result, and several classes a vote of the runs."""
    with (folders[0] / "predictions.csv").open() as file:
        rows = [row[:-1] for row in csv.reader(file)]
    copy = run_folder(tmp_path / "c", seeds=range(7))
    with (copy / "predictions.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    now, before = (between(x, folders[1], task)[1] for x in (folders[0], copy))
    assert (now.method, before.method) == ("McNemar", "McNemar")
    assert now.difference is not None
    assert before.difference is not None
    if task == "depression":
        assert before == now
        return
    target = columns(copy, task, "target")[0]
    votes = columns(copy, task, "prediction").astype(int)
    voted = np.array([np.bincount(column).argmax() for column in votes.T])
    logits = read(folders[0] / "predictions.csv")[task].logits
    averaged = special.softmax(logits, -1).mean(0).argmax(-1)
    changed = (voted == target).mean() - (averaged == target).mean()
    assert before.difference - now.difference == pytest.approx(changed)


def test_diverged_runs_and_other_recordings(folders, tmp_path):
    part = run_folder(tmp_path / "c", seeds=range(7), diverged=(0,), accuracy=0.4)
    tests = between(folders[0], part, "depression")
    assert tests[0].units == "60 subjects and 7 and 6 seeds"
    assert tests[-1].units == "6 seeds"
    fewer = run_folder(tmp_path / "d", items=20)
    with pytest.raises(UserError, match="not tested on the same recordings"):
        between(folders[0], fewer, "depression")


def test_correction_over_a_table(folders):
    rows = [test for task in ("depression", "emotion") for test in between(*folders, task)]
    corrected = significance.holm(rows)
    assert [test.p for test in corrected] == [test.p for test in rows]
    assert all(one.p is None or (one.corrected or 0) >= one.p for one in corrected)
    assert json.dumps([test.corrected for test in corrected])
