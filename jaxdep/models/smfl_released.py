"""The network that SMFL's authors published (`MMFL`), oddities included, for any batch.

It is not the paper's: sentences are encoded by LSTMs and by convolutions of one channel, each of
its attentions is over a single step and so chooses nothing, and of face and words only the last
sentence counts. Weights bear the authors' names.
"""

from __future__ import annotations

from typing import Any, Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxdep.errors import ModelError
from jaxdep.models.inputs import require, windows_of
from jaxdep.nn import masking, sentences
from jaxdep.nn.convolution import Conv1d
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import SampleBatchNorm
from jaxdep.nn.recurrent import LSTM
from jaxdep.nn.sentences import PerSentence, SentenceLSTM
from jaxdep.types import Inputs, Logits, Mask, Vector

_HIDDEN, _SUMMARY = 16, 8
"""Features of a sentence in one modality, and of the whole dialogue."""

_FACE_ALONE = 1000
"""Frames of the face that are read where a recording has no sentences."""

_TEXT = ((7, 5), (5, 3), (5, 3))  # kernel and stride of each convolution over an embedding
_FUSION = ((3, 3), (1, 1))  # channels and kernel


class SMFLReleased(nn.Module):
    """Depression from the sentences of a dialogue, by the network that the authors published.

    Reads `acoustic` [B, L_a, *], `visual` [B, L_v, *] and `text` [B, L_t, 768], with optional
    masks, and `sentences` [B, S, 6] with `sentences_mask`, as `SMFL`. A recording without sentences
    is judged by the beginning of its face alone.
    """

    max_sentences: int = 21
    cmjat_target: Literal["acoustic", "visual"] = "acoustic"  # the modality that is strengthened
    fix_history: bool = False  # True: all sentences of face and words, not the last one twice
    fusion_dropout: float = 0.2
    classes: int = 2

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Logits]:
        """Returns `{"depression": [B, classes]}`, logits."""
        a, real = self._frames(inputs, "acoustic", "conv_audio.0")
        f, _ = self._frames(inputs, "visual", "conv_face.0", _FACE_ALONE)
        face_alone, f = f[:, -1], f[:, :-1]
        t = self._embeddings(inputs, real, train)
        c = _layers("fusion_layer", jnp.stack([a, f, t], -1), _FUSION, real, train)

        recent = lambda x: (x, real) if self.fix_history else _last_twice(x, real)
        summary = {
            "acoustic": _summary("conv_audio_all", _SUMMARY, a, real),
            "visual": _summary("conv_face_all", _SUMMARY, *recent(f)),
        }
        text = _summary("conv_text_all", _SUMMARY, *recent(t))
        fused = _summary("conv_fusion_all", c.shape[-1], c, real)

        value = _value(text)
        low = value(summary[self.cmjat_target])
        joint = Linear(_SUMMARY, name="jointAtt.proj")(0.75 * value(text) + 0.25 * low)
        summary[self.cmjat_target] = Dropout(self.fusion_dropout, name="drop")(joint, train)
        _inert(fused.shape[-1])
        whole = jnp.concatenate([*summary.values(), text, fused], -1)
        of_sentences = Linear(self.classes, name="linear")(whole)
        of_face = Linear(self.classes, name="linear_face")(face_alone)
        return {"depression": jnp.where(real.any(1)[:, None], of_sentences, of_face)}

    def _frames(
        self, inputs: Inputs, modality: str, name: str, beginning: int = 0
    ) -> tuple[PerSentence, Mask]:
        """An LSTM's state at each sentence's end, [B, S, H], and which sentences are real.

        Args:
          beginning: frames of one more, which begins with the recording; 0: there is none.
        """
        x, mask = require(inputs, modality, self), inputs.get(f"{modality}_mask")
        table, real = windows_of(inputs, modality, self.max_sentences, self)
        windows = sentences.clip(table, real, x.shape[1], mask)
        real = jnp.ones(windows.shape[:2], bool) if real is None else real
        if beginning:
            begin = jnp.broadcast_to(jnp.array([0, beginning]), (len(x), 1, 2))
            begin = sentences.clip(begin, None, x.shape[1], mask)
            windows = jnp.concatenate([windows, begin], 1)
        return SentenceLSTM(_HIDDEN, name=name)(masking.zero_padding(x, mask), windows), real

    def _embeddings(self, inputs: Inputs, real: Mask, train: bool) -> PerSentence:
        """Each sentence's embedding as a signal of one channel, convolved to 16 values."""
        x, mask = require(inputs, "text", self), inputs.get("text_mask")
        windows = windows_of(inputs, "text", self.max_sentences, self)
        windows = sentences.clip(*windows, x.shape[1], mask)
        found = sentences.last_frames(masking.zero_padding(x, mask), windows)
        shapes = [(1, kernel, stride) for kernel, stride in _TEXT]
        t = _layers("conv_text", found[..., None], shapes, real, train)
        if t.shape[-1] != _HIDDEN:
            raise ModelError(f"embeddings must have 768 features; got {x.shape[-1]}")
        return t


def _layers(
    name: str,
    x: Float[Array, "batch sentence time channel"],
    shapes: Any,
    real: Mask,
    train: bool,
) -> PerSentence:
    """Convolution, ReLU, batch normalisation, again and again; the one channel left."""
    signals = x.reshape(-1, *x.shape[2:])
    each = real.reshape(-1)
    for number, (channels, kernel, *stride) in enumerate(shapes):
        conv = Conv1d(channels, kernel, *(stride or (1,)), "valid", name=f"{name}.{3 * number}")
        norm = SampleBatchNorm(name=f"{name}.{3 * number + 2}")
        signals = norm(nn.relu(conv(signals)), each, train)
    return signals[..., 0].reshape(*x.shape[:2], -1)


def _summary(name: str, features: int, x: PerSentence, real: Mask) -> Vector:
    return masking.last(LSTM(features, name=name)(x, real), real)


def _last_twice(x: PerSentence, real: Mask) -> tuple[PerSentence, Bool[Array, "batch 2"]]:
    """The last sentence, once more if it is not the only one."""
    last = masking.last(x, real)
    return jnp.stack([last, last], 1), jnp.stack([real.any(1), real.sum(1) > 1], 1)


def _value(like: Vector) -> Any:
    """The joint attention's values: over one step, queries and keys decide nothing."""
    kernel, bias = Linear(3 * _SUMMARY, name="jointAtt.qkv").weights(like.shape[-1])
    assert bias is not None
    return lambda x: x @ kernel[:, 2 * _SUMMARY :] + bias[None, 2 * _SUMMARY :]


def _inert(width: int) -> None:
    """Weights of an attention over one step, which is the identity; a checkpoint holds them."""
    Linear(width, name="Fusion.attention_weights").weights(width)
    Linear(1, use_bias=False, name="Fusion.context_vector").weights(width)
