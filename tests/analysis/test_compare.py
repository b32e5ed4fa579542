"""Differences between two runs, and their intervals."""

import pytest
from fabricate import run_folder

from jaxdep.analysis import compare, results
from jaxdep.errors import UserError


def test_difference_of_two_runs(tmp_path):
    first = run_folder(tmp_path / "a", synthetic=False, name="lr", accuracy=0.3)
    second = run_folder(tmp_path / "b", synthetic=False, name="amm", accuracy=0.95, seed=1)
    pair = compare.paired(second, first, "depression")
    each = [results.compute(run)["tasks"]["depression"]["summary"] for run in (second, first)]
    expected = each[0]["accuracy"]["mean"] - each[1]["accuracy"]["mean"]
    assert pair["difference"] == pytest.approx(expected)
    assert pair["interval_items"][0] > 0


def test_difference_over_runs(tmp_path):
    first = run_folder(tmp_path / "a", seeds=range(6), accuracy=0.9)
    other = run_folder(tmp_path / "b", seeds=range(5), accuracy=0.3, seed=1)
    exact = run_folder(tmp_path / "c", seeds=(0,), accuracy=0.3, seed=2, deterministic=True)
    lone = run_folder(tmp_path / "d", seeds=(0,), accuracy=0.3, seed=2)
    for second, runs in ((other, [6, 5]), (exact, [6, 1])):
        pair = compare.paired(first, second, "depression", "f1_weighted")
        low, high = pair["interval_runs"]
        assert 0 < low < pair["difference"] < high
        assert pair["runs"] == runs
    # One seed of a fit that draws at random says nothing of others.
    assert compare.paired(first, lone, "depression")["interval_runs"] is None
    assert compare.paired(exact, exact, "depression")["interval_runs"] is None


def test_a_run_less_itself_is_nothing(tmp_path):
    first = run_folder(tmp_path / "a")
    pair = compare.paired(first, first, "emotion", "f1_macro")
    assert pair["difference"] == 0
    assert pair["interval_items"] == (0, 0)


def test_only_the_same_recordings_are_compared(tmp_path):
    first = run_folder(tmp_path / "a", items=20)
    second = run_folder(tmp_path / "b", items=30)
    with pytest.raises(UserError, match="not tested on the same recordings"):
        compare.paired(first, second, "depression")
