"""Informer's encoder (Zhou et al., 2021) with the stacks and shared attention of DEP-Former."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Bool, Int

from jaxdep.errors import ModelError
from jaxdep.nn import initializers
from jaxdep.nn.convolution import Conv1d
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.normalization import BatchNorm, LayerNorm
from jaxdep.nn.sparse_attention import (
    AttentionOutput,
    Kept,
    KeySample,
    ProbSparseAttention,
    SharedAttention,
)
from jaxdep.nn.transformer import sinusoids
from jaxdep.types import Array, Encoding, Number, Resampled, Scores, Sequence

Samples = tuple[tuple[Int[Array, "_ _"] | None, ...], ...]
"""Key samples for ranking queries, by stack and by attention of the stack; None: all keys."""


class Embedding(nn.Module):
    """A circular convolution over three steps plus a positional encoding.

    Attributes:
      features: width D of the output; even.
      dropout: dropout rate of the sum.
    """

    features: int
    dropout: Number = 0.0

    @nn.compact
    def __call__(self, x: Sequence, train: bool = False) -> Encoding:
        """Embeds [B, L, I] as [B, L, D]."""
        he = initializers.normal((2 / (3 * x.shape[-1])) ** 0.5)
        convolution = Conv1d(
            self.features, 3, padding="circular", weight_init=he, name="value_embedding.Conv"
        )
        positions = jnp.asarray(sinusoids(x.shape[1], self.features), x.dtype)
        return Dropout(self.dropout, name="dropout")(convolution(x) + positions[None], train)


class Layer(nn.Module):
    """Sparse attention and a feed-forward block with GELU, each with a residual and a LayerNorm.

    Attributes:
      feed_forward: hidden width of the feed-forward block.
      factor: sampling factor c of the attention, see `sparse_attention.kept_queries`.
      dropout: dropout rate of the attention output and after both feed-forward layers.
      heads: number of attention heads.
      width: width of a head.
      gate: gate of `SharedAttention`; empty: `ProbSparseAttention`, whose queries are not shared.
      shared_factor: sampling factor of `SharedAttention`.
    """

    feed_forward: int = 32
    factor: float = 5.0
    dropout: Number = 0.0
    heads: int = 8
    width: int = 64
    gate: str = ""
    shared_factor: float = 5.0

    @nn.compact
    def __call__(
        self,
        x: Sequence,
        sample: KeySample | None = None,
        train: bool = False,
        shared: Kept | None = None,
    ) -> AttentionOutput:
        """Transforms [B, L, D]; `sample` and `shared` are those of `SharedAttention`."""
        if self.gate:
            assert shared is not None
            attention = SharedAttention(
                self.heads,
                self.width,
                self.factor,
                self.dropout,
                self.gate,
                self.shared_factor,
                name="attention",
            )
            attended = attention(x, shared, sample, train)
        else:
            attention = ProbSparseAttention(
                self.heads, self.width, self.factor, self.dropout, name="attention"
            )
            attended = attention(x, sample, train)
        drop = lambda y, name: Dropout(self.dropout, name=name)(y, train)
        hidden = nn.gelu(Conv1d(self.feed_forward, 1, name="conv1")(attended.x), approximate=False)
        outputs = Conv1d(x.shape[-1], 1, name="conv2")(drop(hidden, "dropout1"))
        return attended._replace(x=LayerNorm(name="norm")(attended.x + drop(outputs, "dropout2")))


class Distilling(nn.Module):
    """A circular convolution, batch normalisation, ELU, and max pooling that halves the length."""

    @nn.compact
    def __call__(
        self, x: Sequence, real: Bool[Array, " batch"] | None = None, train: bool = False
    ) -> Resampled:
        """Maps [B, L, D] to [B, (L - 1) // 2 + 1, D]; `real` as in `BatchNorm`."""
        x = Conv1d(x.shape[-1], 3, padding="circular", name="downConv")(x)
        x = nn.elu(BatchNorm(name="norm")(x, real, train))
        padding: Any = ((1, 1),)  # Flax annotates `str`, but documents pairs, too
        return nn.max_pool(x, (3,), strides=(2,), padding=padding)


class Encoded(NamedTuple):
    """Outputs of an encoder.

    Attributes:
      x: outputs of all stacks, concatenated in time.
      kept: indices of the queries kept by the last layer of each stack.
      steps: first layer's attention to each step [B, L], averaged over heads and queries.
    """

    x: Sequence
    kept: tuple[Kept, ...]
    steps: Scores


class Encoder(nn.Module):
    """Stacks of layers, each over the last half of the previous stack's input.

    Stack i has `layers - i` layers and reads the last L / 2^i steps. The length is halved between
    layers, so all stacks end with L / 2^(layers - 1) steps.

    Attributes:
      features: width D of the features.
      layer: constructor of a layer; called with its `name` and, if it is shared, its `gate`.
      layers: number of layers of the first stack.
      stacks: number of stacks; at most `layers`.
      dropout: dropout rate of the embedding.
      gate: gate of an additional layer that takes queries from another encoder; all stacks use the
        same layer, and its normalised output is added to theirs. Empty: no such layer.
    """

    features: int
    layer: Callable[..., Layer] = Layer
    layers: int = 3
    stacks: int = 3
    dropout: Number = 0.0
    gate: str = ""

    @nn.compact
    def __call__(
        self,
        x: Sequence,
        samples: Samples,
        shared: tuple[Kept, ...] = (),
        real: Bool[Array, " batch"] | None = None,
        train: bool = False,
    ) -> Encoded:
        """Encodes [B, L, I].

        Args:
          samples: key samples of each attention, in the layout of `attention_lengths`.
          shared: `Encoded.kept` of the other encoder; needed only with a gate.
          real: as in `BatchNorm`.
        """
        length, halvings = x.shape[1], self.layers - 1
        if not 0 < self.stacks <= self.layers or length % 2**halvings:
            raise ModelError(
                f"{self.layers} layers halve the length {halvings} times: the number of steps must"
                f" be a multiple of {2**halvings} and stacks from 1 to {self.layers}; got {length}"
                f" steps and stacks={self.stacks}"
            )
        x = Embedding(self.features, self.dropout, name="embedding")(x, train)
        norm = LayerNorm(name="norm")
        shared_layer = self.layer(gate=self.gate, name="en_fv") if self.gate else None
        results, kept, weights = [], [], []
        for stack, stack_samples in enumerate(samples):
            y = x[:, -(length // 2**stack) :]
            for number in range(self.layers - stack):
                name = f"stacks.{stack}.{{}}layer{stack}{number}"
                if number:
                    y = Distilling(name=name.format("c"))(y, real, train)
                attended = self.layer(name=name.format("e"))(y, stack_samples[number], train)
                y = attended.x
                weights.append(attended.weights)
            kept.append(attended.kept)
            y = norm(y)
            if shared_layer is not None:
                y = y + norm(shared_layer(y, stack_samples[-1], train, shared[stack]).x)
            results.append(y)
        steps = weights[0].mean((1, 2))
        return Encoded(jnp.concatenate(results, 1), tuple(kept), steps)


def attention_lengths(
    length: int, layers: int, stacks: int, shared: bool
) -> tuple[tuple[int, ...], ...]:
    """Sequence length of each attention of an `Encoder`, stack by stack.

    Args:
      length: number of steps of the encoder's input.
      layers: number of layers of the first stack.
      stacks: number of stacks.
      shared: whether each stack ends with a layer of shared attention.
    """
    last = (length // 2 ** (layers - 1),) if shared else ()
    return tuple(
        tuple(length // 2 ** (stack + number) for number in range(layers - stack)) + last
        for stack in range(stacks)
    )
