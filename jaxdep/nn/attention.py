"""Attention over time: scoring networks and multi-head attention."""

from __future__ import annotations

from functools import partial

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Bool, Float

from jaxdep.errors import ModelError
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.initializers import Initializer, zeros
from jaxdep.nn.linear import Linear
from jaxdep.nn.masking import masked_softmax
from jaxdep.types import Array, Mask, Number, Scores, Sequence

Queries = Float[Array, "batch query feature"]
Keys = Float[Array, "batch key feature"]
KeyMask = Bool[Array, "batch key"]
HeadWeights = Float[Array, "batch head query key"]


class ScoreAttention(nn.Module):
    """Attention weights `alpha = softmax(w . tanh(W x + b))` over the real frames.

    Attributes:
      features: width of `W x`.
      weight_init: initializer of both layers' weights; None: PyTorch's default.
      bias_init: initializer of the bias; None: `weight_init`.
    """

    features: int
    weight_init: Initializer | None = None
    bias_init: Initializer | None = None

    @nn.compact
    def __call__(self, x: Sequence, mask: Mask | None) -> Scores:
        """Computes the weight of each frame, [B, L]; weights sum to one over the real frames."""
        linear = partial(Linear, weight_init=self.weight_init, bias_init=self.bias_init)
        hidden = jnp.tanh(linear(self.features, name="proj")(x))
        scores = linear(1, use_bias=False, name="score")(hidden)[..., 0]
        return masked_softmax(scores, mask)


class ScoreNetwork(nn.Module):
    """Scoring network `w2 . relu(W1 x + b1) + b2` over the last axis, for use before a softmax.

    Attributes:
      features: width of `W1 x`.
    """

    features: int

    @nn.compact
    def __call__(self, x: Float[Array, "*axes feature"]) -> Float[Array, "*axes"]:
        """Computes one score per vector."""
        hidden = nn.relu(Linear(self.features, name="score.0")(x))
        return Linear(1, name="score.2")(hidden)[..., 0]


class SelfAttention(nn.Module):
    """Multi-head scaled dot-product self-attention, as `torch.nn.MultiheadAttention`.

    Attributes:
      heads: number of heads H; must divide the width of the input.
      dropout: dropout rate of the attention weights.
    """

    heads: int
    dropout: Number = 0.0

    @nn.compact
    def __call__(self, x: Sequence, mask: Mask | None, train: bool = False) -> Sequence:
        """Attends from each step of [B, L, D] to the real steps.

        Args:
          mask: [B, L], true where a step may be attended to; None: everywhere.

        Returns:
          [B, L, D]; the weights [B, H, L, L] are sown as `attention`.
        """
        width = x.shape[-1]
        if width % self.heads:
            raise ModelError(f"the input width {width} must be a multiple of heads={self.heads}")
        weight = self.param("in_proj_weight", nn.initializers.xavier_uniform(), (width, 3 * width))
        bias = self.param("in_proj_bias", zeros, (3 * width,))
        projected = x @ weight + bias[None, None]
        q, k, v = jnp.split(projected, 3, axis=-1)
        weights = head_weights(q, k, self.heads, mask)
        self.sow("intermediates", "attention", weights)
        weights = Dropout(self.dropout, name="dropout")(weights, train)
        attended = apply_heads(weights, v)
        return Linear(width, bias_init=zeros, name="out_proj")(attended)


class CrossAttention(nn.Module):
    """Multi-head scaled dot-product attention without an output projection.

    Attributes:
      features: width of the queries, keys, values and output; a multiple of `heads`.
      heads: number of heads H.
      weight_init: initializer of the weights; None: PyTorch's default.
      bias_init: initializer of the biases; None: `weight_init`.
    """

    features: int
    heads: int
    weight_init: Initializer | None = None
    bias_init: Initializer | None = None

    @nn.compact
    def __call__(
        self,
        query: Float[Array, "batch query width"],
        memory: Float[Array, "batch key memory_width"],
        mask: KeyMask | None,
    ) -> Queries:
        """Attends from each step of `query` [B, L, *] to the real steps of `memory` [B, S, *].

        Args:
          mask: [B, S], true where a step of `memory` is real; None: everywhere.

        Returns:
          [B, L, features]; the weights [B, H, L, S] are sown as `attention`.
        """
        if self.features % self.heads:
            raise ModelError(f"features={self.features} must be a multiple of heads={self.heads}")

        linear = partial(Linear, weight_init=self.weight_init, bias_init=self.bias_init)
        project = lambda name, x: linear(self.features, name=name)(x)
        q, k, v = project("q", query), project("k", memory), project("v", memory)
        weights = head_weights(q, k, self.heads, mask)
        self.sow("intermediates", "attention", weights)
        return apply_heads(weights, v)


def head_weights(
    query: Queries, key: Keys, heads: int, mask: KeyMask | None, scale: bool = True
) -> HeadWeights:
    """Computes the dot-product attention weights of every head.

    Args:
      query: [B, L, D], split into heads along D.
      key: [B, S, D].
      heads: number of heads H.
      mask: [B, S], true where a step may be attended to; None: everywhere.
      scale: whether to divide the scores by the square root of a head's width.

    Returns:
      Weights [B, H, L, S].
    """
    q, k = (x.reshape(*x.shape[:2], heads, -1) for x in (query, key))
    scores = jnp.einsum("blhd,bshd->bhls", q, k)
    if scale:
        scores = scores * (q.shape[-1] ** -0.5)
    return masked_softmax(scores, None if mask is None else mask[:, None, None, :])


def apply_heads(weights: HeadWeights, value: Keys) -> Queries:
    """Averages `value` [B, S, D] with each head's weights, heads concatenated: [B, L, D]."""
    v = value.reshape(*value.shape[:2], weights.shape[1], -1)
    outputs = jnp.einsum("bhls,bshd->blhd", weights, v)
    return outputs.reshape(*outputs.shape[:2], -1)
