"""SMFL: sentence-level multi-modal feature learning (Zhang et al., Front. Psychiatry 2025)."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import flax.linen as nn
import jax.numpy as jnp

from jaxdep.errors import ModelError
from jaxdep.models.inputs import MODALITIES, check_modalities, require, windows_of
from jaxdep.nn import masking, sentences
from jaxdep.nn.attention import SelfAttention
from jaxdep.nn.convolution import TCN
from jaxdep.nn.fusion import CMJAT, FeatureAttention
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.nn.rnn import LSTM
from jaxdep.settings.kinds import Classes, Count, Layers, Name, OneOf, Rate, Width
from jaxdep.types import Inputs, Logits, SentenceMask, Vector, traceable

_WEAK = ("visual", "acoustic")
"""Modalities that the text may enhance (section 2.6)."""

Modality = Annotated[str, OneOf(MODALITIES)]
Weak = Annotated[str, OneOf(_WEAK)]

_HEAD = ("text", "acoustic", "visual")
"""Order of the modalities after F_fuse in the input of the last layer (section 2.7)."""


class Sentences(NamedTuple):
    """One vector per sentence [B, S, channels], and the mask of the sentences present [B, S]."""

    x: sentences.PerSentence
    mask: SentenceMask


class SMFL(nn.Module):
    """Classifies depression from the voice, face and text of the sentences of a dialogue.

    Inputs: those of `acoustic` [B, L_a, *], `visual` [B, L_v, *] and `text` [B, L_t, *] that are
    listed in `modalities`, with optional masks, and `sentences` [B, S, 6] with `sentences_mask`:
    for each sentence, the first frame and the frame after the last in each of the three modalities.
    The paper does not specify the widths, the number of heads and the maximum number of sentences;
    where possible, they are taken from the released network.
    """

    modalities: tuple[Modality, ...] = MODALITIES
    max_sentences: Count = 21  # maximum number of sentences M
    encoder: Literal["tcn", "lstm"] = "tcn"  # encoder of a sentence
    split: bool = True  # False: treat the recording as one sentence, "TCN (all)"
    pooling: Literal["last", "mean"] = "last"  # mean: unsplit recordings only
    self_attention: bool = True
    lstm: bool = True  # False: the mean over sentences
    cmjat_targets: tuple[Weak, ...] = ("visual",)  # weak modalities that the text enhances
    cmjat_head: bool = False  # whether each target has its own output `cmjat_<target>`
    cross_attention: bool = True
    channels: Width = 12
    layers: Layers = 5
    kernel: Count = 5
    heads: Width = 4
    hidden: Width = 8
    scale: bool = False  # whether to scale CMJAT's scores
    permute: bool = False  # whether to shuffle CMJAT's tokens in training
    dropout: Rate = traceable(0.5)  # in the TCN
    fusion_dropout: Rate = traceable(0.2)
    classes: Classes = 2
    task: Name = "depression"

    def __post_init__(self) -> None:
        """Checks that the settings are consistent."""
        super().__post_init__()
        check_modalities(self.modalities, MODALITIES)
        targets, possible = set(self.cmjat_targets), set(_WEAK) & set(self.modalities)
        if not targets <= possible or len(targets) < len(self.cmjat_targets):
            raise ModelError(
                f"cmjat_targets must be {' or '.join(_WEAK)}, without repetition, and listed in"
                f" modalities {self.modalities}; got {self.cmjat_targets}"
            )
        if self.cmjat_targets and "text" not in self.modalities:
            raise ModelError(
                f"cmjat_targets {', '.join(self.cmjat_targets)} require text in modalities: add"
                " text or set model.cmjat_targets=()"
            )
        if self.cmjat_head and not self.cmjat_targets:
            raise ModelError("cmjat_head requires cmjat_targets: set model.cmjat_head=False")
        if self.pooling == "mean" and self.split:
            raise ModelError("pooling='mean' requires an unsplit recording: set model.split=False")

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Logits]:
        """Returns `{task: [B, classes]}`, logits, and the outputs of `cmjat_head`."""
        encoded = {name: self._encode(inputs, name, train) for name in self.modalities}
        any_mask = jnp.stack([vectors.mask for vectors in encoded.values()]).any(0)
        joined = jnp.concatenate([vectors.x for vectors in encoded.values()], -1)
        fused = nn.relu(Linear(self.channels, name="fusion")(joined))
        attended = {name: self._attend(name, vectors) for name, vectors in encoded.items()}
        outputs = {}
        for target in self.cmjat_targets:
            weak = self._strengthen(target, attended["text"], attended[target], train)
            if self.cmjat_head:
                mean = masking.masked_mean(weak.x, weak.mask)
                outputs[f"cmjat_{target}"] = Linear(self.classes, name=f"cmjat_{target}.head")(mean)
            attended[target] = weak
        f_fuse = self._over_sentences("fusion", Sentences(fused, any_mask))
        features = {name: self._over_sentences(name, vectors) for name, vectors in attended.items()}
        if self.cross_attention:
            width = f_fuse.shape[-1]
            features = {
                name: FeatureAttention(width, name=f"cross_{name}")(f_fuse, x)
                for name, x in features.items()
            }
        y = jnp.concatenate([f_fuse, *(features[m] for m in _HEAD if m in features)], -1)
        return {self.task: Linear(self.classes, name="head")(y), **outputs}

    def _encode(self, inputs: Inputs, modality: str, train: bool) -> Sentences:
        """Encodes each sentence of a modality as a vector (section 2.5)."""
        x, mask = require(inputs, modality, self), inputs.get(f"{modality}_mask")
        x = masking.zero_padding(x, mask)
        windows = windows_of(inputs, modality, self.max_sentences, self)
        windows = sentences.clip(*windows, x.shape[1], mask)
        if not self.split:
            windows = sentences.enclosing_window(windows)
        present = sentences.present(windows)
        if self.encoder == "lstm":
            lstm = sentences.SentenceLSTM(self.channels, self.pooling, name=f"encoder_{modality}")
            return Sentences(lstm(x, windows), present)
        tcn = TCN(
            self.channels,
            self.layers,
            self.kernel,
            self.dropout,
            self.pooling,
            name=f"tcn_{modality}",
        )
        max_frames = x.shape[1] if self.pooling == "mean" else min(tcn.receptive_field, x.shape[1])
        ends, real = sentences.endings(x, windows, max_frames)
        vectors = tcn(ends, real, train).reshape(*windows.shape[:2], -1)
        return Sentences(masking.zero_padding(vectors, present), present)

    def _attend(self, modality: str, vectors: Sentences) -> Sentences:
        """Applies self-attention between sentences with a residual and a LayerNorm."""
        if not self.self_attention:
            return vectors
        attended = SelfAttention(self.heads, name=f"attention_{modality}")(vectors.x, vectors.mask)
        y = LayerNorm(name=f"norm_{modality}")(vectors.x + attended)
        return Sentences(masking.zero_padding(y, vectors.mask), vectors.mask)

    def _strengthen(
        self, target: str, strong: Sentences, weak: Sentences, train: bool
    ) -> Sentences:
        """CMJAT (eq. 3-6): enhances a weak modality by the text."""
        cmjat = CMJAT(
            self.heads, self.scale, self.fusion_dropout, self.permute, name=f"cmjat_{target}"
        )
        return Sentences(cmjat(strong.x, weak.x, strong.mask, weak.mask, train), weak.mask)

    def _over_sentences(self, name: str, vectors: Sentences) -> Vector:
        """Reduces the sentences to the LSTM's last state, or to their mean without an LSTM."""
        if not self.lstm:
            return masking.masked_mean(vectors.x, vectors.mask)
        return masking.last(LSTM(self.hidden, name=f"lstm_{name}")(*vectors), vectors.mask)
