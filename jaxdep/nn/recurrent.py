"""LSTM and GRU over masked sequences, stacked and bidirectional, with PyTorch's equations.

Masked frames carry the state on unchanged and give zero output, so a padded sequence is what
PyTorch calls packed: the backward direction crosses the padding in its zero state and starts at the
true end. Input projections are one matrix product over all frames, ahead of the scan; both
directions advance in one scan, each by its own two-dimensional product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxdep import types
from jaxdep.nn import initializers, masking
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.initializers import Initializer


class Weights(NamedTuple):
    """One direction of one layer; G is 4H in an LSTM (gates i, f, g, o), 3H in a GRU (r, z, n).

    Both of PyTorch's biases are kept: an optimiser moves two biases twice as far as one.
    """

    input: Float[Array, "I G"]
    hidden: Float[Array, "H G"]
    input_bias: Float[Array, " G"]
    hidden_bias: Float[Array, " G"]


Gates = Float[Array, "batch G"]
State = tuple[Float[Array, "batch H"], ...]


def lstm_cell(state: State, projected: Gates, weights: Weights) -> State:
    """One step of an LSTM: `(h, c)` from `projected = x W_i + b_i + b_h`."""
    h, c = state
    i, f, g, o = jnp.split(projected + h @ weights.hidden, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru_cell(state: State, projected: Gates, weights: Weights) -> State:
    """One step of a GRU: `(h,)` from `projected = x W_i + b_i`; the reset gate acts after `W_h`."""
    (h,) = state
    r_x, z_x, n_x = jnp.split(projected, 3, axis=-1)
    r_h, z_h, n_h = jnp.split(h @ weights.hidden + weights.hidden_bias[None], 3, axis=-1)
    r, z = jax.nn.sigmoid(r_x + r_h), jax.nn.sigmoid(z_x + z_h)
    n = jnp.tanh(n_x + r * n_h)
    return (n + z * (h - n),)


def scan_layer(
    cell: Callable[[State, Gates, Weights], State],
    states: int,
    x: types.Sequence,
    mask: Bool[Array, "batch time"] | None,
    directions: Sequence[Weights],
) -> list[types.Sequence]:
    """Runs one layer over time: forward, and backward if there are two directions.

    Args:
      cell: `lstm_cell` or `gru_cell`.
      states: arrays in the cell's state; the first is its output.
      x: [B, L, I]; padding holds zeros.
      mask: [B, L], or None where every frame is real.
      directions: weights of each direction.

    Returns:
      For each direction its outputs [B, L, H], zero at padding.
    """
    steps = jnp.swapaxes(x, 0, 1)
    is_lstm = cell is lstm_cell
    scanned = []
    for backward, weights in enumerate(directions):
        bias = weights.input_bias + weights.hidden_bias if is_lstm else weights.input_bias
        projected = steps @ weights.input + bias[None, None]
        real = None if mask is None else jnp.swapaxes(mask, 0, 1)[..., None]
        scanned.append(_flip((projected, real)) if backward else (projected, real))

    def step(carry: list[State], inputs: list[Any]) -> tuple[list[State], list[Any]]:
        news, outputs = [], []
        for state, (projected, real), weights in zip(carry, inputs, directions, strict=True):
            new = cell(state, projected, weights)
            output = new[0]
            if real is not None:
                new = tuple(jnp.where(real, n, s) for n, s in zip(new, state, strict=True))
                output = jnp.where(real, output, 0)
            news.append(new)
            outputs.append(output)
        return news, outputs

    hidden = directions[0].hidden
    zero = jnp.zeros((x.shape[0], hidden.shape[0]), jnp.result_type(x, hidden))
    _, outputs = jax.lax.scan(step, [(zero,) * states for _ in directions], scanned)
    ordered = [_flip(y) if backward else y for backward, y in enumerate(outputs)]
    return [jnp.swapaxes(y, 0, 1) for y in ordered]


def _flip(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.flip(leaf, 0), tree)


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
        x = masking.zero_padding(x, mask)
        for layer in range(self.layers):
            suffixes = ("", "_reverse") if self.bidirectional else ("",)
            weights = [self._weights(f"l{layer}{end}", x.shape[-1]) for end in suffixes]
            outputs = scan_layer(*self._cell(), x, mask, weights)
            last = layer == self.layers - 1
            if last and self.merge == "sum":
                x = sum(outputs[1:], outputs[0])
            else:
                x = jnp.concatenate(outputs, axis=-1)
            if not last:
                x = Dropout(self.dropout, name=f"dropout_{layer}")(x, train)
        return x

    def _weights(self, suffix: str, width: int) -> Weights:
        gates = self._gates() * self.features
        init = self.weight_init or initializers.torch_uniform(self.features)
        bias = self.bias_init or init
        return Weights(
            self.param(f"weight_ih_{suffix}", init, (width, gates)),
            self.param(f"weight_hh_{suffix}", init, (self.features, gates)),
            self.param(f"bias_ih_{suffix}", bias, (gates,)),
            self.param(f"bias_hh_{suffix}", bias, (gates,)),
        )

    def _gates(self) -> int:
        raise ValueError("use LSTM or GRU")

    def _cell(self) -> tuple[Callable[..., State], int]:
        raise ValueError("use LSTM or GRU")


class LSTM(_Recurrent):
    """A stack of LSTM layers, as `torch.nn.LSTM`; fields as in `_Recurrent`."""

    def _gates(self) -> int:
        return 4

    def _cell(self) -> tuple[Callable[..., State], int]:
        return lstm_cell, 2


class GRU(_Recurrent):
    """A stack of GRU layers, as `torch.nn.GRU`; fields as in `_Recurrent`."""

    def _gates(self) -> int:
        return 3

    def _cell(self) -> tuple[Callable[..., State], int]:
        return gru_cell, 1
