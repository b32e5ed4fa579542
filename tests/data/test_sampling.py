"""Epoch orders are permutations of their key; the last batch is filled at weight zero."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdep.data import sampling


@pytest.mark.parametrize(("items", "batch"), [(1, 1), (7, 3), (6, 3), (5, 8)])
def test_every_item_once(items, batch):
    indices, weights = sampling.shuffled(jax.random.key(3), items, batch)
    assert indices.shape == weights.shape == (sampling.steps_per_epoch(items, batch), batch)
    real = np.asarray(indices)[np.asarray(weights) == 1]
    assert sorted(real) == list(range(items))
    assert weights.sum() == items


def test_filling_is_at_the_end_of_the_last_batch():
    _, weights = sampling.shuffled(jax.random.key(0), 7, 3)
    np.testing.assert_array_equal(weights, [[1, 1, 1], [1, 1, 1], [1, 0, 0]])


@pytest.mark.parametrize(
    ("items", "batch", "buckets"), [(23, 4, 3), (8, 4, 2), (5, 2, 9), (3, 4, 2)]
)
def test_buckets_hold_like_lengths(items, batch, buckets):
    rng = np.random.default_rng(items)
    frames = {"a": rng.integers(1, 5, items), "b": rng.integers(1, 90, items)}
    ranked = np.asarray(sampling.by_length(frames))
    assert ranked.tolist() == sorted(range(items), key=lambda i: (frames["a"][i], frames["b"][i]))
    draw = lambda seed: sampling.bucketed(
        jax.random.key(seed), jax.random.key(7), jnp.asarray(ranked), batch, buckets
    )
    indices, weights = (np.asarray(x) for x in draw(1))
    assert sorted(indices[weights == 1]) == list(range(items))
    which = np.asarray(sampling.which_step(jax.random.key(7), len(indices)))
    place = np.argsort(ranked)
    for first, last in sampling.groups(len(indices), buckets):
        of_group = np.isin(which, np.arange(first, last))
        met = place[indices[of_group][weights[of_group] == 1]]
        assert sorted(met) == list(range(first * batch, min(last * batch, items)))
    others = np.asarray(draw(2)[0])
    assert (others != indices).any() or items < 4


def test_keys_differ_and_repeat():
    order = lambda seed: np.asarray(sampling.shuffled(jax.random.key(seed), 50, 8)[0])
    np.testing.assert_array_equal(order(1), order(1))
    assert (order(1) != order(2)).any()


def test_in_order_and_gather():
    indices, _ = sampling.in_order(5, 2)
    np.testing.assert_array_equal(indices, [[0, 1], [2, 3], [4, 0]])
    split = {"a": np.arange(10).reshape(5, 2), "b": np.arange(5)}
    batch = sampling.gather(split, indices[1])
    np.testing.assert_array_equal(batch["a"], [[4, 5], [6, 7]])
    np.testing.assert_array_equal(batch["b"], [2, 3])


def test_balanced_meets_every_class_equally_often():
    labels = jnp.asarray([0] * 180 + [2] * 15 + [1] * 5)
    draw = lambda seed: sampling.balanced(jax.random.key(seed), labels, 16)
    indices, weights = draw(0)
    assert indices.shape == weights.shape == (13, 16)
    assert weights.sum() == 200
    items = np.concatenate([np.asarray(x)[np.asarray(w) == 1] for x, w in map(draw, range(40))])
    met = np.bincount(np.asarray(labels)[items])
    np.testing.assert_allclose(met / met.sum(), [1 / 3] * 3, atol=0.02)
    assert len(set(items)) == 200  # those of a class alike
    assert (np.asarray(draw(1)[0]) != np.asarray(indices)).any()
