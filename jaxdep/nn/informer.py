"""Informer's encoder (Zhou et al., 2021): embedding, layers of sparse attention, distilling."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxdep.nn import initializers
from jaxdep.nn.attention import Kept, KeySample, ProbSparseAttention
from jaxdep.nn.convolution import Conv1d
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.normalization import BatchNorm, LayerNorm
from jaxdep.nn.transformer import sinusoids
from jaxdep.types import Sequence


class Embedding(nn.Module):
    """A circular convolution over three steps, and the steps' positions.

    Attributes:
      features: D, even.
      dropout: of the sum.
    """

    features: int
    dropout: float = 0.0

    @nn.compact
    def __call__(self, x: Sequence, train: bool = False) -> Sequence:
        """[B, L, I] to [B, L, D]."""
        he = initializers.normal((2 / (3 * x.shape[-1])) ** 0.5)
        convolution = Conv1d(
            self.features, 3, padding="circular", weight_init=he, name="value_embedding.Conv"
        )
        positions = jnp.asarray(sinusoids(x.shape[1], self.features), x.dtype)
        return Dropout(self.dropout, name="dropout")(convolution(x) + positions[None], train)


class Layer(nn.Module):
    """Sparse attention, then two linear layers with GELU between, added and normalised.

    Attributes:
      feed_forward: width between the two linear layers.
      factor: c of `attention.kept_queries`.
      dropout: of the attention's result and behind both linear layers.
      heads: of the attention, each of `width`.
    """

    feed_forward: int = 32
    factor: float = 5.0
    dropout: float = 0.0
    heads: int = 8
    width: int = 64

    @nn.compact
    def __call__(
        self, x: Sequence, sample: KeySample | None = None, train: bool = False
    ) -> tuple[Sequence, Kept]:
        """[B, L, D] to the same shape, and the queries that the attention kept."""
        attention = ProbSparseAttention(
            self.heads, self.width, self.factor, self.dropout, name="attention"
        )
        x, kept = attention(x, sample, train)
        drop = lambda y, name: Dropout(self.dropout, name=name)(y, train)
        hidden = nn.gelu(Conv1d(self.feed_forward, 1, name="conv1")(x), approximate=False)
        made = Conv1d(x.shape[-1], 1, name="conv2")(drop(hidden, "dropout1"))
        return LayerNorm(name="norm")(x + drop(made, "dropout2")), kept


class Distilling(nn.Module):
    """A circular convolution, batch normalisation, ELU, and the maximum of every second three."""

    @nn.compact
    def __call__(
        self, x: Sequence, real: Bool[Array, " batch"] | None = None, train: bool = False
    ) -> Sequence:
        """[B, L, D] to [B, (L - 1) // 2 + 1, D]; `real` as in `BatchNorm`."""
        x = Conv1d(x.shape[-1], 3, padding="circular", name="downConv")(x)
        x = nn.elu(BatchNorm(name="norm")(x, real, train))
        return nn.max_pool(x, (3,), strides=(2,), padding=((1, 1),))
