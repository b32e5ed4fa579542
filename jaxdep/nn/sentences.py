"""Sentences within a recording: which frames are whose, and each one's last state."""

from __future__ import annotations

from typing import Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxdep.nn import masking
from jaxdep.nn.recurrence import Direction, recurrence
from jaxdep.nn.recurrent import layer_weights
from jaxdep.types import Mask, Sequence, Windows

PerSentence = Float[Array, "batch sentence feature"]
Endings = Float[Array, "sentences time feature"]


def clip(windows: Windows, sentences: Mask | None, frames: int, mask: Mask | None) -> Windows:
    """Windows cut to the real frames; sentences that are padding, or lie behind them, are empty.

    Args:
      windows: [B, S, 2], whatever padding holds.
      sentences: [B, S], true where a sentence is real.
      frames: L, of the recording as it is padded.
      mask: [B, L], true where a frame is real.
    """
    windows = masking.zero_padding(windows, sentences).astype(jnp.int32)
    end = jnp.int32(frames) if mask is None else mask.sum(1, dtype=jnp.int32)[:, None, None]
    return jnp.clip(windows, 0, end)


def there(windows: Windows) -> Mask:
    """Which sentences have a frame, [B, S]."""
    return windows[..., 1] > windows[..., 0]


def whole(windows: Windows) -> Windows:
    """One window from the first sentence's beginning to the last one's end, [B, 1, 2]."""
    end = jnp.where(there(windows), windows[..., 1], 0).max(1, keepdims=True)
    begin = jnp.where(there(windows), windows[..., 0], end).min(1, keepdims=True)
    return jnp.stack([begin, end], -1)


def endings(x: Sequence, windows: Windows, most: int) -> tuple[Endings, Mask]:
    """The last frames of each sentence, at most so many.

    Returns:
      [B * S, most, D], real frames last, and which are real. A sentence never sees another's.
    """
    places = windows[..., 1:] - jnp.arange(most, 0, -1)[None, None]
    real = (places >= windows[..., :1]).reshape(-1, most)
    rows = jnp.maximum(places, 0).reshape(len(x), -1, 1)
    return jnp.take_along_axis(x, rows, 1).reshape(*real.shape, -1), real


def last_frames(x: Sequence, windows: Windows) -> PerSentence:
    """The last frame of each sentence, [B, S, D]; zero where it has none."""
    found, real = endings(x, windows, 1)
    return masking.zero_padding(found, real).reshape(*windows.shape[:2], -1)


class SentenceLSTM(nn.Module):
    """An LSTM layer run over every sentence from a zero state; windows may overlap.

    All sentences advance together through the recording, each within its own window, so that
    frames are projected once whoever shares them.

    Attributes:
      features: H.
      pooling: what is kept of a sentence: its `last` state, or the `mean` of its states.
    """

    features: int
    pooling: Literal["last", "mean"] = "last"

    @nn.compact
    def __call__(self, x: Sequence, windows: Windows) -> PerSentence:
        """A vector of [B, L, I] for each of S windows, [B, S, H]; zero for empty ones."""
        gates = 4 * self.features
        weights = layer_weights(self.param, "l0", (x.shape[-1], self.features, gates))
        (batch, frames), count = x.shape[:2], windows.shape[1]
        time = jnp.arange(frames)[:, None, None]
        real = (time >= windows[None, ..., 0]) & (time < windows[None, ..., 1])  # [L, B, S]
        projected = jnp.swapaxes(x, 0, 1) @ weights.input
        spread = jnp.broadcast_to(projected[:, :, None], (frames, batch, count, gates))
        one = Direction(
            spread.reshape(frames, -1, gates),
            weights.hidden,
            weights.input_bias,
            weights.hidden_bias,
            real.reshape(frames, -1, 1),
        )
        (states,) = recurrence("lstm", (one,))
        states = states.reshape(frames, batch, count, -1).transpose(1, 2, 0, 3)
        if self.pooling == "mean":  # states outside of a window are zero
            lengths = jnp.maximum(windows[..., 1] - windows[..., 0], 1)
            return states.sum(2) / lengths[..., None].astype(states.dtype)
        places = jnp.maximum(windows[..., 1] - 1, 0)[..., None, None]
        last = jnp.take_along_axis(states, places, 2)[:, :, 0]
        return masking.zero_padding(last, there(windows))
