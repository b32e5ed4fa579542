"""Metrics against values worked out by hand, and the fast ones against scikit-learn's."""

import numpy as np
import pytest

from jaxdep.analysis import bootstrap_metrics, metrics
from jaxdep.analysis.predictions import Predictions

# By hand, from the confusion matrix [[3, 1], [2, 4]] (true class first):
# accuracy 7/10; recalls 3/4 and 4/6; precisions 3/5 and 4/5; F1 6/9 and 8/11.
TARGET = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
SAID = np.array([0, 0, 0, 1, 0, 0, 1, 1, 1, 1])
BY_HAND = {
    "accuracy": 0.7,
    "balanced_accuracy": (3 / 4 + 4 / 6) / 2,
    "precision_weighted": (4 * 3 / 5 + 6 * 4 / 5) / 10,
    "recall_weighted": 0.7,
    "f1_weighted": (4 * 6 / 9 + 6 * 8 / 11) / 10,
    "precision_macro": (3 / 5 + 4 / 5) / 2,
    "recall_macro": (3 / 4 + 4 / 6) / 2,
    "f1_macro": (6 / 9 + 8 / 11) / 2,
    "precision_micro": 0.7,
    "recall_micro": 0.7,
    "f1_micro": 0.7,
    "precision_positive": 4 / 5,
    "recall_positive": 4 / 6,
    "f1_positive": 8 / 11,
    "specificity": 3 / 4,
    # Of the 24 pairs 4 * 3 are in order, 2 * 3 + 4 * 1 tied and count half: 17.
    "roc_auc": 17 / 24,
}


def random_predictions(classes, runs=3, items=57, seed=0):
    rng = np.random.default_rng(seed)
    target = rng.integers(0, classes, items).astype(float)
    prediction = rng.integers(0, classes, (runs, items)).astype(float)
    probability = rng.integers(0, 8, (runs, items)) / 7  # many ties
    ids = np.array([f"v{i}" for i in range(items)])
    return Predictions(ids, target, prediction, probability, np.arange(runs), subjects=ids)


def test_by_hand():
    found = metrics.classification(TARGET, SAID, SAID.astype(float), 2)
    assert found.keys() == BY_HAND.keys()
    for metric, value in BY_HAND.items():
        assert found[metric] == pytest.approx(value, abs=1e-12), metric


def test_published_constant_answer():
    # "All depressed" on D-Vlog's test split (123 of 212): positive F1 73.4, weighted F1 42.6.
    target = np.repeat([0, 1], [89, 123])
    found = metrics.classification(target, np.ones(212), np.full(212, 0.9), 2)
    assert found["f1_positive"] == pytest.approx(0.734, abs=5e-4)
    assert found["f1_weighted"] == pytest.approx(0.426, abs=5e-4)
    constant = metrics.constant(target, 2)
    assert constant["f1_positive"] == found["f1_positive"]
    assert constant["accuracy"] == pytest.approx(123 / 212)
    assert constant["balanced_accuracy"] == 0.5
    assert constant["roc_auc"] == 0.5


def test_one_class_only():
    target = np.ones(6, int)
    found = metrics.classification(target, np.array([1, 1, 0, 1, 1, 1]), np.linspace(0, 1, 6), 2)
    assert found["roc_auc"] is None
    assert found["specificity"] is None
    assert found["balanced_accuracy"] == pytest.approx(5 / 6)
    assert metrics.constant(target, 2)["roc_auc"] is None


def test_class_that_never_occurs():
    found = metrics.classification(np.array([0, 2, 2]), np.array([0, 2, 0]), np.ones(3), 6)
    assert found["balanced_accuracy"] == pytest.approx((1 + 1 / 2) / 2)
    assert "f1_positive" not in found
    assert "roc_auc" not in found


def test_regression_by_hand():
    found = metrics.regression(np.array([0.0, 10.0, 20.0]), np.array([1.0, 7.0, 20.0]))
    assert found["mae"] == pytest.approx(4 / 3)
    assert found["rmse"] == pytest.approx(np.sqrt(10 / 3))
    assert "severity_outliers" not in found
    constant = metrics.constant_score(np.array([0.0, 3.0, 9.0]), graded=False)
    assert constant["mae"] == pytest.approx(3)  # about the median, 3
    assert constant["rmse"] == pytest.approx(np.sqrt(14))  # about the mean, 4


