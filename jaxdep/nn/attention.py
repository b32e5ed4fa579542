"""Attention over time: score pooling, and multi-head attention."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxdep.errors import ModelError
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.initializers import Initializer, zeros
from jaxdep.nn.linear import Linear
from jaxdep.nn.masking import masked_softmax
from jaxdep.types import Mask, Scores, Sequence

HeadWeights = Float[Array, "batch head query key"]


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
            raise ModelError(f"the width {width} is no multiple of heads {self.heads}")
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
            raise ModelError(f"features {self.features} is no multiple of heads {self.heads}")

        inits = {"weight_init": self.weight_init, "bias_init": self.bias_init}
        project = lambda name, x: Linear(self.features, name=name, **inits)(x)
        q, k, v = project("q", query), project("k", memory), project("v", memory)
        weights = head_weights(q, k, self.heads, mask)
        self.sow("intermediates", "attention", weights)
        return read_heads(weights, v)


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
