"""Intervals hold what they say, and say nothing where there is nothing to say."""

import numpy as np
import pytest
from scipy import stats

from jaxdep.analysis import intervals


def ends(interval):
    assert interval is not None
    return interval


def mean_of(values):
    return {"mean": lambda drawn: drawn @ values / drawn.sum(1)}


class TestOverRuns:
    def test_three_by_hand(self):
        """Mean 2, standard deviation 1; with 2 degrees of freedom, t is 4.3027."""
        low, high = ends(intervals.over_runs(np.array([1.0, 2.0, 3.0])))
        assert (low, high) == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-4)

    def test_two_by_hand(self):
        """Half their distance is the standard error; with 1 degree of freedom, t is 12.7062."""
        found = ends(intervals.over_runs(np.array([0.7, 0.8])))
        assert found == pytest.approx((0.75 - 0.05 * 12.7062, 0.75 + 0.05 * 12.7062), abs=1e-5)

    def test_as_scipy(self):
        values = np.random.default_rng(5).normal(0.7, 0.02, 9)
        expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert ends(intervals.over_runs(values)) == pytest.approx(expected, rel=1e-12)

    def test_one_run_says_nothing_of_others(self):
        assert intervals.over_runs(np.array([0.8])) is None
        assert intervals.over_runs(np.array([])) is None

    def test_equal_runs(self):
        assert intervals.over_runs(np.full(4, 0.75)) == (0.75, 0.75)

    def test_no_interval_of_what_is_not_finite(self):
        assert intervals.over_runs(np.array([0.8, np.nan, 0.7])) is None
        assert intervals.over_runs(np.array([0.8, np.inf, 0.7])) is None

    @pytest.mark.slow
    @pytest.mark.parametrize("runs", [2, 3, 4, 5, 10])
    def test_coverage(self, runs):
        rng = np.random.default_rng(0)
        found = [ends(intervals.over_runs(rng.normal(0.7, 0.02, runs))) for _ in range(4000)]
        assert 0.93 <= np.mean([low <= 0.7 <= high for low, high in found]) <= 0.97


class TestDifferenceOverRuns:
    def test_by_hand(self):
        """The variances of the means are 1/3 of 3 runs and 4/3 of 3 others, together 5/3.

        The degrees of freedom are (5/3)^2 / ((1/3)^2 / 2 + (4/3)^2 / 2) = 50/17.
        """
        first, second = np.array([11.0, 12.0, 13.0]), np.array([1.0, 3.0, 5.0])
        half = stats.t.ppf(0.975, 50 / 17) * (5 / 3) ** 0.5
        found = ends(intervals.difference_over_runs(first, second))
        assert found == pytest.approx((9 - half, 9 + half), rel=1e-12)

    def test_as_scipy(self):
        rng = np.random.default_rng(3)
        first, second = rng.normal(0.8, 0.01, 8), rng.normal(0.7, 0.03, 5)
        welch = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
        found = ends(intervals.difference_over_runs(first, second))
        assert found == pytest.approx(welch, rel=1e-12)
        low, high = found
        swapped = ends(intervals.difference_over_runs(second, first))
        assert swapped == pytest.approx((-high, -low), rel=1e-12)

    def test_equal_runs(self):
        """If only those of one model are equal, they have no part in the width."""
        same, other = np.full(4, 0.75), np.array([0.25, 0.5, 0.0])
        assert intervals.difference_over_runs(same, np.full(3, 0.5)) == (0.25, 0.25)
        found = ends(intervals.difference_over_runs(same, other))
        assert found == pytest.approx(ends(intervals.over_runs(0.75 - other)), rel=1e-12)

    def test_one_run_says_nothing_of_others(self):
        one, two = np.array([0.8]), np.array([0.7, 0.9])
        assert intervals.difference_over_runs(one, two) is None
        assert intervals.difference_over_runs(two, one) is None

    def test_no_interval_of_what_is_not_finite(self):
        two = np.array([0.7, 0.9])
        assert intervals.difference_over_runs(two, np.array([0.8, np.inf])) is None

    @pytest.mark.slow
    @pytest.mark.parametrize("runs", [(4, 4), (5, 5), (10, 10), (4, 10)])
    @pytest.mark.parametrize("deviation", [0.02, 0.06])
    def test_coverage(self, runs, deviation):
        rng, covered = np.random.default_rng(0), []
        for _ in range(4000):
            first, second = rng.normal(0.7, 0.02, runs[0]), rng.normal(0.6, deviation, runs[1])
            low, high = ends(intervals.difference_over_runs(first, second))
            covered.append(low <= 0.1 <= high)
        assert 0.93 <= np.mean(covered) <= 0.97


def rmse_of(errors):
    return {"rmse": lambda drawn: np.sqrt(drawn @ errors**2 / drawn.sum(1))}


@pytest.mark.slow
@pytest.mark.parametrize("items", [47, 56, 120, 212])
def test_coverage_over_items(items):
    """For test splits of DAIC-WOZ, E-DAIC and D-Vlog; and the RMSE where it is said to hold."""
    rng = np.random.default_rng(0)
    covered = {"accuracy": [], "mae": [], "rmse": []}
    for _ in range(1500):
        right = (rng.random(items) < 0.7).astype(float)
        errors = rng.normal(0, 6, items)
        statistics = {
            "accuracy": mean_of(right)["mean"],
            "mae": mean_of(np.abs(errors))["mean"],
            **rmse_of(errors),
        }
        truth = {"accuracy": 0.7, "mae": 6 * (2 / np.pi) ** 0.5, "rmse": 6}
        for name, interval in intervals.over_items(statistics, np.arange(items)).items():
            low, high = ends(interval)
            covered[name].append(low <= truth[name] <= high)
    share = {name: np.mean(each) for name, each in covered.items()}
    # With 47 subjects, the RMSE is known to be covered in 92% to 93% of cases only.
    assert share["rmse"] >= (0.91 if items < 50 else 0.93), share
    assert min(share["accuracy"], share["mae"]) >= 0.93, share
    assert max(share.values()) <= 0.97, share


def test_width_over_items_is_that_of_a_proportion():
    right = np.repeat([1.0, 0.0], [140, 60])
    low, high = ends(intervals.over_items(mean_of(right), np.arange(200))["mean"])
    # 0.7 +- 1.96 sqrt(0.7 * 0.3 / 200), the normal approximation
    assert low == pytest.approx(0.7 - 0.0635, abs=0.006)
    assert high == pytest.approx(0.7 + 0.0635, abs=0.006)


def test_equal_items():
    assert intervals.over_items(mean_of(np.full(30, 0.5)), np.arange(30))["mean"] == (0.5, 0.5)


def test_undefined_in_most_draws():
    undefined = {"auc": lambda drawn: np.full(len(drawn), np.nan)}
    assert intervals.over_items(undefined, np.arange(20))["auc"] is None
    assert intervals.over_items(mean_of(np.ones(1)), np.arange(1))["mean"] is None


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
