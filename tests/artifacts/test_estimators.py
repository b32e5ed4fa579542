"""Estimators are stored without pickle, and files with anything else in them are refused."""

import os

import numpy as np
import pytest
import skops.io

from jaxdep.artifacts import estimators
from jaxdep.errors import UserError
from jaxdep.models import SVM, KNNFusion, LogisticRegression, RandomForest

BASELINES = (
    LogisticRegression(C=(1.0,), standardize=True),
    SVM(kernel=("linear",), C=(1.0,)),
    SVM(kernel=("rbf",), C=(1.0,)),
    RandomForest(trees=5, min_leaf=(2,)),
    KNNFusion(neighbors=(3,)),
)


class Foreign:
    """A class that no estimator consists of."""

    def __init__(self):
        """Has something to store."""
        self.value = 1


def data(scores=False):
    rng = np.random.default_rng(0)
    inputs = {name: rng.normal(size=(40, 3)).astype(np.float32) for name in ("voice", "face")}
    value = inputs["voice"][:, 0] + inputs["face"][:, 1]
    return inputs, value if scores else (value > 0).astype(int)


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("model", BASELINES, ids=lambda model: type(model).__name__)
def test_a_stored_estimator_predicts_the_same(model, scores, tmp_path):
    if scores and not model.regresses:
        return
    inputs, target = data(scores)
    fitted = [model.fit((inputs, target), (inputs, target), seed).estimator for seed in (0, 1)]
    estimators.save(tmp_path / "estimators", fitted)
    for before, after in zip(fitted, estimators.load(tmp_path / "estimators", 2), strict=True):
        np.testing.assert_array_equal(model.predict(after, inputs), model.predict(before, inputs))


def test_other_types_are_refused(tmp_path):
    skops.io.dump({"a": Foreign()}, tmp_path / "0.skops")
    with pytest.raises(UserError, match="Foreign"):
        estimators.load(tmp_path, 1)


def test_damaged_files_are_refused(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"0\.skops"):
        estimators.load(tmp_path, 1)
    (tmp_path / "0.skops").write_bytes(b"no archive")
    with pytest.raises(UserError, match="run the experiment again"):
        estimators.load(tmp_path, 1)
    estimators.save(tmp_path, [BASELINES[0].fit(data(), data()).estimator])
    os.truncate(tmp_path / "0.skops", 2000)
    with pytest.raises(UserError, match="run the experiment again"):
        estimators.load(tmp_path, 1)
    monkeypatch.setattr(estimators, "LIMIT", 1000)
    with pytest.raises(UserError, match="more than 1000"):
        estimators.load(tmp_path, 1)
