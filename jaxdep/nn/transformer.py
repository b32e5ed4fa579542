"""Transformer encoder (Vaswani et al., 2017) with PyTorch's layers and parameter names."""

from __future__ import annotations

import flax.linen as nn
import numpy as np

from jaxdep.nn.attention import SelfAttention
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.types import Mask, Number, Sequence


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward block, each with a residual and post-normalisation.

    Attributes:
      heads: number of attention heads.
      feed_forward: hidden width of the feed-forward block.
      dropout: dropout rate of the attention weights, of both outputs, and within the feed-forward
        block.
    """

    heads: int
    feed_forward: int
    dropout: Number = 0.0

    @nn.compact
    def __call__(self, x: Sequence, mask: Mask | None, train: bool = False) -> Sequence:
        """Transforms [B, L, D]; steps where `mask` is false are not attended to."""
        drop = lambda y, name: Dropout(self.dropout, name=name)(y, train)
        attended = SelfAttention(self.heads, self.dropout, name="self_attn")(x, mask, train)
        x = LayerNorm(name="norm1")(x + drop(attended, "dropout1"))
        hidden = drop(nn.relu(Linear(self.feed_forward, name="linear1")(x)), "dropout")
        outputs = Linear(x.shape[-1], name="linear2")(hidden)
        return LayerNorm(name="norm2")(x + drop(outputs, "dropout2"))


class Encoder(nn.Module):
    """A stack of `layers` encoder layers, as `torch.nn.TransformerEncoder`.

    The other attributes are those of `EncoderLayer`.
    """

    layers: int
    heads: int
    feed_forward: int
    dropout: Number = 0.0

    @nn.compact
    def __call__(self, x: Sequence, mask: Mask | None, train: bool = False) -> Sequence:
        """Transforms [B, L, D]; steps where `mask` is false are not attended to."""
        for number in range(self.layers):
            layer = EncoderLayer(
                self.heads, self.feed_forward, self.dropout, name=f"layers.{number}"
            )
            x = layer(x, mask, train)
        return x


def sinusoids(length: int, width: int) -> np.ndarray:
    """Positional encoding [L, D]: sines at even, cosines at odd features, periods 2 to 20000 pi."""
    rates = np.exp(-np.log(10000.0) * np.arange(0, width, 2) / width)
    angles = np.arange(length)[:, None] * rates
    waves = np.stack([np.sin(angles), np.cos(angles)], -1).reshape(length, 2 * len(rates))
    return waves[:, :width]
