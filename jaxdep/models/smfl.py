"""SMFL: sentence-level multi-modal feature learning (Zhang et al., Front. Psychiatry 2025)."""

from __future__ import annotations

from typing import Literal, NamedTuple

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
from jaxdep.nn.recurrent import LSTM
from jaxdep.types import Inputs, Logits, Mask, Sequence, Vector

_WEAK = ("visual", "acoustic")
"""Modalities that the text may strengthen (section 2.6)."""

_HEAD = ("text", "acoustic", "visual")
"""Order of the modalities behind F_fuse in the last layer (section 2.7)."""


class Sentences(NamedTuple):
    """A vector for each sentence [B, S, channels], and which sentences are there [B, S]."""

    x: Sequence
    mask: Mask


class SMFL(nn.Module):
    """Depression from the sentences of a dialogue: voice, face and words of each.

    Reads those of `acoustic` [B, L_a, *], `visual` [B, L_v, *] and `text` [B, L_t, *] that
    `modalities` names, with optional masks, and `sentences` [B, S, 6] with `sentences_mask`: for
    each sentence the first frame and the one after the last, in each of the three. The paper
    leaves widths, heads and the limit of sentences open; they are the released network's where it
    has them.
    """

    modalities: tuple[str, ...] = MODALITIES
    max_sentences: int = 21  # M
    encoder: Literal["tcn", "lstm"] = "tcn"  # of a sentence
    split: bool = True  # False: the whole recording is one sentence, "TCN (all)"
    pooling: Literal["last", "mean"] = "last"  # of the encoder over a recording that is not split
    self_attention: bool = True
    lstm: bool = True  # False: the mean over sentences
    cmjat_targets: tuple[str, ...] = ("visual",)  # weak modalities that the text strengthens
    cmjat_head: bool = False  # each target predicts by itself, too, as output `cmjat_<target>`
    cross_attention: bool = True
    channels: int = 12
    layers: int = 5
    kernel: int = 5
    heads: int = 4
    hidden: int = 8
    scale: bool = False  # of CMJAT's scores
    permute: bool = False  # CMJAT's tokens
    dropout: float = 0.5  # of the TCN
    fusion_dropout: float = 0.2
    classes: int = 2

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Logits]:
        """Returns `{"depression": [B, classes]}`, logits, and those of `cmjat_head`."""
        self._check()
        encoded = {name: self._encode(inputs, name, train) for name in self.modalities}
        every = jnp.stack([each.mask for each in encoded.values()]).any(0)
        joined = jnp.concatenate([each.x for each in encoded.values()], -1)
        fused = nn.relu(Linear(self.channels, name="fusion")(joined))
        attended = {name: self._attend(name, each) for name, each in encoded.items()}
        outputs = {}
        for target in self.cmjat_targets:
            weak = self._strengthen(target, attended["text"], attended[target], train)
            if self.cmjat_head:
                mean = masking.masked_mean(weak.x, weak.mask)
                outputs[f"cmjat_{target}"] = Linear(self.classes, name=f"cmjat_{target}.head")(mean)
            attended[target] = weak
        f_fuse = self._over_sentences("fusion", Sentences(fused, every))
        features = {name: self._over_sentences(name, each) for name, each in attended.items()}
        if self.cross_attention:
            width = f_fuse.shape[-1]
            features = {
                name: FeatureAttention(width, name=f"cross_{name}")(f_fuse, x)
                for name, x in features.items()
            }
        whole = jnp.concatenate([f_fuse, *(features[m] for m in _HEAD if m in features)], -1)
        return {"depression": Linear(self.classes, name="head")(whole), **outputs}

    def _check(self) -> None:
        """Refuses settings that do not go together."""
        check_modalities(self.modalities, MODALITIES)
        if not set(self.cmjat_targets) <= set(_WEAK) & set(self.modalities):
            raise ModelError(
                f"cmjat_targets are of {', '.join(_WEAK)} and among modalities"
                f" {self.modalities}; got {self.cmjat_targets}"
            )
        if self.cmjat_targets and "text" not in self.modalities:
            raise ModelError(
                f"text strengthens {', '.join(self.cmjat_targets)}, and modalities have no text:"
                " set model.cmjat_targets=()"
            )
        if self.cmjat_head and not self.cmjat_targets:
            raise ModelError("cmjat_head predicts from cmjat_targets, and there are none")
        if self.pooling == "mean" and self.split:
            raise ModelError("pooling='mean' is over a whole recording: set model.split=False")

    def _encode(self, inputs: Inputs, modality: str, train: bool) -> Sentences:
        """A vector for each sentence of a modality (section 2.5)."""
        x, mask = require(inputs, modality, self), inputs.get(f"{modality}_mask")
        x = masking.zero_padding(x, mask)
        windows = windows_of(inputs, modality, self.max_sentences, self)
        windows = sentences.clip(*windows, x.shape[1], mask)
        if not self.split:
            windows = sentences.whole(windows)
        there = sentences.there(windows)
        if self.encoder == "lstm":
            lstm = sentences.SentenceLSTM(self.channels, self.pooling, name=f"encoder_{modality}")
            return Sentences(lstm(x, windows), there)
        tcn = TCN(
            self.channels,
            self.layers,
            self.kernel,
            self.dropout,
            self.pooling,
            name=f"tcn_{modality}",
        )
        most = x.shape[1] if self.pooling == "mean" else min(tcn.reach, x.shape[1])
        ends, real = sentences.endings(x, windows, most)
        vectors = tcn(ends, real, train).reshape(*windows.shape[:2], -1)
        return Sentences(masking.zero_padding(vectors, there), there)

    def _attend(self, modality: str, each: Sentences) -> Sentences:
        """Self-attention between sentences, added to them and normalised."""
        if not self.self_attention:
            return each
        read = SelfAttention(self.heads, name=f"attention_{modality}")(each.x, each.mask)
        y = LayerNorm(name=f"norm_{modality}")(each.x + read)
        return Sentences(masking.zero_padding(y, each.mask), each.mask)

    def _strengthen(
        self, target: str, strong: Sentences, weak: Sentences, train: bool
    ) -> Sentences:
        """CMJAT (eq. 3-6): a weak modality, having read the text."""
        joint = CMJAT(
            self.heads, self.scale, self.fusion_dropout, self.permute, name=f"cmjat_{target}"
        )
        return Sentences(joint(strong.x, weak.x, strong.mask, weak.mask, train), weak.mask)

    def _over_sentences(self, name: str, each: Sentences) -> Vector:
        """One vector for the dialogue: the LSTM's state after the last sentence."""
        if not self.lstm:
            return masking.masked_mean(each.x, each.mask)
        return masking.last(LSTM(self.hidden, name=f"lstm_{name}")(*each), each.mask)
