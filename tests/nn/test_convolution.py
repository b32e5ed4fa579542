"""Convolution as PyTorch's, and maps that are read without being made."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from jaxdep.models.smfl.reference.layers import TemporalConvNet
from jaxdep.nn.convolution import (
    TCN,
    CausalConv1d,
    Conv1d,
    FoldedMaps,
    Maps,
    convolve,
    correlate,
)
from jaxdep.parity.convert import to_torch

BATCH, LENGTH, WIDTH, CHANNELS = 3, 7, 4, 6


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_equals_pytorch(kernel_size):
    x = np.random.default_rng(0).normal(size=(BATCH, LENGTH, WIDTH)).astype(np.float32)
    module: Any = Conv1d(CHANNELS, kernel_size)
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


def test_a_tcn_sees_249_frames_back():
    """Five blocks of two convolutions of 5 taps: 1 + 2 * 4 * 31 (SMFL)."""
    x = np.random.default_rng(0).normal(size=(1, 300, 3)).astype(np.float32)
    mask = np.ones((1, 300), bool)
    module: Any = TCN(12, 5, 5)
    variables = jax.jit(module.init)(jax.random.key(0), x, mask)
    # Weights that keep every path open: no frame in reach may be missed for a dead unit.
    params = jax.tree.map(jnp.abs, variables["params"])
    total = lambda x: module.apply({"params": params}, x, mask).sum()
    reached = jax.jit(jax.grad(total))(jnp.abs(x))
    frames = np.flatnonzero(np.abs(reached[0]).sum(-1))
    assert module.receptive_field == 249
    np.testing.assert_array_equal(frames, np.arange(300 - 249, 300))


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("length", [1, 2, 13, 29, 30, 70])
def test_a_tcn_equals_pytorchs_of_all_frames(length, pooling):
    """Three blocks, with dilated convolutions of all frames; their last frame, or the mean."""
    x = np.random.default_rng(1).normal(size=(2, length, 3)).astype(np.float32)
    module: Any = TCN(4, 3, 3, pooling=pooling)
    variables = jax.jit(module.init)(jax.random.key(0), x, np.ones((2, length), bool))
    reference = TemporalConvNet(3, 4, 3, 3, 0.0)
    state = to_torch(module, variables)
    reference.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
    frames = reference(torch.tensor(x)).detach()
    expected = frames[:, -1] if pooling == "last" else frames.mean(1)
    ahead = np.concatenate([np.full((2, 5, 3), 9.0, np.float32), x], 1)
    mask = np.arange(length + 5)[None] >= np.full((2, 1), 5)
    for given, real in ((x, mask[:, 5:]), (ahead, mask)):
        found = jax.jit(module.apply)(variables, given, real)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_weights_are_normalised():
    """The length of `v` does not count, that of `g` does."""
    x = np.random.default_rng(2).normal(size=(1, 6, 3)).astype(np.float32)
    module = CausalConv1d(4, 2)
    params = {
        name: np.asarray(leaf) for name, leaf in module.init(jax.random.key(0), x)["params"].items()
    }
    of = lambda **changed: (
        np.asarray(module.apply({"params": {**params, **changed}}, x)) - params["bias"]
    )
    np.testing.assert_allclose(of(weight_v=3 * params["weight_v"]), of(), atol=1e-6)
    np.testing.assert_allclose(of(weight_g=2 * params["weight_g"]), 2 * of(), atol=1e-6)


@pytest.mark.parametrize(("taps", "stride"), [(3, 1), (10, 5), (5, 2), (1, 3)])
def test_correlation_in_blocks_equals_xlas(taps, stride):
    rng = np.random.default_rng(taps)
    sizes = (2, 23, 3), (taps, 3, 4)
    arrays: Any = (rng.normal(size=size).astype(np.float32) for size in sizes)
    x, kernel = arrays
    expected = jax.lax.conv_general_dilated(
        x,
        kernel,
        (stride,),
        "VALID",
        dimension_numbers=("NWC", "WIO", "NWC"),
    )
    found = correlate(x, kernel, stride)
    np.testing.assert_allclose(found, expected, atol=1e-5)
