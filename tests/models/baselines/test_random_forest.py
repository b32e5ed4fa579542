"""The random forest: stumps and leaves by hand."""

import numpy as np
import pytest

from jaxdep.models import RandomForest
from jaxdep.models.baselines.tuned import FLOOR

POINTS = {"point": np.array([[0.0], [1], [2], [8], [9], [10]])}
LABEL = np.array([0, 0, 0, 1, 1, 1])


def test_a_feature_that_separates_the_classes():
    """Whatever a tree draws, if it has both classes, it cuts between them."""
    test = {"point": np.array([[-5.0], [0], [10], [50]])}
    fitted = RandomForest(trees=1, min_leaf=(1,)).fit_predict(
        (POINTS, LABEL), (POINTS, LABEL), test
    )
    # A leaf of one class is certain, but for the floor.
    certain = np.array([1, FLOOR]) / (1 + FLOOR)
    expected = [certain, certain, certain[::-1], certain[::-1]]
    np.testing.assert_allclose(np.exp(fitted.outputs), expected, rtol=1e-12)
    assert fitted.loss == pytest.approx(np.log(1 + FLOOR), rel=1e-3)
    assert fitted.hyper == {"min_leaf": 1.0}


def test_votes_are_the_mean_share_of_the_class_in_the_leaves():
    """No tree of six can have two leaves of four: each predicts the share of what it drew."""
    forest = RandomForest(trees=400, min_leaf=(4,))
    test = {"point": np.array([[-5.0], [50]])}
    outputs = np.exp(forest.fit_predict((POINTS, LABEL), (POINTS, LABEL), test).outputs)
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-12)
    assert outputs[0, 1] == pytest.approx(0.5, abs=0.05)  # a deviation of 0.5 / sqrt(6 * 400): 0.01


def test_scores_of_single_leaves():
    """With one score a side, every tree with both sides predicts them."""
    score = np.where(LABEL, 30, 10).astype(np.float32)
    test = {"point": np.array([[0.0], [10]])}
    fitted = RandomForest(trees=1, min_leaf=(1,)).fit_predict(
        (POINTS, score), (POINTS, score), test
    )
    np.testing.assert_allclose(fitted.outputs, [10, 30], rtol=1e-12)
