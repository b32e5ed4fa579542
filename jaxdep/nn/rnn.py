"""LSTM and GRU over masked sequences, stacked and bidirectional, with PyTorch's equations.

Masked frames leave the state unchanged and give zero output, so a padded sequence is equivalent to
PyTorch's packed sequence: the backward direction crosses the padding in its zero state and starts
at the last real frame. The input projections of all frames are one matrix product before the
recurrence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Bool, Float

from jaxdep import types
from jaxdep.nn import initializers, masking
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.initializers import Initializer
from jaxdep.nn.rnn_scan import Direction, States, recurrence, reverse
from jaxdep.types import Array, Number


class Weights(NamedTuple):
    """Weights of one direction of one layer.

    G is 4H in an LSTM (gates i, f, g, o) and 3H in a GRU (gates r, z, n). Both of PyTorch's biases
    are kept, because an optimiser updates their sum twice as fast as a single bias.
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
    """Creates the parameters of one direction of one layer under PyTorch's names.

    Args:
      param: `param` method of the module that owns the parameters.
      suffix: suffix of the parameters' names, such as `l0_reverse`.
      sizes: widths I (input), H (hidden state) and G (gates).
      weight_init: initializer of the weights; None: PyTorch's default.
      bias_init: initializer of the biases; None: that of the weights.
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
    steps: Float[Array, "time batch feature"],
    real: Bool[Array, "time batch 1"] | None,
    weights: Sequence[Weights],
) -> list[States]:
    """Runs one layer over time: forward, and also backward if there are two directions.

    Args:
      kind: `lstm` or `gru`.
      steps: inputs [L, B, I], time first; zero at padding.
      real: [L, B, 1], true where a frame is real; None: everywhere.
      weights: weights of each direction.

    Returns:
      The outputs [L, B, H] of each direction, zero at padding.
    """
    directions = []
    for backward, layer in enumerate(weights):
        # Reversed after the product: reversing before it costs a third more memory under XLA.
        projected = reverse(steps @ layer.input, bool(backward))
        mask = None if real is None else reverse(real, bool(backward))
        directions.append(
            Direction(projected, layer.hidden, layer.input_bias, layer.hidden_bias, mask)
        )
    outputs = recurrence(kind, tuple(directions))
    return [reverse(y, bool(backward)) for backward, y in enumerate(outputs)]


class _Recurrent(nn.Module):
    """A stack of recurrent layers.

    Attributes:
      features: number of hidden units H per direction.
      layers: number of layers.
      bidirectional: whether to add a second direction that runs backwards.
      merge: how the last layer combines its two directions: `concat` [B, L, 2H] or `sum`
        [B, L, H]; earlier layers always concatenate.
      dropout: dropout rate between layers.
      weight_init: initializer of the weights; None: PyTorch's default.
      bias_init: initializer of the biases; None: that of the weights.
      kind: type of the cell.
    """

    features: int
    layers: int = 1
    bidirectional: bool = False
    merge: Literal["concat", "sum"] = "concat"
    dropout: Number = 0.0
    weight_init: Initializer | None = None
    bias_init: Initializer | None = None
    kind: Literal["lstm", "gru"] = "lstm"

    @nn.compact
    def __call__(
        self, x: types.Sequence, mask: types.Mask | None = None, train: bool = False
    ) -> types.Encoding:
        """Encodes a sequence.

        Args:
          x: [B, L, I].
          mask: [B, L], true where a frame is real; None: everywhere.

        Returns:
          [B, L, H], or [B, L, 2H] if two directions are concatenated; zero at padding.
        """
        # The whole stack runs time-major, so the axes are swapped only before and after it.
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
    """A stack of LSTM layers, as `torch.nn.LSTM`; attributes as in `_Recurrent`."""

    kind: Literal["lstm", "gru"] = "lstm"


class GRU(_Recurrent):
    """A stack of GRU layers, as `torch.nn.GRU`; attributes as in `_Recurrent`."""

    kind: Literal["lstm", "gru"] = "gru"
