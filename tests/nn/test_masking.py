"""Padding stays out of means, softmaxes and their gradients."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdep.nn import masking

X: Any = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
MASK: Any = np.arange(5) < np.array([5, 2, 0])[:, None]


@pytest.mark.parametrize("rubbish", [np.nan, np.inf, -7.0])
def test_padding_is_zeroed_whatever_it_holds(rubbish):
    x: Any = np.where(MASK[..., None], X, np.float32(rubbish))
    np.testing.assert_array_equal(masking.zero_padding(x, MASK), X * MASK[..., None])
    gradient = jax.grad(lambda x: masking.zero_padding(x, MASK).sum())(x)
    np.testing.assert_array_equal(gradient, np.broadcast_to(MASK[..., None], X.shape))


def test_no_mask_changes_nothing():
    np.testing.assert_array_equal(masking.zero_padding(X, None), X)
    np.testing.assert_allclose(masking.masked_mean(X, None), X.mean(1), rtol=1e-6)
    scores = X[..., 0]
    np.testing.assert_array_equal(masking.masked_softmax(scores, None), jax.nn.softmax(scores))


def test_mean_of_real_frames():
    found = masking.masked_mean(X, MASK)
    np.testing.assert_allclose(found[0], X[0].mean(0), rtol=1e-6)
    np.testing.assert_allclose(found[1], X[1, :2].mean(0), rtol=1e-6)
    np.testing.assert_array_equal(found[2], 0)


def test_softmax_over_real_frames():
    found = masking.masked_softmax(X[..., 0], MASK)
    np.testing.assert_allclose(found[0], jax.nn.softmax(X[0, :, 0]), rtol=1e-6)
    np.testing.assert_allclose(found[1, :2], jax.nn.softmax(X[1, :2, 0]), rtol=1e-6)
    assert not np.asarray(found)[~MASK].any()


def test_softmax_survives_scores_that_overflow_in_the_padding():
    scores: Any = np.where(MASK, X[..., 0], np.float32(3e38))
    weigh = lambda s: (masking.masked_softmax(s, MASK) * jnp.arange(5.0)[None]).sum()
    gradient = np.asarray(jax.grad(weigh)(scores))
    assert np.isfinite(gradient).all()
    assert not gradient[~MASK].any()
    assert gradient[MASK].any()


def test_softmax_broadcasts_its_mask():
    scores: Any = np.tile(X[:, None, :, 0], (1, 4, 1))
    found = masking.masked_softmax(scores, MASK[:, None, :])
    np.testing.assert_allclose(found[:, 3], masking.masked_softmax(X[..., 0], MASK), rtol=1e-6)


GAP: Any = np.array([[0, 1, 0, 1, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]], bool)


@pytest.mark.parametrize("rubbish", [np.nan, np.inf])
def test_first_and_last_real_frame_whatever_the_padding_holds(rubbish):
    x: Any = np.where(GAP[..., None], X, np.float32(rubbish))
    zero = np.zeros(2)
    np.testing.assert_array_equal(masking.first(x, GAP), [X[0, 1], X[1, 0], zero])
    np.testing.assert_array_equal(masking.last(x, GAP), [X[0, 3], X[1, 1], zero])
    np.testing.assert_array_equal(masking.first(X, None), X[:, 0])


@pytest.mark.parametrize("rubbish", [np.nan, np.inf, 7.0])
def test_maximum_of_real_frames_and_its_gradient(rubbish):
    below: Any = X - 10  # lower than the zero of a recording without frames
    x: Any = np.where(GAP[..., None], below, np.float32(rubbish))
    expected = [below[0, [1, 3]].max(0), below[1, :2].max(0), np.zeros(2)]
    np.testing.assert_array_equal(masking.masked_max(x, GAP), expected)
    np.testing.assert_array_equal(masking.masked_max(below, None), below.max(1))
    gradient = jax.grad(lambda x: masking.masked_max(x, GAP).sum())(x)
    largest = GAP[..., None] & (below == np.array(expected)[:, None])
    np.testing.assert_array_equal(gradient, largest)


def test_ties_of_a_maximum_share_its_gradient():
    x: Any = np.array([[[1], [3], [3], [3]]], np.float32)
    mask: Any = np.array([[True, True, True, False]])
    gradient = jax.grad(lambda x: masking.masked_max(x, mask).sum())(x)
    np.testing.assert_array_equal(np.asarray(gradient)[0, :, 0], [0, 0.5, 0.5, 0])
