"""SMFL: sentence-level multi-modal feature learning (Zhang et al., Front. Psychiatry 2025)."""

from __future__ import annotations

from typing import Literal

import flax.linen as nn
import jax.numpy as jnp

from jaxdep.errors import ModelError
from jaxdep.models import mmfl
from jaxdep.models.inputs import MODALITIES, require, windows_of
from jaxdep.nn import masking, sentences
from jaxdep.nn.attention import SelfAttention
from jaxdep.nn.convolution import TCN
from jaxdep.nn.fusion import CMJAT, FeatureAttention
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.nn.recurrent import LSTM
from jaxdep.types import Inputs, Logits, Mask, Sequence, Vector


class SMFL(nn.Module):
    """Depression from the sentences of a dialogue: voice, face and words of each.

    Reads those of `acoustic` [B, L_a, *], `visual` [B, L_v, *] and `text` [B, L_t, *] that
    `modalities` names, with optional masks, and `sentences` [B, S, 6] with `sentences_mask`: for
    each sentence the first frame and the one after the last, in each of the three. The paper
    leaves widths, heads and the limit of sentences open; they are the released network's where it
    has them.

    `variant="released"` is the network that the authors published, see `mmfl`; it reads the fields
    that stand last, `max_sentences` and `classes`.
    """

    variant: Literal["paper", "released"] = "paper"
    modalities: tuple[str, ...] = ("acoustic", "visual", "text")
    max_sentences: int = 21  # M
    encoder: Literal["tcn", "lstm"] = "tcn"  # of a sentence
    split: bool = True  # False: the whole recording is one sentence, "TCN (all)"
    self_attention: bool = True
    lstm: bool = True  # False: the mean over sentences
    cmjat: bool = True
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
    fix_history: bool = False
    cmjat_target: Literal["acoustic", "visual"] = "acoustic"

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Logits]:
        """Returns `{"depression": [B, classes]}`, logits."""
        if self.variant == "released":
            return {"depression": mmfl.logits(self, inputs, train)}
        encoded, masks, every = self._sentences(inputs, train)
        fused = nn.relu(
            Linear(self.channels, name="fusion")(jnp.concatenate([*encoded.values()], -1))
        )
        attended = {m: self._attend(m, x, masks[m]) for m, x in encoded.items()}
        if self.cmjat and {"text", "visual"} <= set(attended):
            joint = CMJAT(self.heads, self.scale, self.fusion_dropout, self.permute, name="cmjat")
            text, face = attended["text"], attended["visual"]
            attended["visual"] = joint(text, face, masks["text"], masks["visual"], train)  # eq. 6
        f_fuse = self._over_sentences("fusion", fused, every)
        features = [self._over_sentences(m, x, masks[m]) for m, x in attended.items()]
        if self.cross_attention:
            width = f_fuse.shape[-1]
            features = [
                FeatureAttention(width, name=f"cross_{m}")(f_fuse, x)
                for m, x in zip(attended, features, strict=True)
            ]
        whole = jnp.concatenate([f_fuse, *features], -1)
        return {"depression": Linear(self.classes, name="head")(whole)}

    def _sentences(
        self, inputs: Inputs, train: bool
    ) -> tuple[dict[str, Sequence], dict[str, Mask], Mask]:
        """A vector for each sentence of each modality, which of them there are, and of any."""
        unknown = sorted(set(self.modalities) - set(MODALITIES))
        if unknown or not self.modalities:
            raise ModelError(f"modalities are of {', '.join(MODALITIES)}; got {self.modalities}")
        encoded, masks = {}, {}
        for modality in self.modalities:
            x, mask = require(inputs, modality, "SMFL"), inputs.get(f"{modality}_mask")
            x = masking.zero_padding(x, mask)
            windows = windows_of(inputs, modality, self.max_sentences)
            windows = sentences.clip(*windows, x.shape[1], mask)
            if not self.split:
                windows = sentences.whole(windows)
            if self.encoder == "lstm":
                states = sentences.SentenceLSTM(self.channels, name=f"encoder_{modality}")
                encoded[modality] = states(x, windows)
            else:
                tcn = TCN(
                    self.channels, self.layers, self.kernel, self.dropout, name=f"tcn_{modality}"
                )
                ends, real = sentences.endings(x, windows, min(tcn.reach, x.shape[1]))
                last = tcn(ends, real, train).reshape(*windows.shape[:2], -1)
                encoded[modality] = masking.zero_padding(last, sentences.there(windows))
            masks[modality] = sentences.there(windows)
        every = jnp.stack([*masks.values()]).any(0)
        return encoded, masks, every

    def _attend(self, modality: str, x: Sequence, mask: Mask) -> Sequence:
        """Self-attention between sentences, added to them and normalised."""
        if not self.self_attention:
            return x
        read = SelfAttention(self.heads, name=f"attention_{modality}")(x, mask)
        y = LayerNorm(name=f"norm_{modality}")(x + read)
        return masking.zero_padding(y, mask)

    def _over_sentences(self, name: str, x: Sequence, mask: Mask) -> Vector:
        """One vector for the dialogue: the LSTM's state after the last sentence."""
        if not self.lstm:
            return masking.masked_mean(x, mask)
        return masking.last(LSTM(self.hidden, name=f"lstm_{name}")(x, mask), mask)
