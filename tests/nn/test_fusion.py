"""Joint attention and attention between tasks, by the papers' equations in NumPy."""

import jax
import numpy as np
from scipy.special import softmax

from jaxdep.nn.convolution import Maps
from jaxdep.nn.fusion import BernoulliFusion, JointAttention, task_attention

RNG = np.random.default_rng(0)
LENGTH = 5


def test_joint_attention_by_hand():
    x_a, x_v = (RNG.normal(size=(3, LENGTH, 4)).astype(np.float32) for _ in range(2))
    module = JointAttention()
    variables = module.init(jax.random.key(0), Maps(x_a), Maps(x_v), None, None)
    (a_a, a_v), sown = module.apply(
        variables, Maps(x_a), Maps(x_v), None, None, mutable="intermediates"
    )
    p = jax.tree.map(np.asarray, variables["params"])
    t_a = (x_a @ p["fc1"]["kernel"] + p["fc1"]["bias"])[..., 0]
    t_v = (x_v @ p["fc2"]["kernel"] + p["fc2"]["bias"])[..., 0]
    mixed = np.concatenate([t_a, t_v], 1) @ p["fc3"]["kernel"] + p["fc3"]["bias"]
    np.testing.assert_allclose(a_a, softmax(t_a * mixed[:, :LENGTH], 1), atol=1e-6)
    np.testing.assert_allclose(a_v, softmax(t_v * mixed[:, LENGTH:], 1), atol=1e-6)
    maps = {name: value[0] for name, value in sown["intermediates"].items()}
    assert set(maps) == {"A_A", "A_V", "T_A", "T_V", "T_mixed"}
    np.testing.assert_allclose(maps["T_mixed"], mixed, atol=1e-6)
    np.testing.assert_array_equal(maps["A_V"], a_v)


def test_padding_of_one_modality_does_not_reach_the_other():
    x_a, x_v = (RNG.normal(size=(2, LENGTH, 4)).astype(np.float32) for _ in range(2))
    mask = np.arange(LENGTH) < np.array([3, 5])[:, None]
    module = JointAttention()
    variables = module.init(jax.random.key(0), Maps(x_a), Maps(x_v), mask, mask)
    spoiled = np.where(mask[..., None], x_a, np.float32(50))
    first = module.apply(variables, Maps(x_a), Maps(x_v), mask, mask)
    second = module.apply(variables, Maps(spoiled), Maps(x_v), mask, mask)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
        assert not np.asarray(one)[~mask].any()


def test_task_attention_by_hand():
    query, key, value = (RNG.normal(size=(2, LENGTH, 3)).astype(np.float32) for _ in range(3))
    mask = np.arange(LENGTH) < np.array([LENGTH, 2])[:, None]
    scores = np.where(mask[:, None], query @ key.transpose(0, 2, 1), -np.inf)
    read, weights = task_attention(query, key, value, mask)
    np.testing.assert_allclose(weights, softmax(scores, -1), atol=1e-6)
    np.testing.assert_allclose(read, softmax(scores, -1) @ value, atol=1e-6)


def test_bernoulli_fusion_draws_in_training_and_expects_in_evaluation():
    main = np.zeros((4000, 2), np.float32)
    further = (np.tile([1.0, 0.0], (4000, 1)), np.tile([0.0, 1.0], (4000, 1)))
    head = BernoulliFusion(0.1)
    np.testing.assert_allclose(head.apply({}, main, further), 0.1, atol=1e-7)
    drawn = np.asarray(head.apply({}, main, further, True, rngs={"dropout": jax.random.key(0)}))
    assert set(np.unique(drawn)) == {0.0, 1.0}
    np.testing.assert_allclose(drawn.mean(0), 0.1, atol=0.02)
    np.testing.assert_allclose(drawn.prod(1).mean(), 0.01, atol=0.006)  # branches independently
    released = BernoulliFusion(0.1, expected=True)
    np.testing.assert_allclose(released.apply({}, main, further, True), 0.1, atol=1e-7)
