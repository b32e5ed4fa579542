"""Informer's sparse self-attention, alone and with queries that another encoder chose."""

from __future__ import annotations

import math
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxdep.errors import ModelError
from jaxdep.nn.attention import HeadWeights, read_heads
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.initializers import torch_uniform
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.types import PerExample, Sequence

Heads = Float[Array, "batch head time width"]
Kept = Int[Array, "batch head kept"]
KeySample = Int[Array, "query sample"]


class Read(NamedTuple):
    """What an attention gives.

    Attributes:
      x: the result, [B, L, D].
      kept: the queries that each head kept, from the first rank on.
      weights: what each step read of the others, [B, H, L, L].
    """

    x: Sequence
    kept: Kept
    weights: HeadWeights


class ProbSparseAttention(nn.Module):
    """Informer's self-attention (Zhou et al., 2021): queries that stand out read by themselves.

    A query stands out by the largest minus the mean of its scores. In each head the `kept_queries`
    that do so most read all keys; every other gets the mean of the values. What the heads have read
    is added to the input and normalised. No projection has a bias.

    Attributes:
      heads: H, each of `width` W; H W need not be the width of the input.
      factor: c of `kept_queries`.
      dropout: of what the heads have read.
    """

    heads: int = 8
    width: int = 64
    factor: float = 5.0
    dropout: float | Array = 0.0

    @nn.compact
    def __call__(self, x: Sequence, sample: KeySample | None = None, train: bool = False) -> Read:
        """Lets each step of [B, L, D] read the others.

        Args:
          sample: [L, S], the keys by which each query is ranked; None: all of them.
        """
        q, k = self._split(x, "W_Q"), self._split(x, "W_K")
        kept = self._kept(q, k, sample)
        weights = sparse_weights(q, k, kept)
        return Read(self._result(x, weights, train), kept, weights)

    def _split(self, x: Sequence, name: str) -> Heads:
        y = Linear(self.heads * self.width, use_bias=False, name=name)(x)
        return y.reshape(*y.shape[:2], self.heads, -1).swapaxes(1, 2)

    def _kept(self, q: Heads, k: Heads, sample: KeySample | None) -> Kept:
        count = kept_queries(self.factor, q.shape[2])
        return jax.lax.top_k(prominence(q, k, sample), count)[1]

    def _result(self, x: Sequence, weights: HeadWeights, train: bool) -> Sequence:
        value = Linear(self.heads * self.width, use_bias=False, name="W_V")(x)
        read = Linear(x.shape[-1], use_bias=False, name="fc")(read_heads(weights, value))
        read = Dropout(self.dropout, name="dropout")(read, train)
        return LayerNorm(name="norm")(read + x)


class SharedAttention(ProbSparseAttention):
    """The attention sharing unit of DEP-Former: own queries and those of another encoder.

    Both are read with, and a gate for each example mixes what they read.

    Attributes:
      gate: `soft`: the share of the own queries is the gate; `hard`: they alone count where it is
        at least 1/2, else the others alone, with the soft gate's gradient; `mixing`: what
        `DEPFormerReleased` has instead: queries change places between the half of the batch with
        the larger gates and the other half. It needs an even batch, and its gate is not trained.
      shared_factor: c of the queries that take part. Where all queries are kept, the own and the
        others' are the same ones in another order, and the gate decides nothing.
    """

    gate: str = "soft"
    shared_factor: float = 5.0

    @nn.compact
    def __call__(
        self, x: Sequence, shared: Kept, sample: KeySample | None = None, train: bool = False
    ) -> Read:
        """As `ProbSparseAttention`.

        Args:
          shared: the other encoder's queries.

        Raises:
          ModelError: the batch is odd, and the gate is the published one.
        """
        q, k = self._split(x, "W_Q"), self._split(x, "W_K")
        own = self._kept(q, k, sample)
        gate = _Gate(trained=self.gate != "mixing", name="alpha.0")(q)
        if self.gate == "mixing" and not self.is_initializing():
            weights = _scattered(_mixed(q, own, shared, gate), k, own)
            return Read(self._result(x, weights, train), own, weights)
        if self.gate == "hard":
            hard = (gate >= 0.5).astype(gate.dtype)
            gate = hard + (gate - jax.lax.stop_gradient(gate))
        count = kept_queries(self.shared_factor, x.shape[1])
        first, second = own[..., :count], shared[..., :count]
        share = gate[:, None, None, None]
        weights = share * sparse_weights(q, k, first) + (1 - share) * sparse_weights(q, k, second)
        return Read(self._result(x, weights, train), own, weights)


