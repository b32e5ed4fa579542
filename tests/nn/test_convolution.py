"""Convolution as PyTorch's, and maps that are read without being made."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from jaxdep.nn.convolution import Conv1d, FoldedMaps, Maps, convolve

BATCH, LENGTH, WIDTH, CHANNELS = 3, 7, 4, 6


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_equals_pytorch(kernel_size):
    x = np.random.default_rng(0).normal(size=(BATCH, LENGTH, WIDTH)).astype(np.float32)
    module = Conv1d(CHANNELS, kernel_size)
    variables = module.init(jax.random.key(0), x)
    reference = torch.nn.Conv1d(WIDTH, CHANNELS, kernel_size, padding=kernel_size // 2)
    kernel, bias = (np.asarray(variables["params"][name]) for name in ("kernel", "bias"))
    reference.load_state_dict(
        {"weight": torch.tensor(kernel.transpose(2, 1, 0)), "bias": torch.tensor(bias)}
    )
    theirs = reference(torch.tensor(x).transpose(1, 2)).transpose(1, 2).detach()
    np.testing.assert_allclose(module.apply(variables, x), theirs, atol=1e-6)


def test_initial_weights_are_within_pytorchs_bound():
    params = Conv1d(64, 3).init(jax.random.key(0), np.zeros((1, 5, 12)))["params"]
    bound = (3 * 12) ** -0.5
    for leaf in params.values():
        assert 0.9 * bound < np.abs(leaf).max() < bound


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match="kernel_size must be odd"):
        Conv1d(2, 4).init(jax.random.key(0), np.zeros((1, 5, 2)))


def arrays(kernel_size, length, dtype):
    rng = np.random.default_rng(kernel_size)
    draw = lambda *shape: jnp.asarray(rng.normal(size=shape) / 3, dtype)
    return (
        draw(BATCH, length, WIDTH),
        draw(kernel_size, WIDTH, CHANNELS),
        draw(CHANNELS),
        draw(CHANNELS),
        draw(),
        jax.nn.softmax(draw(BATCH, length)),
    )


def literal(y, kernel, bias):
    return Maps(convolve(y, kernel) + bias[None, None])


def read(make):
    """Scores and pooled features of maps, and the gradient of all that they are made of."""

    def run(args):
        y, kernel, bias, weight, offset, attention = args
        maps = make(y, kernel, bias)
        scores, pooled = maps.scores(weight, offset), maps.pool(attention)
        return jnp.sin(scores).sum() + jnp.cos(pooled).sum(), (scores, pooled, maps.maps())

    return jax.jit(jax.grad(run, has_aux=True))


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("length", [1, 2, LENGTH])  # shorter than half a kernel, too
class TestFolded:
    def test_equals_literal(self, kernel_size, length):
        args = arrays(kernel_size, length, jnp.float32)
        assert FoldedMaps(*args[:3]).channels == literal(*args[:3]).channels == CHANNELS
        chex.assert_trees_all_close(read(FoldedMaps)(args), read(literal)(args), atol=1e-6)

    def test_equals_literal_in_float64(self, kernel_size, length, x64):
        args = arrays(kernel_size, length, jnp.float64)
        chex.assert_trees_all_close(read(FoldedMaps)(args), read(literal)(args), atol=1e-12)
