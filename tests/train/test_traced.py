"""Settings that a program reads as data give what they would as constants."""

import chex
import numpy as np
import pytest
from toy import experiment, splits
from train_and_test import train_and_test

from jaxdep.overrides import override
from jaxdep.train import devices, runs

VALUES = {
    "model.dropout": 0.4,
    "tasks.emotion.weight": 0.1,
    "optimizer.momentum": 0.5,
    "optimizer.clip_norm": 0.05,
    "optimizer.weight_decay": 0.03,
}


@pytest.mark.parametrize(
    "values",
    [VALUES, *(pytest.param({p: v}, id=p, marks=pytest.mark.slow) for p, v in VALUES.items())],
)
@pytest.mark.parametrize("vectorized", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_traced_equals_constant(values, vectorized):
    base = override(experiment(epochs=2), {"optimizer.name": "sgd", "optimizer.clip_norm": 1.0})
    layout = devices.layout(2, devices=1, vectorized=vectorized)
    hyper = [values, {}]
    both = train_and_test(base, runs.stack(base, [3, 3], hyper), splits(), layout)
    alone = devices.layout(1, devices=1, vectorized=vectorized)
    for row, changes in enumerate(hyper):
        constant = override(base, changes)
        expected = train_and_test(constant, runs.stack(constant, [3]), splits(), alone)
        got = both.outputs["depression"][row]
        np.testing.assert_allclose(got, expected.outputs["depression"][0], atol=1e-5)
    with pytest.raises(AssertionError):
        chex.assert_trees_all_close(*both.outputs["depression"], atol=1e-5)
