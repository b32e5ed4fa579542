"""LSTM and GRU over masked sequences, stacked and bidirectional, with PyTorch's equations.

Masked frames carry the state on unchanged and give zero output, so a padded sequence is what
PyTorch calls packed: the backward direction crosses the padding in its zero state and starts at the
true end. Input projections are one matrix product over all frames, ahead of the recurrence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxdep import types
from jaxdep.nn import initializers, masking
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.initializers import Initializer
from jaxdep.nn.recurrence import Direction, Steps, recurrence, turn


class Weights(NamedTuple):
    """One direction of one layer; G is 4H in an LSTM (gates i, f, g, o), 3H in a GRU (r, z, n).

    Both of PyTorch's biases are kept: an optimiser moves two biases twice as far as one.
    """

    input: Float[Array, "I G"]
    hidden: Float[Array, "H G"]
    input_bias: Float[Array, " G"]
    hidden_bias: Float[Array, " G"]


def layer_weights(
    param: Callable[..., Any],
    suffix: str,
    sizes: tuple[int, int, int],
    weight_init: Initializer | None = None,
    bias_init: Initializer | None = None,
) -> Weights:
    """The parameters of one direction of one layer, under PyTorch's names.

    Args:
      param: of the module that owns them.
      sizes: I, H and G.
      weight_init: and the rest: as in `_Recurrent`.
    """
    width, features, gates = sizes
    init = weight_init or initializers.torch_uniform(features)
    bias = bias_init or init
    return Weights(
        param(f"weight_ih_{suffix}", init, (width, gates)),
        param(f"weight_hh_{suffix}", init, (features, gates)),
        param(f"bias_ih_{suffix}", bias, (gates,)),
        param(f"bias_hh_{suffix}", bias, (gates,)),
    )


def run_layer(
    kind: Literal["lstm", "gru"],
    steps: Steps,
    real: Bool[Array, "time batch 1"] | None,
    weights: Sequence[Weights],
) -> list[Steps]:
    """Runs one layer over time: forward, and backward if there are two directions.

    Args:
      steps: [L, B, I], time first; padding holds zeros.
      real: [L, B, 1], or None where every frame is real.
      weights: of each direction.

    Returns:
      For each direction its outputs [L, B, H], zero at padding.
    """
    directions = []
    for backward, own in enumerate(weights):
        # Turned after the product: turned before it, XLA keeps a third more memory for later.
        projected = turn(steps @ own.input, bool(backward))
        mask = None if real is None else turn(real, bool(backward))
        directions.append(Direction(projected, own.hidden, own.input_bias, own.hidden_bias, mask))
    outputs = recurrence(kind, tuple(directions))
    return [turn(y, bool(backward)) for backward, y in enumerate(outputs)]


class _Recurrent(nn.Module):
    """A stack of recurrent layers.

    Attributes:
      features: H, hidden units of a direction.
      layers: how many.
      bidirectional: whether a second direction runs backwards.
      merge: what the last layer makes of its two directions: their concatenation [B, L, 2H] or
        their sum [B, L, H]; the layers before always concatenate.
      dropout: between layers.
      weight_init: None: PyTorch's default, for the biases too.
      bias_init: None: as the weights.
    """

    features: int
    layers: int = 1
    bidirectional: bool = False
    merge: Literal["concat", "sum"] = "concat"
    dropout: float = 0.0
    weight_init: Initializer | None = None
    bias_init: Initializer | None = None
    kind: Literal["lstm", "gru"] = "lstm"

    @nn.compact
    def __call__(
        self, x: types.Sequence, mask: types.Mask | None = None, train: bool = False
    ) -> types.Sequence:
        """Encodes a sequence.

        Args:
          x: [B, L, I].
          mask: [B, L], true where a frame is real; None: all are.

        Returns:
          [B, L, H], or [B, L, 2H] of two concatenated directions; zero at padding.
        """
        # Time comes first throughout the stack: one turn of the axes ahead of it and one behind.
        x = jnp.swapaxes(masking.zero_padding(x, mask), 0, 1)
        real = None if mask is None else jnp.swapaxes(mask, 0, 1)[..., None]
        for layer in range(self.layers):
            suffixes = ("", "_reverse") if self.bidirectional else ("",)
            weights = [self._weights(f"l{layer}{end}", x.shape[-1]) for end in suffixes]
            outputs = run_layer(self.kind, x, real, weights)
            last = layer == self.layers - 1
            if last and self.merge == "sum":
                x = sum(outputs[1:], outputs[0])
            else:
                x = jnp.concatenate(outputs, axis=-1)
            if not last:
                x = Dropout(self.dropout, name=f"dropout_{layer}")(x, train)
        return jnp.swapaxes(x, 0, 1)

    def _weights(self, suffix: str, width: int) -> Weights:
        gates = (4 if self.kind == "lstm" else 3) * self.features
        inits = (self.weight_init, self.bias_init)
        return layer_weights(self.param, suffix, (width, self.features, gates), *inits)


class LSTM(_Recurrent):
    """A stack of LSTM layers, as `torch.nn.LSTM`; fields as in `_Recurrent`."""

    kind: Literal["lstm", "gru"] = "lstm"


class GRU(_Recurrent):
    """A stack of GRU layers, as `torch.nn.GRU`; fields as in `_Recurrent`."""

    kind: Literal["lstm", "gru"] = "gru"
