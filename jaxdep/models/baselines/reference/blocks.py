"""Layers that several of the baselines' PyTorch references share."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from jaxdep.models.torch_sequences import run, softmax


def head(width: int, hidden: int, outputs: int, dropout: float) -> nn.Sequential:
    """Two linear layers that end the audio-visual networks, [B, width] -> [B, outputs]."""
    return nn.Sequential(
        nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, outputs)
    )


def bidirectional(
    kind: type[nn.GRU] | type[nn.LSTM],
    widths: Mapping[str, int],
    hidden: int,
    layers: int = 1,
    dropout: float = 0.0,
) -> nn.ModuleDict:
    """A recurrence in both directions for each input, with dropout between its layers."""
    rate = dropout if layers > 1 else 0.0
    return nn.ModuleDict(
        {
            name: kind(width, hidden, layers, batch_first=True, bidirectional=True, dropout=rate)
            for name, width in widths.items()
        }
    )


def recur(layers: nn.ModuleDict, name: str, x: Tensor, mask: Tensor | None) -> Tensor:
    """Outputs [B, T, 2h] of the recurrence `name`, forward then backward; zero at padding."""
    layer = layers[name]
    assert isinstance(layer, nn.RNNBase)
    return run(layer, x, mask)


def positions(x: Tensor) -> Tensor:
    """Sinusoids [T, d] of frames [B, T, d]: sines at even, cosines at odd features."""
    length, width = x.shape[-2:]
    steps = torch.arange(length, dtype=torch.float64)[:, None]
    angles = steps * 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    interleaved = torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
    return interleaved[:, :width].to(x)


def encoder(
    width: int, layers: int, heads: int, feed_forward: int, dropout: float
) -> nn.TransformerEncoder:
    """Post-norm Transformer encoder without a final norm; see `encode`."""

    def layer() -> nn.TransformerEncoderLayer:
        return nn.TransformerEncoderLayer(width, heads, feed_forward, dropout, batch_first=True)

    stack = nn.TransformerEncoder(layer(), layers, enable_nested_tensor=False)
    # PyTorch gives all layers the same initial weights, which would hide a change of their order.
    stack.layers = nn.ModuleList(layer() for _ in range(layers))
    return stack


def encode(stack: nn.TransformerEncoder, x: Tensor, mask: Tensor | None) -> Tensor:
    """Encodes [B, T, d]; a row without real frames attends to all its frames, to stay finite."""
    if mask is None:
        return stack(x)
    keys = mask | ~mask.any(1, keepdim=True)
    return stack(x, src_key_padding_mask=~keys)


class ScoreAttention(nn.Module):
    """Weights of steps by the score w . tanh(W x + b).

    Args:
      width: Width of the steps.
      features: Width of the hidden layer.
    """

    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, features)
        self.score = nn.Linear(features, 1, bias=False)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Weights [B, T] of steps [B, T, width]."""
        return softmax(self.score(torch.tanh(self.proj(x))).squeeze(-1), mask)


class CrossAttention(nn.Module):
    """Multi-head attention of one sequence to another, without an output layer.

    Args:
      width: Width of both sequences and of the result.
      heads: Number of heads; each has a contiguous slice of the features.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width)
        self.k = nn.Linear(width, width)
        self.v = nn.Linear(width, width)

    def forward(
        self, target: Tensor, source: Tensor, source_mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Returns the result [B, T, width] and the weights [B, heads, T, S].

        Args:
          target: Querying frames [B, T, width].
          source: Frames that are attended to, [B, S, width].
          source_mask: Real frames of the source; without one, weights and result are zero.
        """
        q, k, v = (
            y.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for y in (self.q(target), self.k(source), self.v(source))
        )
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        weights = softmax(scores, None if source_mask is None else source_mask[:, None, None])
        return (weights @ v).transpose(1, 2).flatten(-2), weights
