"""Batch norms as PyTorch has them, whichever samples are real."""

import jax
import numpy as np
import torch

from jaxdep.nn.normalization import BatchNorm, SampleBatchNorm


def test_equals_pytorch_on_one_sample_after_another():
    x = np.random.default_rng(0).normal(2, 3, size=(6, 9, 2)).astype(np.float32)
    real = np.array([True, False, True, True, False, True])
    module = SampleBatchNorm()
    variables = module.init(jax.random.key(0), x, real, False)
    y, changed = module.apply(variables, x, real, True, mutable=["batch_stats"])
    reference = torch.nn.BatchNorm1d(2)
    for row in np.flatnonzero(real):
        expected = reference(torch.tensor(x[row : row + 1]).transpose(1, 2)).transpose(1, 2)
        np.testing.assert_allclose(y[row], expected[0].detach(), atol=1e-5)
    stats = changed["batch_stats"]
    np.testing.assert_allclose(stats["mean"], reference.running_mean, atol=1e-6)
    np.testing.assert_allclose(stats["var"], reference.running_var, rtol=1e-5)
    reference.eval()
    expected = reference(torch.tensor(x).transpose(1, 2)).transpose(1, 2).detach()
    found = module.apply({**variables, **changed}, x, real, False)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_batch_without_a_real_example_uses_and_keeps_the_running_statistics():
    x = np.random.default_rng(0).normal(2, 3, size=(4, 5, 2)).astype(np.float32)
    stats = {"mean": np.float32([1, 2]), "var": np.float32([4, 9])}
    module = BatchNorm()
    params = module.init(jax.random.key(0), x)["params"]
    variables = {"params": params, "batch_stats": stats}
    real = np.zeros(4, bool)
    y, changed = module.apply(variables, x, real, True, mutable=["batch_stats"])
    np.testing.assert_allclose(y, module.apply(variables, x), rtol=1e-6)
    for name, value in stats.items():
        np.testing.assert_array_equal(changed["batch_stats"][name], value)
