"""Joint attention and attention between tasks, by the papers' equations."""

from typing import Any

import jax
import numpy as np
from scipy.special import softmax

from jaxdep.nn.convolution import Maps
from jaxdep.nn.fusion import BernoulliFusion, JointAttentionFusion, task_attention

RNG = np.random.default_rng(0)
LENGTH = 5


def joint_attention(x_a, x_v, mask_a=None, mask_v=None, params=None):
    """The module's weights over time by their names, and its parameters."""
    module, inputs = JointAttentionFusion(), (Maps(x_a), Maps(x_v), mask_a, mask_v)
    params = params or module.init(jax.random.key(0), *inputs)["params"]
    _, sown = module.apply({"params": params}, *inputs, mutable="intermediates")
    return {name: np.asarray(value[0]) for name, value in sown["intermediates"].items()}, params


def maps(batch):
    return (RNG.normal(size=(batch, LENGTH, 4)).astype(np.float32) for _ in range(2))


def test_even_mixture_gives_even_attention():
    """Eq. 10-12 with FC3's kernel 0 and an even bias: the softmax of equal numbers, whatever X."""
    x_a, x_v = maps(3)
    _, params = joint_attention(x_a, x_v)
    params = jax.tree.map(np.asarray, params)
    params["fc3"] = {
        "kernel": np.zeros_like(params["fc3"]["kernel"]),
        "bias": np.full_like(params["fc3"]["bias"], 0.7),
    }
    found, _ = joint_attention(x_a, x_v, params=params)
    for name in ("A_A", "A_V"):
        np.testing.assert_allclose(found[name], 1 / LENGTH, rtol=1e-6)


def test_attention_is_the_softmax_of_each_half_of_the_mixture():
    x_a, x_v = maps(3)
    found, params = joint_attention(x_a, x_v)
    assert set(found) == {"A_A", "A_V", "T_A", "T_V", "T_mixed"}
    p = jax.tree.map(np.asarray, params)
    t_a = (x_a @ p["fc1"]["kernel"] + p["fc1"]["bias"])[..., 0]  # eq. 7
    t_v = (x_v @ p["fc2"]["kernel"] + p["fc2"]["bias"])[..., 0]  # eq. 8
    joint = np.concatenate([t_a, t_v], 1)  # eq. 9
    mixed = joint @ p["fc3"]["kernel"] + p["fc3"]["bias"]  # eq. 10
    np.testing.assert_allclose(found["T_mixed"], mixed, atol=1e-6)
    np.testing.assert_allclose(found["A_A"], softmax(mixed[:, :LENGTH], 1), atol=1e-6)  # eq. 11-12
    np.testing.assert_allclose(found["A_V"], softmax(mixed[:, LENGTH:], 1), atol=1e-6)


def test_padding_of_one_modality_does_not_reach_the_other():
    x_a, x_v = maps(2)
    mask = np.arange(LENGTH) < np.array([3, 5])[:, None]
    first, params = joint_attention(x_a, x_v, mask, mask)
    spoiled = np.where(mask[..., None], x_a, np.float32(50))
    second, _ = joint_attention(spoiled, x_v, mask, mask, params)
    for name in ("A_A", "A_V"):
        np.testing.assert_allclose(first[name], second[name], atol=1e-6)
        assert not first[name][~mask].any()


def test_task_attention_by_hand():
    arrays: Any = (RNG.normal(size=(2, LENGTH, 3)).astype(np.float32) for _ in range(3))
    query, key, value = arrays
    mask: Any = np.arange(LENGTH) < np.array([LENGTH, 2])[:, None]
    scores = np.where(mask[:, None], query @ key.transpose(0, 2, 1), -np.inf)
    read, weights = task_attention(query, key, value, mask)
    np.testing.assert_allclose(weights, softmax(scores, -1), atol=1e-6)
    np.testing.assert_allclose(read, softmax(scores, -1) @ value, atol=1e-6)


def test_bernoulli_fusion_draws_in_training_and_expects_in_evaluation():
    main = np.zeros((4000, 2), np.float32)
    side_branches = (np.tile([1.0, 0.0], (4000, 1)), np.tile([0.0, 1.0], (4000, 1)))
    head: Any = BernoulliFusion(0.1)
    np.testing.assert_allclose(head.apply({}, main, side_branches), 0.1, atol=1e-7)
    drawn = np.asarray(
        head.apply({}, main, side_branches, True, rngs={"dropout": jax.random.key(0)})
    )
    assert set(np.unique(drawn)) == {0.0, 1.0}
    np.testing.assert_allclose(drawn.mean(0), 0.1, atol=0.02)
    np.testing.assert_allclose(drawn.prod(1).mean(), 0.01, atol=0.006)  # branches independently
    released: Any = BernoulliFusion(0.1, expected=True)
    np.testing.assert_allclose(released.apply({}, main, side_branches, True), 0.1, atol=1e-7)
