"""Metrics by hand, the fast ones against scikit-learn, and both intervals."""

import numpy as np
import pytest
from fabricate import run_folder

from jaxdep.analysis import fast, intervals, metrics
from jaxdep.analysis.predictions import read
from jaxdep.analysis.results import of_run
from jaxdep.errors import UserError


def test_by_hand():
    # True positives 2, false positives 1, false negatives 2, true negatives 3.
    target = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    said = np.array([1, 1, 0, 0, 1, 0, 0, 0])
    found = metrics.classification(target, said, said * 0.8 + 0.1, 2)
    assert found["accuracy"] == 5 / 8
    assert found["balanced_accuracy"] == pytest.approx((2 / 4 + 3 / 4) / 2)
    assert found["precision_positive"] == pytest.approx(2 / 3)
    assert found["recall_positive"] == pytest.approx(1 / 2)
    assert found["f1_positive"] == pytest.approx(4 / 7)
    other = 2 * (3 / 5) * (3 / 4) / (3 / 5 + 3 / 4)
    assert found["f1_weighted"] == found["f1_macro"] == pytest.approx((4 / 7 + other) / 2)
    assert found["f1_micro"] == found["accuracy"]
    # Of the 16 pairs 6 are in order, 2 reversed and 8 tied.
    assert found["roc_auc"] == pytest.approx((6 + 8 / 2) / 16)


def test_averaging_matters():
    """On D-Vlog's test split "all depressed" has positive F1 73.4 and weighted F1 42.6."""
    target = np.repeat([0, 1], [89, 123])
    found = metrics.classification(target, np.ones(212, int), np.full(212, 0.9), 2)
    assert round(100 * found["f1_positive"], 1) == 73.4
    assert round(100 * found["f1_weighted"], 1) == 42.6


def test_one_class_has_no_auc():
    assert metrics.classification(np.ones(3), np.ones(3), np.ones(3), 2)["roc_auc"] is None


def test_regression():
    found = metrics.regression(np.array([1.0, 5.0]), np.array([2.0, 2.0]))
    assert found == {"mae": 2.0, "rmse": pytest.approx(np.sqrt(5))}


@pytest.mark.parametrize("task", ["depression", "emotion", "score"])
def test_fast_equals_sklearn_on_resamples(tmp_path, task):
    folder = run_folder(tmp_path / "r", tasks=(task,), accuracy=0.5)
    predictions = read(folder / "predictions.csv")[task]
    classes = {"depression": 2, "emotion": 3, "score": 0}[task]
    rng = np.random.default_rng(1)
    for _ in range(20):
        rows = rng.integers(0, 60, 60)
        drawn = type(predictions)(
            predictions.ids[rows],
            predictions.target[rows],
            predictions.prediction[:, rows],
            predictions.probability[:, rows],
            predictions.runs,
        )
        slow = [of_run(drawn, run, classes) for run in range(3)]
        for metric in slow[0]:
            quick = fast.statistic(metric, predictions, classes)(rows)
            np.testing.assert_allclose(quick, np.mean([one[metric] for one in slow]), atol=1e-12)


class TestIntervals:
    def test_one_run_says_nothing_of_others(self):
        assert intervals.over_runs(np.array([0.7])) is None

    def test_equal_runs(self):
        assert intervals.over_runs(np.array([0.7, 0.7, 0.7])) == pytest.approx((0.7, 0.7))

    def test_more_runs_say_more(self):
        rng = np.random.default_rng(0)
        width = lambda n: np.ptp(intervals.over_runs(rng.normal(size=n)))
        assert width(100) < width(5)

    def test_over_items_covers_the_truth_as_often_as_it_says(self):
        rng = np.random.default_rng(0)
        covered = 0
        for _ in range(60):
            right = rng.random(80) < 0.75
            low, high = intervals.over_items(lambda rows, r=right: r[rows].mean(), 80)
            covered += low <= 0.75 <= high
        assert covered >= 51  # 57 expected; fewer than 51 has probability 0.01

    def test_mostly_undefined_is_none(self):
        assert intervals.over_items(lambda rows: float("nan"), 5) is None

    def test_deterministic(self):
        values = np.random.default_rng(0).normal(size=9)
        assert intervals.over_runs(values) == intervals.over_runs(values)


class TestPredictions:
    @pytest.fixture
    def path(self, tmp_path):
        return run_folder(tmp_path / "r", items=5) / "predictions.csv"

    def spoil(self, path, old, new):
        path.write_text(path.read_text().replace(old, new))

    def test_missing(self, tmp_path):
        with pytest.raises(UserError, match="--resume"):
            read(tmp_path / "predictions.csv")

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("id,split", "name,split"),
            ("v003,test,depression,1", "v009,test,depression,1"),
            ("v003,test,depression,1", "v003,test,depression,x"),
            ("v003,test,depression,0,0", "v002,test,depression,0,0"),
        ],
    )
    def test_malformed(self, path, old, new):
        self.spoil(path, old, new)
        with pytest.raises(UserError, match=r"predictions\.csv cannot be read"):
            read(path)

    def test_empty(self, path):
        path.write_text(path.read_text().splitlines()[0] + "\n")
        with pytest.raises(UserError, match="no lines"):
            read(path)
