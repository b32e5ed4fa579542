"""Losses against closed forms, branch by branch, and against NumPy on a million pairs."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from jaxdep import losses
from jaxdep.errors import UserError
from jaxdep.scales import bdi

DELTA, WEIGHT = 2.0, 0.1


def numpy_dr(prediction, target, delta, weight):
    """Equation 3 in words: nearest integers, categories by the table, then the two branches."""
    distance = np.abs(prediction - target)
    huber = np.where(distance <= delta, distance**2 / 2, delta * (distance - delta / 2))
    category = lambda x: np.searchsorted([14, 20, 29], np.floor(x + 0.5), side="right")
    near = (category(prediction) == category(target)) & (distance <= delta)
    return np.where(near, weight * huber, huber)


@pytest.mark.parametrize(
    ("prediction", "target", "expected"),
    [
        (10.0, 10.0, 0.0),
        (11.0, 10.0, 0.1 * 0.5),  # one category, near
        (9.0, 10.0, 0.1 * 0.5),
        (12.0, 10.0, 0.1 * 2.0),  # |d| = delta belongs to the near branch, on both sides
        (8.0, 10.0, 0.1 * 2.0),
        (12.5, 10.0, 2 * (2.5 - 1)),  # one category, far
        (7.5, 10.0, 2 * (2.5 - 1)),
        (14.0, 13.0, 0.5),  # two categories, near
        (13.0, 14.0, 0.5),
        (20.0, 13.0, 2 * (7 - 1)),  # two categories, far
        (13.5, 13.0, 0.125),  # halves go upward: 13.5 is mild
        (13.4, 13.0, 0.1 * 0.08),
        (19.5, 19.0, 0.125),
        (19.4, 19.0, 0.1 * 0.08),
        (28.5, 28.0, 0.125),
        (28.4, 28.0, 0.1 * 0.08),
        (13.5, 14.0, 0.1 * 0.125),
        (19.5, 20.0, 0.1 * 0.125),
        (28.5, 29.0, 0.1 * 0.125),
    ],
)
def test_dr_by_hand(prediction, target, expected):
    found = losses.dr_loss(jnp.array([prediction]), jnp.array([target]), DELTA, WEIGHT)
    np.testing.assert_allclose(found, [expected], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("prediction", "target", "expected"),
    [
        (11.0, 10.0, 0.1 * 1.0),
        (9.0, 10.0, 0.1 * -1.0),
        (14.0, 13.0, 1.0),
        (15.0, 10.0, 2.0),
        (5.0, 10.0, -2.0),
        (10.0, 10.0, 0.0),
    ],
)
def test_gradient_of_each_branch(prediction, target, expected):
    loss = lambda p: losses.dr_loss(p, jnp.array([target]), DELTA, WEIGHT).sum()
    np.testing.assert_allclose(jax.grad(loss)(jnp.array([prediction])), [expected], rtol=1e-6)


def test_a_million_pairs(x64):
    rng = np.random.default_rng(0)
    target = rng.integers(0, 64, 10**6).astype(float)
    prediction = np.where(
        rng.random(10**6) < 0.5, target + rng.normal(0, 2, 10**6), rng.uniform(-5, 70, 10**6)
    )
    prediction[::7] = np.round(prediction[::7] * 2) / 2  # many at the edges
    found = losses.dr_loss(jnp.asarray(prediction), jnp.asarray(target), 1.7, 0.3)
    np.testing.assert_allclose(found, numpy_dr(prediction, target, 1.7, 0.3), rtol=1e-12)


def test_delta_and_weight_are_traced():
    pair = jnp.array([11.0, 14.0, 30.0]), jnp.array([10.0, 13.0, 10.0])
    traces = []

    @jax.jit
    def loss(delta, weight):
        traces.append(1)
        return losses.dr_loss(*pair, delta, weight)

    for delta, weight in ((2.0, 0.1), (0.5, 0.9), (30.0, 0.0)):
        expected = numpy_dr(np.asarray(pair[0]), np.asarray(pair[1]), delta, weight)
        np.testing.assert_allclose(loss(delta, weight), expected, rtol=1e-6)
    assert len(traces) == 1
    slopes = jax.grad(lambda d, w: losses.dr_loss(*pair, d, w).sum(), (0, 1))(2.0, 0.1)
    # By delta only the far pair moves, |d| - delta; by the weight only the near one of a category.
    np.testing.assert_allclose(slopes, (20.0 - 2.0, 0.5), rtol=1e-6)


def test_weight_one_is_huber():
    rng = np.random.default_rng(1)
    pair = jnp.asarray(rng.uniform(0, 63, 100)), jnp.asarray(rng.uniform(0, 63, 100))
    chex.assert_trees_all_equal(losses.dr_loss(*pair, 2.0, 1.0), losses.huber(*pair, 2.0))


def test_simple_errors():
    pair = jnp.array([3.0, -1.0]), jnp.array([1.0, 1.0])
    chex.assert_trees_all_equal(losses.mse(*pair), jnp.array([4.0, 4.0]))
    chex.assert_trees_all_equal(losses.mae(*pair), jnp.array([2.0, 2.0]))


@pytest.mark.parametrize("name", ["dr", "huber", "mse", "mae"])
def test_shapes_that_do_not_belong_together(name):
    for prediction, target in (((3, 1), (3,)), ((3,), (2,))):
        with pytest.raises(ValueError, match="a regression loss needs"):
            losses.LOSSES[name](jnp.zeros(prediction), jnp.zeros(target))


def test_find():
    assert losses.get_loss("huber", {"delta": 1.0})(jnp.array([3.0]), jnp.array([0.0])) == 2.5
    with pytest.raises(UserError, match="unknown loss 'hubr'"):
        losses.get_loss("hubr", {})
    with pytest.raises(UserError, match=r"options\.delta=far: expected a number above 0"):
        losses.get_loss("huber", {"delta": "far"})
    with pytest.raises(UserError, match="no option dleta; its options are delta, weight"):
        losses.get_loss("dr", {"dleta": 1.0})


def test_categories():
    scores = np.array([0, 13, 13.49, 13.5, 14, 19.4, 19.5, 20, 28, 28.5, 29, 63])
    expected = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert bdi.category(scores).tolist() == expected
    assert bdi.category(jnp.asarray(scores)).tolist() == expected


def test_class_weights_multiply_and_are_not_divided_out():
    """In a batch of one PyTorch's weighted mean undoes the weight, ours does not (SMFL, B3)."""
    logits: Any = np.array([[0.2, 1.1]], np.float32)
    target: Any = np.array([1])
    loss = float(losses.cross_entropy(logits, target)[0])
    weighted = losses.cross_entropy(logits, target, (4.0, 3.0))
    assert float(weighted[0]) == pytest.approx(3 * loss)
    reference = torch.nn.functional.cross_entropy(
        torch.tensor(logits), torch.tensor(target), torch.tensor([4.0, 3.0])
    )
    assert float(reference) == pytest.approx(loss, rel=1e-5)
    with pytest.raises(ValueError, match="3 class weights for 2 classes"):
        losses.cross_entropy(logits, target, (1.0, 2.0, 3.0))
