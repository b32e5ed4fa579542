"""Layer normalisation, and batch normalisation whichever samples are real, against PyTorch."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

from jaxdep.nn.normalization import BatchNorm, LayerNorm, SampleBatchNorm


def test_layer_norm_equals_pytorch():
    x = np.random.default_rng(0).normal(3, 5, (2, 4, 6)).astype(np.float32)
    module: Any = LayerNorm()
    variables = module.init(jax.random.key(0), x)
    expected = torch.nn.functional.layer_norm(torch.as_tensor(x), (6,))
    np.testing.assert_allclose(module.apply(variables, x), expected, atol=1e-6)


def test_layer_norm_keeps_the_precision_of_bfloat16():
    x = jnp.asarray(np.random.default_rng(0).normal(30, 1, (64, 128)), jnp.bfloat16)
    module: Any = LayerNorm()
    variables = jax.tree.map(lambda leaf: leaf.astype(x.dtype), module.init(jax.random.key(0), x))
    exact = np.asarray(x, np.float64)
    exact -= exact.mean(-1, keepdims=True)
    exact /= np.sqrt(np.square(exact).mean(-1, keepdims=True) + 1e-5)
    found = module.apply(variables, x)
    assert found.dtype == x.dtype
    # Outputs lie within 4, where one rounding to bfloat16 is at most 2 ** -7.
    np.testing.assert_allclose(np.asarray(found, np.float64), exact, atol=2**-7)


def test_equals_pytorch_on_one_sample_after_another():
    x = np.random.default_rng(0).normal(2, 3, size=(6, 9, 2)).astype(np.float32)
    real = np.array([True, False, True, True, False, True])
    module: Any = SampleBatchNorm()
    variables = module.init(jax.random.key(0), x, real, False)
    y, changed = module.apply(variables, x, real, True, mutable=["batch_stats"])
    reference = torch.nn.BatchNorm1d(2)
    for row in np.flatnonzero(real):
        expected = reference(torch.tensor(x[row : row + 1]).transpose(1, 2)).transpose(1, 2)
        np.testing.assert_allclose(y[row], expected[0].detach(), atol=1e-5)
    stats = changed["batch_stats"]
    assert reference.running_mean is not None
    assert reference.running_var is not None
    np.testing.assert_allclose(stats["mean"], reference.running_mean, atol=1e-6)
    np.testing.assert_allclose(stats["var"], reference.running_var, rtol=1e-5)
    reference.eval()
    expected = reference(torch.tensor(x).transpose(1, 2)).transpose(1, 2).detach()
    found = module.apply({**variables, **changed}, x, real, False)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_batch_without_a_real_example_uses_and_keeps_the_running_statistics():
    x = np.random.default_rng(0).normal(2, 3, size=(4, 5, 2)).astype(np.float32)
    stats = {"mean": np.array([1, 2], np.float32), "var": np.array([4, 9], np.float32)}
    module: Any = BatchNorm()
    params = module.init(jax.random.key(0), x)["params"]
    variables = {"params": params, "batch_stats": stats}
    real = np.zeros(4, bool)
    y, changed = module.apply(variables, x, real, True, mutable=["batch_stats"])
    np.testing.assert_allclose(y, module.apply(variables, x), rtol=1e-6)
    for name, value in stats.items():
        np.testing.assert_array_equal(changed["batch_stats"][name], value)
