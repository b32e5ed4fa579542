"""Attention over time: score pooling, and multi-head cross attention."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxdep.nn.dropout import Dropout
from jaxdep.nn.initializers import Initializer, zeros
from jaxdep.nn.linear import Linear
from jaxdep.nn.masking import masked_softmax
from jaxdep.types import Mask, Scores, Sequence


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
        q, k, v = (
            part.reshape(*x.shape[:2], self.heads, -1) for part in jnp.split(projected, 3, axis=-1)
        )
        scores = jnp.einsum("blhd,bshd->bhls", q, k) * (q.shape[-1] ** -0.5)
        weights = masked_softmax(scores, _keys(mask))
        self.sow("intermediates", "attention", weights)
        weights = Dropout(self.dropout, name="dropout")(weights, train)
        read = jnp.einsum("bhls,bshd->blhd", weights, v).reshape(x.shape)
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

        def project(name: str, x: Sequence) -> Float[Array, "batch time head width"]:
            inits = {"weight_init": self.weight_init, "bias_init": self.bias_init}
            y = Linear(self.features, name=name, **inits)(x)
            return y.reshape(*y.shape[:2], self.heads, -1)

        q, k, v = project("q", query), project("k", memory), project("v", memory)
        scores = jnp.einsum("blhd,bshd->bhls", q, k) * (q.shape[-1] ** -0.5)
        weights = masked_softmax(scores, _keys(mask))
        self.sow("intermediates", "attention", weights)
        return jnp.einsum("bhls,bshd->blhd", weights, v).reshape(*query.shape[:2], -1)


def _keys(mask: Mask | None) -> Bool[Array, "batch 1 1 time"] | None:
    return None if mask is None else mask[:, None, None, :]
