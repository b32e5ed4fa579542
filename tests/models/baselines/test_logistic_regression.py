"""The logistic regression: C chosen on validation, and classes only."""

import numpy as np
import pytest
from baseline_case import data

from jaxdep.errors import UserError
from jaxdep.models import LogisticRegression


def test_learns_and_chooses_on_validation():
    model = LogisticRegression(C=(1e-6, 1.0))
    test, label = data(200, 3)
    outputs, chosen, loss = model.fit_predict(data(300, 1), data(100, 2), test)
    assert chosen == {"C": 1.0}
    assert loss < 0.69
    assert (outputs.argmax(1) == label).mean() > 0.75
    np.testing.assert_allclose(np.exp(outputs).sum(1), 1, rtol=1e-6)


def test_equals_scikit_learn():
    """Standardised with the statistics of the training split, without a floor of probabilities."""
    from sklearn.linear_model import LogisticRegression as Regression

    (train, label), (test, _) = data(80, 1, signal=20.0), data(40, 3, signal=20.0)
    columns = lambda inputs: np.concatenate(
        [inputs["color"], np.stack([x[m].mean(0) for x, m in zip(*_text(inputs), strict=True)])], 1
    )
    mean, std = columns(train).mean(0), columns(train).std(0)
    regression = Regression(C=100.0, max_iter=10_000).fit((columns(train) - mean) / std, label)
    expected = regression.predict_log_proba((columns(test) - mean) / std)
    model = LogisticRegression(C=(100.0,), standardize=True)
    outputs = model.fit_predict((train, label), data(20, 2), test).outputs
    np.testing.assert_allclose(outputs, expected, rtol=1e-3)
    assert outputs.min() < np.log(1e-3)


def _text(inputs):
    return inputs["text"], inputs["text_mask"]


def test_scores_are_refused():
    train = data(20, 1, scores=True)
    with pytest.raises(UserError, match="LogisticRegression predicts classes, but the targets are"):
        LogisticRegression().fit_predict(train, train, train[0])
