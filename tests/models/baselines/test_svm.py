"""The support vector machine: kernels and calibrated probabilities."""

import numpy as np
import pytest
from baseline_case import data
from scipy.optimize import minimize

from jaxdep.errors import UserError
from jaxdep.models import SVM
from jaxdep.models.baselines.tuned import Problem


def ring(items, seed):
    """Class 1 lies around class 0, which no line separates."""
    rng = np.random.default_rng(seed)
    label = np.arange(items) % 2
    angle, radius = rng.uniform(0, 2 * np.pi, items), rng.uniform(0, 1, items) + 2 * label
    return {"point": np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)}, label


def test_a_curved_boundary_needs_the_rbf_kernel():
    test, label = ring(100, 3)
    fitted = SVM(C=(1.0,)).fit_predict(ring(100, 1), ring(100, 2), test)
    assert fitted.hyper == {"kernel_rbf": 1.0, "C": 1.0}
    assert (fitted.outputs.argmax(1) == label).mean() > 0.95


def test_the_linear_kernel_minimises_squared_hinge_losses():
    rng = np.random.default_rng(0)
    points, sign = rng.normal(size=(60, 2)), np.where(np.arange(60) % 2, 1, -1)
    points[:, 0] += 0.5 * sign
    target = (sign + 1) // 2
    estimator = SVM().estimator({"kernel": "linear", "C": 2.0}, Problem({}, target))
    fitted = estimator.fit(points, target).calibrated_classifiers_[0].estimator[-1]
    standard = np.c_[(points - points.mean(0)) / points.std(0), np.ones(60)]

    def objective(weights):
        hinge = np.maximum(0, 1 - sign * (standard @ weights))
        return 0.5 * weights @ weights + 2.0 * np.sum(hinge**2)

    expected = minimize(objective, np.zeros(3)).x
    np.testing.assert_allclose([*fitted.coef_[0], *fitted.intercept_], expected, atol=1e-3)


def test_probabilities_are_calibrated():
    """Where labels are random, the probability is the share of the class, whatever the margin."""
    rng = np.random.default_rng(0)
    points = lambda items: {"point": rng.normal(size=(items, 2))}
    labels = lambda items: (np.arange(items) % 4 == 0).astype(int)
    train, test = (points(200), labels(200)), points(200)
    fitted = SVM(kernel=("rbf",), C=(10.0,)).fit_predict(train, train, test)
    assert np.exp(fitted.outputs[:, 1]).mean() == pytest.approx(0.25, abs=0.05)


def test_the_rarest_class_limits_the_folds():
    inputs, _ = data(20, 1)
    label = np.arange(20) < 2
    outputs = SVM().fit_predict((inputs, label.astype(int)), data(20, 2), inputs).outputs
    assert np.isfinite(outputs).all()
    with pytest.raises(UserError, match="at least two training recordings of each class"):
        SVM().fit_predict((inputs, (np.arange(20) < 1).astype(int)), data(20, 2), inputs)
