"""Transformer encoders (Vaswani et al., 2017) with PyTorch's layers and names."""

from __future__ import annotations

import flax.linen as nn
import numpy as np

from jaxdep.nn.attention import SelfAttention
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.types import Mask, Sequence


class EncoderLayer(nn.Module):
    """Self-attention, then two linear layers, each added to its input and normalised after.

    Attributes:
      heads: of the attention.
      feed_forward: width between the two linear layers.
      dropout: of the attention's weights, of both results, and between the linear layers.
    """

    heads: int
    feed_forward: int
    dropout: float = 0.0

    @nn.compact
    def __call__(self, x: Sequence, mask: Mask | None, train: bool = False) -> Sequence:
        """[B, L, D] to [B, L, D]; steps that `mask` leaves out are not read."""
        drop = lambda y, name: Dropout(self.dropout, name=name)(y, train)
        read = SelfAttention(self.heads, self.dropout, name="self_attn")(x, mask, train)
        x = LayerNorm(name="norm1")(x + drop(read, "dropout1"))
        hidden = drop(nn.relu(Linear(self.feed_forward, name="linear1")(x)), "dropout")
        made = Linear(x.shape[-1], name="linear2")(hidden)
        return LayerNorm(name="norm2")(x + drop(made, "dropout2"))


class Encoder(nn.Module):
    """A stack of encoder layers, as `torch.nn.TransformerEncoder`; fields as in `EncoderLayer`."""

    layers: int
    heads: int
    feed_forward: int
    dropout: float = 0.0

    @nn.compact
    def __call__(self, x: Sequence, mask: Mask | None, train: bool = False) -> Sequence:
        """[B, L, D] to [B, L, D]."""
        for number in range(self.layers):
            layer = EncoderLayer(
                self.heads, self.feed_forward, self.dropout, name=f"layers.{number}"
            )
            x = layer(x, mask, train)
        return x


def sinusoids(length: int, width: int) -> np.ndarray:
    """Positions [L, D]: sines at even features, cosines at odd, wavelengths 2 pi to 20000 pi."""
    rates = np.exp(-np.log(10000.0) * np.arange(0, width, 2) / width)
    angles = np.arange(length)[:, None] * rates
    waves = np.stack([np.sin(angles), np.cos(angles)], -1).reshape(length, 2 * len(rates))
    return waves[:, :width]
