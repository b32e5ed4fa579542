"""Attention over time: score pooling, and multi-head attention, dense and sparse."""

from __future__ import annotations

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxdep.nn.dropout import Dropout
from jaxdep.nn.initializers import Initializer, zeros
from jaxdep.nn.linear import Linear
from jaxdep.nn.masking import masked_softmax
from jaxdep.nn.normalization import LayerNorm
from jaxdep.types import Mask, Scores, Sequence

HeadWeights = Float[Array, "batch head query key"]
Heads = Float[Array, "batch head time width"]
Kept = Int[Array, "batch head kept"]
KeySample = Int[Array, "query sample"]


class ScoreAttention(nn.Module):
    """`alpha = softmax(w . tanh(W x + b))` over the real frames.

    Attributes:
      features: width of `W x`.
      weight_init: of both layers; None: PyTorch's default.
      bias_init: None: as the weights.
    """

    features: int
    weight_init: Initializer | None = None
    bias_init: Initializer | None = None

    @nn.compact
    def __call__(self, x: Sequence, mask: Mask | None) -> Scores:
        """The weight of each frame, [B, L]; they sum to one over the real frames."""
        inits = {"weight_init": self.weight_init, "bias_init": self.bias_init}
        hidden = jnp.tanh(Linear(self.features, name="proj", **inits)(x))
        scores = Linear(1, use_bias=False, name="score", **inits)(hidden)[..., 0]
        return masked_softmax(scores, mask)


class ScoreNetwork(nn.Module):
    """`w2 . relu(W1 x + b1) + b2` over the last axis: how much a vector counts, before a softmax.

    Attributes:
      features: width of `W1 x`.
    """

    features: int

    @nn.compact
    def __call__(self, x: Float[Array, "*axes feature"]) -> Float[Array, "*axes"]:
        """One score for each vector."""
        hidden = nn.relu(Linear(self.features, name="score.0")(x))
        return Linear(1, name="score.2")(hidden)[..., 0]


class SelfAttention(nn.Module):
    """Multi-head scaled dot-product self-attention, as `torch.nn.MultiheadAttention`.

    Attributes:
      heads: H, which must divide the width of the input.
      dropout: of the weights.
    """

    heads: int
    dropout: float = 0.0

    @nn.compact
    def __call__(self, x: Sequence, mask: Mask | None, train: bool = False) -> Sequence:
        """Lets each step of [B, L, D] read the real ones.

        Args:
          mask: [B, L], true where a step may be read.

        Returns:
          [B, L, D]; the weights [B, H, L, L] are sown as `attention`.
        """
        width = x.shape[-1]
        if width % self.heads:
            raise ValueError(f"the width {width} is no multiple of heads {self.heads}")
        weight = self.param("in_proj_weight", nn.initializers.xavier_uniform(), (width, 3 * width))
        bias = self.param("in_proj_bias", zeros, (3 * width,))
        projected = x @ weight + bias[None, None]
        q, k, v = jnp.split(projected, 3, axis=-1)
        weights = head_weights(q, k, self.heads, mask)
        self.sow("intermediates", "attention", weights)
        weights = Dropout(self.dropout, name="dropout")(weights, train)
        read = read_heads(weights, v)
        return Linear(width, bias_init=zeros, name="out_proj")(read)


class CrossAttention(nn.Module):
    """Multi-head scaled dot-product attention; heads are concatenated and not projected again.

    Attributes:
      features: width of queries, keys, values and result; a multiple of `heads`.
      heads: H.
      weight_init: None: PyTorch's default.
      bias_init: None: as the weights.
    """

    features: int
    heads: int
    weight_init: Initializer | None = None
    bias_init: Initializer | None = None

    @nn.compact
    def __call__(self, query: Sequence, memory: Sequence, mask: Mask | None) -> Sequence:
        """Lets each step of `query` [B, L, *] read `memory` [B, S, *].

        Args:
          mask: [B, S], true where a step of `memory` is real.

        Returns:
          [B, L, features]; the weights [B, H, L, S] are sown as `attention`.
        """
        if self.features % self.heads:
            raise ValueError(f"features {self.features} is no multiple of heads {self.heads}")

        inits = {"weight_init": self.weight_init, "bias_init": self.bias_init}
        project = lambda name, x: Linear(self.features, name=name, **inits)(x)
        q, k, v = project("q", query), project("k", memory), project("v", memory)
        weights = head_weights(q, k, self.heads, mask)
        self.sow("intermediates", "attention", weights)
        return read_heads(weights, v)


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
    dropout: float = 0.0

    @nn.compact
    def __call__(
        self, x: Sequence, sample: KeySample | None = None, train: bool = False
    ) -> tuple[Sequence, Kept]:
        """[B, L, D] to the same shape, and each head's kept queries, from the first rank on.

        Args:
          sample: [L, S], the keys by which each query is ranked; None: all of them.
        """
        inner = self.heads * self.width
        project = lambda name: Linear(inner, use_bias=False, name=name)(x)
        split = lambda y: y.reshape(*y.shape[:2], self.heads, -1).swapaxes(1, 2)
        q, k = split(project("W_Q")), split(project("W_K"))
        kept = jax.lax.top_k(prominence(q, k, sample), kept_queries(self.factor, x.shape[1]))[1]
        weights = sparse_weights(q, k, kept)
        self.sow("intermediates", "attention", weights)
        read = read_heads(weights, project("W_V"))
        read = Linear(x.shape[-1], use_bias=False, name="fc")(read)
        read = Dropout(self.dropout, name="dropout")(read, train)
        return LayerNorm(name="norm")(read + x), kept


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
    """What every query reads of the keys: kept ones by softmax, the others all alike."""
    chosen = jnp.take_along_axis(query, kept[..., None], 2)
    scores = jnp.einsum("bhld,bhsd->bhls", chosen, key) * (query.shape[-1] ** -0.5)
    length = key.shape[2]
    alike = jnp.full((*query.shape[:3], length), 1 / length, scores.dtype)
    rows = jnp.broadcast_to(kept[..., None], scores.shape)
    return jnp.put_along_axis(alike, rows, jax.nn.softmax(scores), 2, inplace=False)


def head_weights(
    query: Sequence, key: Sequence, heads: int, mask: Mask | None, scale: bool = True
) -> HeadWeights:
    """Dot-product attention of every head: what each step of `query` reads of `key`.

    Args:
      query: [B, L, D], cut into heads along D.
      key: [B, S, D].
      mask: [B, S], true where a step may be read.
      scale: whether scores are divided by the root of a head's width.

    Returns:
      [B, H, L, S].
    """
    q, k = (x.reshape(*x.shape[:2], heads, -1) for x in (query, key))
    scores = jnp.einsum("blhd,bshd->bhls", q, k)
    if scale:
        scores = scores * (q.shape[-1] ** -0.5)
    return masked_softmax(scores, None if mask is None else mask[:, None, None, :])


def read_heads(weights: HeadWeights, value: Sequence) -> Sequence:
    """What every head reads of `value` [B, S, D], heads side by side: [B, L, D]."""
    v = value.reshape(*value.shape[:2], weights.shape[1], -1)
    read = jnp.einsum("bhls,bshd->blhd", weights, v)
    return read.reshape(*read.shape[:2], -1)
