"""Encoder of DEP-Former: stacks of attention and distilling layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jaxdep.models.depformer.reference.attention import KeySamples, ProbSparseAttention
from jaxdep.models.depformer.reference.words import sinusoids


class EncoderLayer(nn.Module):
    """An attention and a feed-forward block; also returns the attention's further outputs."""

    def __init__(
        self, attention: nn.Module, *, features: int, feed_forward: int, dropout: float
    ) -> None:
        super().__init__()
        self.attention = attention
        self.conv1 = nn.Conv1d(features, feed_forward, 1)
        self.conv2 = nn.Conv1d(feed_forward, features, 1)
        self.norm = nn.LayerNorm(features)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, *args: object) -> tuple[Tensor, ...]:
        a, *rest = self.attention(x, *args)  # §5
        z = self.dropout(F.gelu(self.conv1(a.transpose(1, 2))))  # §5
        z = self.dropout(self.conv2(z)).transpose(1, 2)  # §5
        return self.norm(a + z), *rest  # §5


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation of [B, D, L] with the statistics of the real examples only."""

    def forward(self, x: Tensor, real: Tensor | None = None) -> Tensor:
        if not self.training or real is None or real.all():
            return super().forward(x)  # §5
        if not real.any():
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        super().forward(x[real])  # updates the running statistics
        variance, mean = torch.var_mean(x[real], (0, 2), correction=0, keepdim=True)
        normed = (x - mean) / (variance + self.eps).sqrt()  # §5
        return normed * self.weight[:, None] + self.bias[:, None]  # §5


class DistillingLayer(nn.Module):
    """Halves the number of steps of [B, L, D]."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.downConv = nn.Conv1d(features, features, 3, padding=1, padding_mode="circular")
        self.norm = BatchNorm(features)
        self.activation = nn.ELU()
        self.pool = nn.MaxPool1d(3, stride=2, padding=1)

    def forward(self, x: Tensor, real: Tensor | None) -> Tensor:
        x = self.norm(self.downConv(x.transpose(1, 2)), real)  # §5
        return self.pool(self.activation(x)).transpose(1, 2)  # §5


class ValueEmbedding(nn.Module):
    """Circular convolution over neighbouring words."""

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.Conv = nn.Conv1d(channels, features, 3, padding=1, padding_mode="circular")
        nn.init.kaiming_normal_(self.Conv.weight, mode="fan_in", nonlinearity="leaky_relu")  # §3

    def forward(self, x: Tensor) -> Tensor:
        return self.Conv(x.transpose(1, 2)).transpose(1, 2)  # §3


class Embedding(nn.Module):
    """Value embedding of the words plus their positional embedding."""

    def __init__(self, channels: int, features: int, dropout: float) -> None:
        super().__init__()
        self.value_embedding = ValueEmbedding(channels, features)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.value_embedding(x)  # §3
        return self.dropout(x + sinusoids(*x.shape[1:]).to(x))  # §3


class Stack(nn.Module):
    """Encoder layers with distilling layers in between; `number` is part of the layers' names."""

    def __init__(self, number: int, layers: Sequence[nn.Module], features: int) -> None:
        super().__init__()
        self.number, self.layers = number, len(layers)
        for j, layer in enumerate(layers):
            if j:
                self.add_module(f"clayer{number}{j}", DistillingLayer(features))
            self.add_module(f"elayer{number}{j}", layer)

    def forward(
        self, x: Tensor, keys: KeySamples, real: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        x, index, words = self.get_submodule(f"elayer{self.number}0")(x, keys)  # §6
        for j in range(1, self.layers):
            x = self.get_submodule(f"clayer{self.number}{j}")(x, real)  # §6
            x, index, _ = self.get_submodule(f"elayer{self.number}{j}")(x, keys)  # §6
        return x, index, words


class Encoder(nn.Module):
    """Stacks over successively halved suffixes of the words, and an optional sharing layer.

    Returns the features [B, stacks * L_out, D], the kept queries of the last layer of each stack,
    and the attention of the first layer of the first stack to each word [B, words].

    Args:
        channels: number of input channels.
        sharing: attention of the layer that uses shared queries, or None for no such layer.
        stacks: number of stacks.
        layers: number of layers of the first stack; each further stack has one layer fewer.
        features: width of the features.
        feed_forward: inner width of the feed-forward blocks.
        dropout: dropout probability.
        attention: further arguments of the attention layers.
    """

    def __init__(
        self,
        channels: int,
        sharing: nn.Module | None,
        *,
        stacks: int,
        layers: int,
        features: int,
        feed_forward: int,
        dropout: float,
        **attention: Any,
    ) -> None:
        super().__init__()

        def layer(inner: nn.Module) -> EncoderLayer:
            return EncoderLayer(
                inner, features=features, feed_forward=feed_forward, dropout=dropout
            )

        def plain() -> EncoderLayer:
            return layer(ProbSparseAttention(features=features, dropout=dropout, **attention))

        self.embedding = Embedding(channels, features, dropout)
        self.stacks = nn.ModuleList(
            Stack(i, [plain() for _ in range(layers - i)], features) for i in range(stacks)
        )
        self.norm = nn.LayerNorm(features)
        self.en_fv = None if sharing is None else layer(sharing)

    def forward(
        self,
        x: Tensor,
        keys: KeySamples,
        real: Tensor | None,
        shared: Sequence[Tensor] | None = None,
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        x = self.embedding(x)  # §3
        outputs, indices, words = [], [], []
        for i, stack in enumerate(self.stacks):
            y, index, read = stack(x[:, -(x.shape[1] // 2**i) :], keys, real)  # §6
            y = self.norm(y)  # §6
            if self.en_fv is not None and shared is not None:
                y = y + self.norm(self.en_fv(y, keys, shared[i])[0])  # §6
            outputs.append(y)
            indices.append(index)
            words.append(read)
        return torch.cat(outputs, 1), indices, words[0]  # §6


def output_steps(words: int, stacks: int, layers: int) -> int:
    """Number of output steps of each stack."""
    if not 1 <= stacks <= layers:
        raise ValueError("stacks must be at least 1 and at most layers")
    if words < 1 or words % 2 ** (stacks - 1):
        raise ValueError("words must be a positive multiple of 2 ** (stacks - 1)")
    for _ in range(layers - 1):
        words = (words - 1) // 2 + 1  # §5
    return words
