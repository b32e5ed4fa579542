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
        found.append(ends(intervals.over_items(mean_of(right), np.arange(120))["mean"]))
    assert 0.90 <= np.mean([low <= 0.7 <= high for low, high in found]) <= 0.99


def test_width_over_items_is_that_of_a_proportion():
    right = np.repeat([1.0, 0.0], [140, 60])
    low, high = ends(intervals.over_items(mean_of(right), np.arange(200))["mean"])
    # 0.7 +- 1.96 sqrt(0.7 * 0.3 / 200), the normal approximation
    assert low == pytest.approx(0.7 - 0.0635, abs=0.006)
    assert high == pytest.approx(0.7 + 0.0635, abs=0.006)


def test_one_run_says_nothing_of_others():
    assert intervals.over_runs(np.array([0.8])) is None
    assert intervals.difference_over_runs(np.array([0.8]), np.array([0.7, 0.9])) is None


def test_equal_runs():
    assert intervals.over_runs(np.full(4, 0.75)) == (0.75, 0.75)
    assert intervals.over_items(mean_of(np.full(30, 0.5)), np.arange(30))["mean"] == (0.5, 0.5)


def test_few_runs_end_at_the_extremes():
    low, high = ends(intervals.over_runs(np.array([0.61, 0.70, 0.64])))
    assert (low, high) == (pytest.approx(0.61), pytest.approx(0.70))


def test_undefined_in_most_draws():
    undefined = {"auc": lambda drawn: np.full(len(drawn), np.nan)}
    assert intervals.over_items(undefined, np.arange(20))["auc"] is None
    assert intervals.over_items(mean_of(np.ones(1)), np.arange(1))["mean"] is None


def test_difference_over_runs():
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.8, 0.01, 8), rng.normal(0.7, 0.01, 8)
    low, high = ends(intervals.difference_over_runs(first, second))
    assert 0 < low < first.mean() - second.mean() < high
    swapped = intervals.difference_over_runs(second, first)
    assert swapped == (pytest.approx(-high, abs=2e-3), pytest.approx(-low, abs=2e-3))


class TestSubjects:
    def test_two_by_hand(self):
        """A has two recordings, always right; B has one, wrong.

        Two subjects drawn of two: A and A, A and B in either order, B and B. The accuracies are
        1, 2/3 and 0, with probabilities 1/4, 1/2 and 1/4; the bootstrap expanded for two subjects
        reaches from the lowest to the highest.
        """
        drawn = []

        def accuracy(counts):
            drawn.append(counts)
            return counts @ np.array([1.0, 0.0, 1.0]) / counts.sum(1)

        found = intervals.over_items({"accuracy": accuracy}, np.array(["A", "B", "A"]))
        assert found["accuracy"] == (0.0, 1.0)
        outcomes, counts = np.unique(np.concatenate(drawn), axis=0, return_counts=True)
        assert outcomes.tolist() == [[0, 2, 0], [1, 1, 1], [2, 0, 2]]
        np.testing.assert_allclose(counts / intervals.RESAMPLES, [1 / 4, 1 / 2, 1 / 4], atol=0.03)

    def test_subjects_of_equal_recordings_count_as_one_recording_each(self):
        values = np.random.default_rng(6).random(40)
        once = ends(intervals.over_items(mean_of(values), np.arange(40))["mean"])
        thrice = intervals.over_items(mean_of(np.repeat(values, 3)), np.repeat(np.arange(40), 3))
        assert ends(thrice["mean"]) == pytest.approx(once, rel=1e-12)

    def test_names_of_subjects_with_one_recording_do_not_matter(self):
        values = np.random.default_rng(7).random(30)
        names = np.random.default_rng(8).permutation(30).astype(str)
        unnamed = intervals.over_items(mean_of(values), np.arange(30))
        assert intervals.over_items(mean_of(values), names) == unnamed
        assert intervals.numbered(np.array(["q", "p", "q", "r"])).tolist() == [0, 1, 0, 2]

    def test_one_subject_says_nothing_of_others(self):
        assert intervals.over_items(mean_of(np.arange(5.0)), np.zeros(5))["mean"] is None

    @pytest.mark.slow
    def test_coverage(self):
        """60 subjects of 1 to 6 recordings, of which each is right at a rate of its own.

        Intervals that take recordings for independent are too narrow.
        """
        rng, rate = np.random.default_rng(0), 0.7
        by_subject, by_recording = [], []
        for trial in range(1000):
            subjects = np.repeat(np.arange(60), rng.integers(1, 7, 60))
            right = rng.random(len(subjects)) < rng.beta(rate, 1 - rate, 60)[subjects]
            accuracy = mean_of(right.astype(float))
            low, high = ends(intervals.over_items(accuracy, subjects)["mean"])
            by_subject.append(low <= rate <= high)
            if trial < 200:
                recordings = np.arange(len(subjects))
                low, high = ends(intervals.over_items(accuracy, recordings)["mean"])
                by_recording.append(low <= rate <= high)
        assert 0.93 <= np.mean(by_subject) <= 0.97
        assert np.mean(by_recording) < 0.85

    def test_groups_keep_their_numbers_of_subjects(self):
        """And are drawn independently: the variance of a difference is the sum of the variances."""
        subjects = np.repeat(np.arange(80), 2)
        group = np.repeat([0, 1], 80)
        values = np.tile(np.random.default_rng(5).normal(size=80), 2)  # the same in both
        mean = lambda drawn, number: drawn @ np.where(group == number, values, 0) / 80
        statistics = {
            "subjects": lambda drawn: drawn[:, group == 0].sum(1) / 2,
            "one": lambda drawn: mean(drawn, 0),
            "gap": lambda drawn: mean(drawn, 0) - mean(drawn, 1),
        }
        found = intervals.over_items(statistics, subjects, group)
        assert found["subjects"] == (40, 40)
        width = lambda name: np.diff(np.array(found[name]))[0]
        assert width("gap") / width("one") == pytest.approx(np.sqrt(2), rel=0.06)
        alone = np.where(subjects == 0, 2, group)
        assert intervals.over_items(statistics, subjects, alone)["one"] is None


def test_blocks_do_not_change_the_draws(monkeypatch):
    values = np.random.default_rng(4).random(50)
    whole = intervals.over_items(mean_of(values), np.arange(50))
    monkeypatch.setattr(intervals, "_BLOCK", 50 * 7)
    assert intervals.over_items(mean_of(values), np.arange(50)) == whole


def test_width_over_runs_is_that_of_student():
    # Student's t with 11 degrees of freedom: 2.201 standard errors on either side.
    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(30):
        values = rng.normal(size=12)
        error = values.std(ddof=1) / np.sqrt(12)
        ratios.append(np.ptp(ends(intervals.over_runs(values))) / (2 * 2.201 * error))
    assert np.mean(ratios) == pytest.approx(1, abs=0.02)
