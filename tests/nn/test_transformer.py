"""The Transformer encoder and the alignment blocks against PyTorch and by hand."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch.nn import functional

from jaxdep.nn import alignment
from jaxdep.nn.convolution import Conv1d
from jaxdep.nn.transformer import sinusoids


def test_sinusoids_by_hand():
    table = sinusoids(3, 4)
    np.testing.assert_allclose(table[0], [0, 1, 0, 1])
    np.testing.assert_allclose(table[2], [np.sin(2), np.cos(2), np.sin(0.02), np.cos(0.02)])
    assert sinusoids(2, 5).shape == (2, 5)


@pytest.mark.parametrize(("kernel", "stride", "length"), [(10, 5, 43), (5, 5, 5), (3, 2, 8)])
def test_strided_convolution(kernel, stride, length):
    x = np.random.default_rng(0).normal(size=(2, length, 3)).astype(np.float32)
    module: Any = Conv1d(4, kernel, stride, "valid")
    variables = module.init(jax.random.key(0), x)
    weight, bias = variables["params"]["kernel"], variables["params"]["bias"]
    expected = functional.conv1d(
        torch.as_tensor(x).transpose(1, 2),
        torch.as_tensor(np.array(weight)).permute(2, 1, 0),
        torch.as_tensor(np.array(bias)),
        stride,
    ).transpose(1, 2)
    np.testing.assert_allclose(module.apply(variables, x), expected, atol=1e-6)


def test_which_outputs_saw_real_frames_alone():
    lengths = np.array([0, 9, 10, 14, 15, 43])
    mask: Any = np.arange(43) < lengths[:, None]
    kept = Conv1d(4, 10, 5, "valid").mask(mask).sum(1)
    assert kept.tolist() == [0, 0, 1, 1, 2, 7]
    assert Conv1d(4, 10, 5, "valid").mask(mask).shape[1] == (43 - 10) // 5 + 1


def test_a_sequence_shorter_than_the_kernel():
    module: Any = Conv1d(4, 10, 5, "valid")
    x = np.zeros((2, 9, 3), np.float32)
    variables = module.init(jax.random.key(0), x)
    assert module.apply(variables, x).shape == (2, 0, 4)
    assert module.mask(np.ones((2, 9), bool)).shape == (2, 0)


def test_a_length_that_is_kept_takes_no_stride():
    with pytest.raises(ValueError, match="stride 1"):
        Conv1d(4, 3, 2).init(jax.random.key(0), np.zeros((1, 9, 3), np.float32))


def test_pad():
    x = jnp.array([1.0, 2, 3, 4, 0, 0]).reshape(2, 3, 1)
    mask: Any = np.array([[1, 1, 1], [1, 0, 0]], bool)
    [(short, real)] = alignment.pad([(x, mask)], 2)
    assert short[..., 0].tolist() == [[1, 2], [4, 0]]
    assert real.tolist() == [[True, True], [True, False]]
    [(long, real)] = alignment.pad([(x, mask)], 4)
    assert long[..., 0].tolist() == [[1, 2, 3, 0], [4, 0, 0, 0]]
    assert real.tolist() == [[True, True, True, False], [True, False, False, False]]


def rows(rng, steps, padding):
    """A recording of so many real steps, zeros behind."""
    x = rng.normal(size=(1, steps, 2)).astype(np.float32)
    mask = np.arange(steps + padding)[None] < steps
    return x, (jnp.asarray(np.pad(x, ((0, 0), (0, padding), (0, 0)))), mask)


@pytest.mark.parametrize(("steps", "wanted"), [(7, 5), (3, 11), (4, 4), (1, 6), (9, 1)])
def test_resample_is_pytorchs_interpolation(steps, wanted):
    rng = np.random.default_rng(0)
    lead, first = rows(rng, wanted, 2)
    x, second = rows(rng, steps, 3)
    resample = jax.jit(alignment.resample, static_argnums=1)
    (same, real), (found, there) = resample([first, second], wanted + 2)
    np.testing.assert_array_equal(same[:, :wanted], lead)
    assert real.sum() == there.sum() == wanted
    expected = functional.interpolate(torch.as_tensor(x).transpose(1, 2), wanted, mode="linear")
    np.testing.assert_allclose(found[:, :wanted], expected.transpose(1, 2), atol=1e-6)
    assert not np.asarray(found[:, wanted:]).any()


def test_without_a_first_sequence_the_next_one_leads():
    rng = np.random.default_rng(1)
    _, (absent, mask) = rows(rng, 3, 2)
    x, second = rows(rng, 4, 1)
    (none, nowhere), (kept, real) = alignment.resample([(absent, mask & False), second], 5)
    assert not none.any()
    assert not nowhere.any()
    np.testing.assert_array_equal(kept[:, :4], x)
    assert real.tolist() == [[True] * 4 + [False]]


def test_segments_of_bytes_are_their_means():
    x = np.random.default_rng(0).integers(0, 256, (2, 7, 3), np.uint8)
    expected = functional.adaptive_avg_pool1d(torch.as_tensor(x).float().transpose(1, 2), 4)
    found = alignment.segments(jnp.asarray(x), None, 4)
    np.testing.assert_allclose(found, expected.transpose(1, 2), rtol=1e-6)