def test_severity_outliers_by_hand():
    target, prediction = np.array([13.0, 14.0, 28.0, 40.0]), np.array([13.4, 13.4, 28.5, 30.0])
    found = metrics.regression(target, prediction, graded=True)
    assert found["severity_outliers"] == 2  # 14 is mild, 28.5 severe
    # Four targets of four categories: whatever is always said, three are wrong.
    assert metrics.constant_score(target, graded=True)["severity_outliers"] == 3


@pytest.mark.parametrize("classes", [2, 6])
def test_fast_equals_sklearn(classes):
    data = random_predictions(classes)
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 57, (5, 57))
    drawn = np.array([np.bincount(row, minlength=57) for row in rows])
    score = lambda run, at: metrics.classification(
        data.target[at], data.prediction[run, at], data.probability[run, at], classes
    )
    expected = [[score(run, at) for run in range(3)] for at in rows]
    for metric in expected[0][0]:
        mean = [np.mean([of[metric] or 0.0 for of in runs]) for runs in expected]
        found = bootstrap_metrics.statistic(metric, data, classes)(drawn)
        np.testing.assert_allclose(found, mean, rtol=0, atol=1e-12, err_msg=metric)


def test_area_of_pairs_is_that_of_ranks(monkeypatch):
    """Whichever is faster, ties and draws without one of the classes included."""
    data = random_predictions(2)
    drawn = np.random.default_rng(4).integers(0, 3, (6, 57))
    drawn[0, data.target == 1] = 0
    found = []
    for most in (0, 10_000):
        monkeypatch.setattr(bootstrap_metrics, "_MOST_PAIRS", most)
        found.append(bootstrap_metrics.statistic("roc_auc", data, 2)(drawn))
    assert np.isnan(found[0][0])
    assert np.isfinite(found[0][1:]).all()
    np.testing.assert_allclose(found[1], found[0], rtol=1e-12)


def test_rates_of_answers():
    """From the confusion matrix above: 5 of 10 are called 1; of class 1, 4 of 6, of 0, 1 of 4."""
    ids = np.arange(10).astype(str)
    said = SAID[None].astype(float)
    data = Predictions(ids, TARGET.astype(float), said, said, np.arange(1), subjects=ids)
    once = np.ones((1, 10), int)
    rates = {"positive_rate": 5 / 10, "true_positive_rate": 4 / 6, "false_positive_rate": 1 / 4}
    for metric, value in rates.items():
        assert bootstrap_metrics.statistic(metric, data, 2)(once) == pytest.approx(value), metric
    assert bootstrap_metrics.statistic("mean_error", data, 0)(once) == pytest.approx(-1 / 10)


@pytest.mark.parametrize("metric", ["mae", "rmse", "severity_outliers"])
def test_fast_regression_equals_sklearn(metric):
    data = random_predictions(46)
    rows = np.random.default_rng(2).integers(0, 57, (4, 57))
    drawn = np.array([np.bincount(row, minlength=57) for row in rows])
    score = lambda run, at: metrics.regression(data.target[at], run[at], graded=True)[metric] or 0.0
    mean = [np.mean([score(run, at) for run in data.prediction]) for at in rows]
    np.testing.assert_allclose(
        bootstrap_metrics.statistic(metric, data, 0)(drawn), mean, rtol=1e-12
    )


def test_outliers_are_counted_among_as_many_recordings_as_were_tested():
    """Whatever number of recordings the drawn subjects have."""
    data = random_predictions(46)
    statistic = bootstrap_metrics.statistic("severity_outliers", data, 0)
    once = np.ones((1, 57), int)
    assert statistic(3 * once) == pytest.approx(statistic(once))


def test_fast_auc_of_one_class_is_undefined():
    data = random_predictions(2)
    drawn = np.where(data.target == 1, 1, 0)[None]
    assert np.isnan(bootstrap_metrics.statistic("roc_auc", data, 2)(drawn)).all()
