"""Intervals hold what they say, and say nothing where there is nothing to say."""

import numpy as np
import pytest

from jaxdep.analysis import intervals


def ends(interval):
    assert interval is not None
    return interval


def mean_of(values):
    return {"mean": lambda drawn: drawn @ values / drawn.sum(1)}


@pytest.mark.parametrize(("runs", "least"), [(4, 0.82), (8, 0.91), (16, 0.91)])
def test_coverage_over_runs(runs, least):
    # The plain percentiles cover 0.79 (4 runs) and 0.90 (8): they would fail here.
    rng = np.random.default_rng(0)
    found = [ends(intervals.over_runs(rng.normal(0.7, 0.02, runs))) for _ in range(400)]
    covered = np.mean([low <= 0.7 <= high for low, high in found])
    assert least <= covered <= 0.98


def test_coverage_over_items():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(150):
        right = (rng.random(120) < 0.7).astype(float)
        found.append(ends(intervals.over_items(mean_of(right), 120)["mean"]))
    assert 0.90 <= np.mean([low <= 0.7 <= high for low, high in found]) <= 0.99


def test_width_over_items_is_that_of_a_proportion():
    right = np.repeat([1.0, 0.0], [140, 60])
    low, high = ends(intervals.over_items(mean_of(right), 200)["mean"])
    # 0.7 +- 1.96 sqrt(0.7 * 0.3 / 200), the normal approximation
    assert low == pytest.approx(0.7 - 0.0635, abs=0.006)
    assert high == pytest.approx(0.7 + 0.0635, abs=0.006)


def test_one_run_says_nothing_of_others():
    assert intervals.over_runs(np.array([0.8])) is None
    assert intervals.difference_over_runs(np.array([0.8]), np.array([0.7, 0.9])) is None


def test_equal_runs():
    assert intervals.over_runs(np.full(4, 0.75)) == (0.75, 0.75)
    assert intervals.over_items(mean_of(np.full(30, 0.5)), 30)["mean"] == (0.5, 0.5)


def test_few_runs_end_at_the_extremes():
    low, high = ends(intervals.over_runs(np.array([0.61, 0.70, 0.64])))
    assert (low, high) == (pytest.approx(0.61), pytest.approx(0.70))


def test_undefined_in_most_draws():
    undefined = {"auc": lambda drawn: np.full(len(drawn), np.nan)}
    assert intervals.over_items(undefined, 20)["auc"] is None
    assert intervals.over_items(mean_of(np.ones(1)), 1)["mean"] is None


def test_difference_over_runs():
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.8, 0.01, 8), rng.normal(0.7, 0.01, 8)
    low, high = ends(intervals.difference_over_runs(first, second))
    assert 0 < low < first.mean() - second.mean() < high
    swapped = intervals.difference_over_runs(second, first)
    assert swapped == (pytest.approx(-high, abs=2e-3), pytest.approx(-low, abs=2e-3))


def test_blocks_do_not_change_the_draws(monkeypatch):
    values = np.random.default_rng(4).random(50)
    whole = intervals.over_items(mean_of(values), 50)
    monkeypatch.setattr(intervals, "_BLOCK", 50 * 7)
    assert intervals.over_items(mean_of(values), 50) == whole


def test_width_over_runs_is_that_of_student():
    # Student's t with 11 degrees of freedom: 2.201 standard errors on either side.
    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(30):
        values = rng.normal(size=12)
        error = values.std(ddof=1) / np.sqrt(12)
        ratios.append(np.ptp(ends(intervals.over_runs(values))) / (2 * 2.201 * error))
    assert np.mean(ratios) == pytest.approx(1, abs=0.02)
