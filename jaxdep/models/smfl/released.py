"""The network released by SMFL's authors (`MMFL`), including its peculiarities, batched.

It differs from the paper: sentences are encoded by LSTMs and by single-channel convolutions, all
attentions are over a single step and therefore have no effect, and only the last sentence of face
and text is used. Parameters have the authors' names.
"""

from __future__ import annotations

from typing import Any, Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Bool, Float

from jaxdep.errors import ModelError
from jaxdep.models.inputs import require, windows_of
from jaxdep.nn import masking, sentences
from jaxdep.nn.convolution import Conv1d
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import SampleBatchNorm
from jaxdep.nn.rnn import LSTM
from jaxdep.nn.sentences import PerSentence, SentenceLSTM
from jaxdep.settings.kinds import Classes, Count, Rate
from jaxdep.types import Array, Inputs, Logits, SentenceMask, Vector, traceable

_HIDDEN, _SUMMARY = 16, 8
"""Numbers of features of a sentence in one modality, and of the whole dialogue."""

_FACE_ALONE = 1000
"""Number of face frames that are used if a recording has no sentences."""

_TEXT = ((7, 5), (5, 3), (5, 3))  # kernel and stride of each convolution over an embedding
_FUSION = ((3, 3), (1, 1))  # channels and kernel


class SMFLReleased(nn.Module):
    """Classifies depression from the sentences of a dialogue with the authors' released network.

    Inputs: `acoustic` [B, L_a, *], `visual` [B, L_v, *] and `text` [B, L_t, 768], with optional
    masks, and `sentences` [B, S, 6] with `sentences_mask`, as for `SMFL`. A recording without
    sentences is classified by its first face frames only.
    """

    max_sentences: Count = 21
    cmjat_target: Literal["acoustic", "visual"] = "acoustic"  # modality that the text enhances
    fix_history: bool = False  # True: all face and text sentences, not the last one twice
    fusion_dropout: Rate = traceable(0.2)
    classes: Classes = 2

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Logits]:
        """Returns `{"depression": [B, classes]}`, logits."""
        a, real = self._frames(inputs, "acoustic", "conv_audio.0")
        f, _ = self._frames(inputs, "visual", "conv_face.0", _FACE_ALONE)
        face_alone, f = f[:, -1], f[:, :-1]
        t = self._embeddings(inputs, real, train)
        c = _conv_layers("fusion_layer", jnp.stack([a, f, t], -1), _FUSION, real, train)

        recent = lambda x: (x, real) if self.fix_history else _last_twice(x, real)
        summary = {
            "acoustic": _last_state("conv_audio_all", _SUMMARY, a, real),
            "visual": _last_state("conv_face_all", _SUMMARY, *recent(f)),
        }
        text = _last_state("conv_text_all", _SUMMARY, *recent(t))
        fused = _last_state("conv_fusion_all", c.shape[-1], c, real)

        value = _attention_values(text)
        weak = value(summary[self.cmjat_target])
        joint = Linear(_SUMMARY, name="jointAtt.proj")(0.75 * value(text) + 0.25 * weak)
        summary[self.cmjat_target] = Dropout(self.fusion_dropout, name="drop")(joint, train)
        _unused_weights(fused.shape[-1])
        features = jnp.concatenate([*summary.values(), text, fused], -1)
        sentence_logits = Linear(self.classes, name="linear")(features)
        face_logits = Linear(self.classes, name="linear_face")(face_alone)
        return {"depression": jnp.where(real.any(1)[:, None], sentence_logits, face_logits)}

    def _frames(
        self, inputs: Inputs, modality: str, name: str, beginning: int = 0
    ) -> tuple[Float[Array, "batch windows hidden"], SentenceMask]:
        """Returns an LSTM's state at the end of each sentence, [B, S, H], and the sentences' mask.

        Args:
          inputs: inputs of the model.
          modality: modality to encode.
          name: name of the LSTM.
          beginning: number of frames of an additional sentence at the start of the recording; 0: no
            additional sentence.
        """
        x, mask = require(inputs, modality, self), inputs.get(f"{modality}_mask")
        table, real = windows_of(inputs, modality, self.max_sentences, self)
        windows = sentences.clip(table, real, x.shape[1], mask)
        real = jnp.ones(windows.shape[:2], bool) if real is None else real
        if beginning:
            start = jnp.broadcast_to(jnp.array([0, beginning]), (len(x), 1, 2))
            start = sentences.clip(start, None, x.shape[1], mask)
            windows = jnp.concatenate([windows, start], 1)
        return SentenceLSTM(_HIDDEN, name=name)(masking.zero_padding(x, mask), windows), real

    def _embeddings(self, inputs: Inputs, real: SentenceMask, train: bool) -> PerSentence:
        """Convolves each sentence's embedding, as a single-channel signal, to 16 features."""
        x, mask = require(inputs, "text", self), inputs.get("text_mask")
        windows = windows_of(inputs, "text", self.max_sentences, self)
        windows = sentences.clip(*windows, x.shape[1], mask)
        embeddings = sentences.last_frames(masking.zero_padding(x, mask), windows)
        shapes = [(1, kernel, stride) for kernel, stride in _TEXT]
        t = _conv_layers("conv_text", embeddings[..., None], shapes, real, train)
        if t.shape[-1] != _HIDDEN:
            raise ModelError(f"text embeddings must have 768 features; got {x.shape[-1]}")
        return t


def _conv_layers(
    name: str,
    x: Float[Array, "batch sentence time channel"],
    shapes: Any,
    real: SentenceMask,
    train: bool,
) -> PerSentence:
    """Applies blocks of convolution, ReLU and batch normalisation, the last with one channel."""
    signals = x.reshape(-1, *x.shape[2:])
    real_sentences = real.reshape(-1)
    for number, (channels, kernel, *stride) in enumerate(shapes):
        conv = Conv1d(
            channels, kernel, stride[0] if stride else 1, "valid", name=f"{name}.{3 * number}"
        )
        norm = SampleBatchNorm(name=f"{name}.{3 * number + 2}")
        signals = norm(nn.relu(conv(signals)), real_sentences, train)
    return signals[..., 0].reshape(*x.shape[:2], -1)


def _last_state(
    name: str, features: int, x: PerSentence, real: SentenceMask
) -> Float[Array, "batch hidden"]:
    return masking.last(LSTM(features, name=name)(x, real), real)


def _last_twice(
    x: PerSentence, real: SentenceMask
) -> tuple[Float[Array, "batch 2 feature"], Bool[Array, "batch 2"]]:
    """Returns the last sentence, twice if there are several."""
    last = masking.last(x, real)
    return jnp.stack([last, last], 1), jnp.stack([real.any(1), real.sum(1) > 1], 1)


def _attention_values(like: Vector) -> Any:
    """Value projection of the joint attention; over one step, queries and keys have no effect."""
    kernel, bias = Linear(3 * _SUMMARY, name="jointAtt.qkv").weights(like.shape[-1])
    assert bias is not None
    return lambda x: x @ kernel[:, 2 * _SUMMARY :] + bias[None, 2 * _SUMMARY :]


def _unused_weights(width: int) -> None:
    """Creates the weights of an attention over one step, the identity, for checkpoints."""
    Linear(width, name="Fusion.attention_weights").weights(width)
    Linear(1, use_bias=False, name="Fusion.context_vector").weights(width)
