"""Informer's blocks: sparse attention as its definition has it, the rest as PyTorch's."""

import math
from typing import Any

import jax
import numpy as np
import pytest
import torch

from jaxdep.nn.informer import Distilling, Embedding, Layer
from jaxdep.nn.sparse_attention import ProbSparseAttention, kept_queries
from jaxdep.parity.convert import to_torch

HEADS, WIDTH, FEATURES = 2, 4, 6


def tensors(module, variables):
    return {name: torch.tensor(np.array(x)) for name, x in to_torch(module, variables).items()}


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("length", "kept"), [(24, 15), (12, 12), (6, 6), (72, 21), (36, 17), (18, 14), (1, 1)]
)
def test_the_number_of_kept_queries(length, kept):
    """The specification's table; of one query one is kept, where the formula has none."""
    assert kept_queries(5, length) == kept


def literal(params, x, factor, sample):
    """Query by query, in float64."""
    params = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params)
    out, indices = np.zeros(x.shape), []
    for row, example in enumerate(x.astype(np.float64)):
        read, of_example = [], []
        for head in range(HEADS):
            columns = slice(head * WIDTH, (head + 1) * WIDTH)
            q, k, v = (
                example @ params[name]["kernel"][:, columns] for name in ("W_Q", "W_K", "W_V")
            )
            rank = []
            for place, query in enumerate(q):
                keys = range(len(k)) if sample is None else sample[place]
                scores = [query @ k[key] for key in keys]
                rank.append(max(scores) - np.mean(scores))
            kept = np.argsort(rank)[::-1][: kept_queries(factor, len(q))]
            context = np.tile(v.mean(0), (len(q), 1))
            for place in kept:
                weights = np.exp(q[place] @ k.T / math.sqrt(WIDTH))
                context[place] = weights / weights.sum() @ v
            read.append(context)
            of_example.append(kept)
        added = np.concatenate(read, 1) @ params["fc"]["kernel"] + example
        centred = added - added.mean(-1, keepdims=True)
        normal = centred / np.sqrt(np.square(centred).mean(-1, keepdims=True) + 1e-5)
        out[row] = normal * params["norm"]["scale"] + params["norm"]["bias"]
        indices.append(of_example)
    return out, np.array(indices)


@pytest.mark.parametrize("length", [24, 12, 1])
@pytest.mark.parametrize("sampled", [True, False])
def test_sparse_attention_is_its_definition(length, sampled):
    x = random(3, length, FEATURES)
    count = kept_queries(5, length)
    sample = np.random.default_rng(1).integers(0, length, (length, count)) if sampled else None
    module: Any = ProbSparseAttention(HEADS, WIDTH)
    params = jax.jit(module.init)(jax.random.key(0), x, sample)["params"]
    found, kept, _ = jax.jit(module.apply)({"params": params}, x, sample)
    expected, indices = literal(params, x, 5, sample)
    np.testing.assert_array_equal(kept, indices)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_where_all_queries_are_kept_it_is_dense_attention():
    x = random(2, 6, FEATURES)
    module = ProbSparseAttention(HEADS, WIDTH)
    variables = module.init(jax.random.key(0), x)
    state = tensors(module, variables)
    q, k, v = (
        (torch.tensor(x) @ state[f"{name}.weight"].T).unflatten(-1, (HEADS, WIDTH)).transpose(1, 2)
        for name in ("W_Q", "W_K", "W_V")
    )
    read = torch.nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    added = read @ state["fc.weight"].T + torch.tensor(x)
    expected = torch.nn.functional.layer_norm(
        added, (FEATURES,), state["norm.weight"], state["norm.bias"]
    )
    np.testing.assert_allclose(module.apply(variables, x)[0], expected, atol=1e-5)


def test_every_projection_of_a_sparse_layer_learns():
    x = random(2, 24, FEATURES)
    module = Layer(feed_forward=5, heads=HEADS, width=WIDTH)
    params = jax.jit(module.init)(jax.random.key(0), x)["params"]
    total = lambda p: np.pi * module.apply({"params": p}, x)[0][..., 0].sum()
    gradient = jax.jit(jax.grad(total))(params)
    assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(gradient))


def test_embedding():
    x = random(2, 7, 3)
    module: Any = Embedding(FEATURES)
    variables = module.init(jax.random.key(0), x)
    state = tensors(module, variables)
    convolution = torch.nn.Conv1d(3, FEATURES, 3, padding=1, padding_mode="circular")
    convolution.load_state_dict(
        {part: state[f"value_embedding.Conv.{part}"] for part in ("weight", "bias")}
    )
    expected = convolution(torch.tensor(x).transpose(1, 2)).transpose(1, 2).detach().numpy()
    rates = np.exp(-np.log(10000) * np.arange(0, FEATURES, 2) / FEATURES)
    angles = np.arange(7)[:, None] * rates
    expected[..., 0::2] += np.sin(angles)
    expected[..., 1::2] += np.cos(angles)
    np.testing.assert_allclose(module.apply(variables, x), expected, atol=1e-5)


class TorchDistilling(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.downConv = torch.nn.Conv1d(FEATURES, FEATURES, 3, padding=1, padding_mode="circular")
        self.norm = torch.nn.BatchNorm1d(FEATURES)

    def forward(self, x):
        y = torch.nn.functional.elu(self.norm(self.downConv(x.transpose(1, 2))))
        return torch.nn.functional.max_pool1d(y, 3, 2, 1).transpose(1, 2)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("length", [24, 7, 1])
def test_distilling(train, length):
    x = random(4, length, FEATURES)
    module, reference = Distilling(), TorchDistilling()
    variables = module.init(jax.random.key(0), x)
    state = tensors(module, variables)
    reference.load_state_dict(state, strict=False)
    reference.train(train)
    found, changed = module.apply(variables, x, train=train, mutable=["batch_stats"])
    np.testing.assert_allclose(found, reference(torch.tensor(x)).detach(), atol=1e-5)
    assert found.shape[1] == (length - 1) // 2 + 1
    moved = tensors(module, {**variables, **changed})
    for name in ("norm.running_mean", "norm.running_var"):
        np.testing.assert_allclose(moved[name], reference.state_dict()[name], atol=1e-6)


def test_examples_that_fill_a_batch_move_no_statistics():
    x = random(4, 6, FEATURES)
    module = Distilling()
    variables = module.init(jax.random.key(0), x)
    run = lambda x, real: module.apply(variables, x, real, True, mutable=["batch_stats"])
    found, moved = run(np.concatenate([x, 9 * random(2, 6, FEATURES, seed=3)]), np.arange(6) < 4)
    expected, alone = run(x, None)
    np.testing.assert_allclose(found[:4], expected, atol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), moved, alone)