class _Gate(nn.Module):
    """The sigmoid of a linear layer over all queries of an example.

    Attributes:
      trained: whether its weights are parameters.
    """

    trained: bool = True

    @nn.compact
    def __call__(self, query: Heads) -> PerExample:
        flat = query.reshape(len(query), -1)
        init, width = torch_uniform(flat.shape[1]), flat.shape[1]
        if self.trained:
            kernel, bias = self.param("kernel", init, (width, 1)), self.param("bias", init, (1,))
        else:
            held = lambda name, shape: self.variable(
                "untrained", name, lambda: init(self.make_rng("params"), shape)
            )
            kernel, bias = held("kernel", (width, 1)).value, held("bias", (1,)).value
        return jax.nn.sigmoid(flat @ kernel + bias[None])[:, 0]


def kept_queries(factor: float, length: int) -> int:
    """How many of so many queries read by themselves: `min(floor(c ln L), L)`, at least one."""
    return max(min(math.floor(factor * math.log(length)), length), 1)


def prominence(query: Heads, key: Heads, sample: KeySample | None) -> Float[Array, "batch head q"]:
    """How far each query's largest score stands out from the mean of its scores, unscaled."""
    if sample is None:
        scores = jnp.einsum("bhld,bhsd->bhls", query, key)
    else:
        scores = jnp.einsum("bhld,bhlsd->bhls", query, key[:, :, sample])
    return scores.max(-1) - scores.mean(-1)


def sparse_weights(query: Heads, key: Heads, kept: Kept) -> HeadWeights:
    """What every step reads of the keys: kept queries by softmax, the others all alike."""
    if kept.shape[-1] == query.shape[2]:
        return _softmax(query, key)
    return _scattered(_rows(query, kept), key, kept)


def _rows(query: Heads, kept: Kept) -> Heads:
    return jnp.take_along_axis(query, kept[..., None], 2)


def _softmax(query: Heads, key: Heads) -> HeadWeights:
    return jax.nn.softmax(jnp.einsum("bhld,bhsd->bhls", query, key) * (key.shape[-1] ** -0.5))


def _scattered(chosen: Heads, key: Heads, kept: Kept) -> HeadWeights:
    """What queries [B, H, U, W] read, at the steps `kept`; at all others the keys alike."""
    read = _softmax(chosen, key)
    alike = jnp.full((*key.shape[:3], key.shape[2]), 1 / key.shape[2], read.dtype)
    places = jnp.broadcast_to(kept[..., None], read.shape)
    return jnp.put_along_axis(alike, places, read, 2, inplace=False)


def _mixed(query: Heads, own: Kept, shared: Kept, gate: PerExample) -> Heads:
    """Queries as the published unit takes them, its exchange of examples included."""
    if len(query) % 2:
        raise ModelError(
            "the published sharing unit exchanges queries between pairs of examples: give an even"
            f" batch (training.batch_size); got {len(query)}"
        )
    half = len(query) // 2
    order = jnp.argsort(-gate)
    high, low = order[:half], order[::-1][:half]
    source, index = jnp.concatenate([low, high]), jnp.concatenate([own[high], shared[low]])
    return _rows(query[source], index)[jnp.concatenate([high, low])]
