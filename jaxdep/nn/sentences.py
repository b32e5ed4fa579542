"""Sentences of a recording: their frame windows, last frames and LSTM encodings."""

from __future__ import annotations

from typing import Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from jaxdep.nn import masking
from jaxdep.nn.rnn import layer_weights
from jaxdep.nn.sentence_scan import Recurrent, encode
from jaxdep.types import Array, Mask, SentenceMask, Sequence, Windows

PerSentence = Float[Array, "batch sentence feature"]
Endings = Float[Array, "sentences frames feature"]
EndingsMask = Bool[Array, "sentences frames"]


def clip(
    windows: Windows, sentences: SentenceMask | None, frames: int, mask: Mask | None
) -> Windows:
    """Clips windows to the real frames; those of padding or beyond the real frames become empty.

    Args:
      windows: first frame and frame after the last, [B, S, 2]; padding may hold any value.
      sentences: [B, S], true where a sentence is real; None: everywhere.
      frames: number of frames L of the padded recording.
      mask: [B, L], true where a frame is real; None: everywhere.
    """
    windows = masking.zero_padding(windows, sentences).astype(jnp.int32)
    end = jnp.int32(frames) if mask is None else mask.sum(1, dtype=jnp.int32)[:, None, None]
    return jnp.clip(windows, 0, end)


def present(windows: Windows) -> SentenceMask:
    """Mask of the sentences that have at least one frame, [B, S]."""
    return windows[..., 1] > windows[..., 0]


def enclosing_window(windows: Windows) -> Int[Array, "batch 1 2"]:
    """One window from the earliest start to the latest end of all sentences, [B, 1, 2]."""
    end = jnp.where(present(windows), windows[..., 1], 0).max(1, keepdims=True)
    begin = jnp.where(present(windows), windows[..., 0], end).min(1, keepdims=True)
    return jnp.stack([begin, end], -1)


def endings(x: Sequence, windows: Windows, max_frames: int) -> tuple[Endings, EndingsMask]:
    """Extracts the last frames of each sentence.

    Args:
      x: frames [B, L, D].
      windows: windows of the sentences [B, S, 2].
      max_frames: maximum number of frames per sentence.

    Returns:
      Frames [B * S, max_frames, D], real frames last, and their mask; frames outside a sentence's
      window are masked.
    """
    positions = windows[..., 1:] - jnp.arange(max_frames, 0, -1)[None, None]
    real = (positions >= windows[..., :1]).reshape(-1, max_frames)
    indices = jnp.maximum(positions, 0).reshape(x.shape[0], -1, 1)
    return jnp.take_along_axis(x, indices, 1).reshape(*real.shape, -1), real


def last_frames(x: Sequence, windows: Windows) -> PerSentence:
    """The last frame of each sentence, [B, S, D]; zero for empty windows."""
    frames, real = endings(x, windows, 1)
    return masking.zero_padding(frames, real).reshape(*windows.shape[:2], -1)


class SentenceLSTM(nn.Module):
    """An LSTM layer that runs over each sentence from a zero state; windows may overlap.

    All sentences are processed at once, and the input projection of a frame is shared by all
    sentences that contain it.

    Attributes:
      features: number of hidden units H.
      pooling: reduction over a sentence's frames: the `last` state or the `mean` of the states.
    """

    features: int
    pooling: Literal["last", "mean"] = "last"

    @nn.compact
    def __call__(self, x: Sequence, windows: Windows) -> Float[Array, "batch sentence hidden"]:
        """Encodes [B, L, I] as one vector per window, [B, S, H]; zero for empty windows."""
        sizes = (x.shape[-1], self.features, 4 * self.features)
        weights = layer_weights(self.param, "l0", sizes)
        recurrent = Recurrent(weights.hidden, weights.input_bias + weights.hidden_bias)
        encoded = encode(recurrent, x @ weights.input, windows)
        if self.pooling == "last":
            return encoded.h
        lengths = jnp.maximum(windows[..., 1] - windows[..., 0], 1)
        return encoded.total / lengths[..., None].astype(encoded.total.dtype)
