"""Dropout whose rate is a number or a traced value."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdep.nn.dropout import Dropout

X = np.ones((200, 300), np.float32)


def apply(rate, train=True, seed=0):
    rngs = {"dropout": jax.random.key(seed)}
    return np.asarray(Dropout(rate).apply({}, X, train, rngs=rngs))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_drops_its_share_and_keeps_the_mean(rate):
    y = apply(rate)
    dropped = (y == 0).mean()
    assert abs(dropped - rate) < 5 * np.sqrt(rate * (1 - rate) / X.size)
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)


def test_a_traced_rate_equals_the_number():
    traced = jax.jit(lambda rate: apply_traced(rate))(jnp.float32(0.3))
    np.testing.assert_array_equal(traced, apply(0.3))


def apply_traced(rate):
    return Dropout(rate).apply({}, X, True, rngs={"dropout": jax.random.key(0)})


def test_rates_side_by_side_in_one_program():
    y = jax.jit(jax.vmap(apply_traced))(jnp.array([0.0, 0.5]))
    np.testing.assert_array_equal(y[0], X)
    assert 0.45 < (y[1] == 0).mean() < 0.55


def test_rate_zero_and_evaluation_draw_nothing():
    np.testing.assert_array_equal(Dropout(0.0).apply({}, X, True), X)
    np.testing.assert_array_equal(Dropout(0.5).apply({}, X, False), X)
