"""Informer's encoder (Zhou et al., 2021), as DEP-Former stacks and couples it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxdep.errors import ModelError
from jaxdep.nn import initializers
from jaxdep.nn.convolution import Conv1d
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.normalization import BatchNorm, LayerNorm
from jaxdep.nn.sparse_attention import (
    Kept,
    KeySample,
    ProbSparseAttention,
    Read,
    SharedAttention,
)
from jaxdep.nn.transformer import sinusoids
from jaxdep.types import Scores, Sequence

Samples = tuple[tuple[KeySample | None, ...], ...]
"""Of each stack's attentions in turn the keys by which they rank queries; None: all of them."""


class Embedding(nn.Module):
    """A circular convolution over three steps, and the steps' positions.

    Attributes:
      features: D, even.
      dropout: of the sum.
    """

    features: int
    dropout: float | Array = 0.0

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
      factor: c of `sparse_attention.kept_queries`.
      dropout: of the attention's result and behind both linear layers.
      heads: of the attention, each of `width`.
      gate: of `SharedAttention`, with its `shared_factor`; empty: the attention is not shared.
    """

    feed_forward: int = 32
    factor: float = 5.0
    dropout: float | Array = 0.0
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
    ) -> Read:
        """Lets each step of [B, L, D] read the others; `shared` as in `SharedAttention`."""
        how: Any = (self.heads, self.width, self.factor, self.dropout)
        if self.gate:
            assert shared is not None
            attention = SharedAttention(*how, self.gate, self.shared_factor, name="attention")
            read = attention(x, shared, sample, train)
        else:
            read = ProbSparseAttention(*how, name="attention")(x, sample, train)
        drop = lambda y, name: Dropout(self.dropout, name=name)(y, train)
        hidden = nn.gelu(Conv1d(self.feed_forward, 1, name="conv1")(read.x), approximate=False)
        made = Conv1d(x.shape[-1], 1, name="conv2")(drop(hidden, "dropout1"))
        return read._replace(x=LayerNorm(name="norm")(read.x + drop(made, "dropout2")))


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


class Encoded(NamedTuple):
    """What an encoder gives.

    Attributes:
      x: the results of all stacks, one after another in time.
      kept: of each stack the queries that its last layer kept.
      steps: what the first layer's heads and steps, on average, read of each step [B, L].
    """

    x: Sequence
    kept: tuple[Kept, ...]
    steps: Scores


class Encoder(nn.Module):
    """Stacks of layers, each over the last half of what the one before reads.

    Stack i reads the last L / 2^i steps through `layers - i` layers; between them the length is
    halved, so that all stacks end with L / 2^(layers - 1) steps.

    Attributes:
      features: D.
      layer: makes a layer, given its name and its gate.
      layers: of the first stack.
      stacks: at most as many.
      dropout: of the embedding.
      gate: not empty: one more layer, the same for all stacks, whose attention is shared with
        another encoder; what it gives is normalised and added.
    """

    features: int
    layer: Callable[..., Layer] = Layer
    layers: int = 3
    stacks: int = 3
    dropout: float | Array = 0.0
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
          samples: as many as `attention_lengths` says.
          shared: the other encoder's `kept`.
          real: as in `BatchNorm`.
        """
        length, halvings = x.shape[1], self.layers - 1
        if not 0 < self.stacks <= self.layers or length % 2**halvings:
            raise ModelError(
                f"{self.layers} layers halve {halvings} times: {length} steps must be a multiple"
                f" of {2**halvings}, and stacks 1 to {self.layers}; got {self.stacks}"
            )
        x = Embedding(self.features, self.dropout, name="embedding")(x, train)
        norm = LayerNorm(name="norm")
        share = self.layer(gate=self.gate, name="en_fv") if self.gate else None
        results, kept, weights = [], [], []
        for stack, of_stack in enumerate(samples):
            y = x[:, -(length // 2**stack) :]
            for number in range(self.layers - stack):
                name = f"stacks.{stack}.{{}}layer{stack}{number}"
                if number:
                    y = Distilling(name=name.format("c"))(y, real, train)
                read = self.layer(name=name.format("e"))(y, of_stack[number], train)
                y = read.x
                weights.append(read.weights)
            kept.append(read.kept)
            y = norm(y)
            if share is not None:
                y = y + norm(share(y, of_stack[-1], train, shared[stack]).x)
            results.append(y)
        steps = weights[0].mean((1, 2))
        return Encoded(jnp.concatenate(results, 1), tuple(kept), steps)


def attention_lengths(
    length: int, layers: int, stacks: int, shared: bool
) -> tuple[tuple[int, ...], ...]:
    """Over how many steps each attention of an `Encoder` reads, stack by stack.

    Args:
      shared: whether each stack ends with a shared layer.
    """
    last = (length // 2 ** (layers - 1),) if shared else ()
    return tuple(
        tuple(length // 2 ** (stack + number) for number in range(layers - stack)) + last
        for stack in range(stacks)
    )
