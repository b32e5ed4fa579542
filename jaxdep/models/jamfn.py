"""JAMFN: joint attention multi-scale fusion network (Zhou et al., Interspeech 2023)."""

from __future__ import annotations

from typing import Literal

import flax.linen as nn
import jax.numpy as jnp

from jaxdep.errors import ModelError
from jaxdep.models.inputs import require
from jaxdep.nn import masking
from jaxdep.nn.convolution import Conv1d, FoldedMaps, Maps
from jaxdep.nn.fusion import JointAttention
from jaxdep.nn.linear import Linear
from jaxdep.nn.recurrent import LSTM
from jaxdep.types import Inputs, Logits, Mask, Scores, Sequence, Vector


class JAMFN(nn.Module):
    """Depression from frames of voice and face, by multi-scale joint attention.

    Reads `acoustic` [B, L, *] and `visual` [B, L, *] of one length L, with optional
    `acoustic_mask` and `visual_mask` [B, L]. JAF is bound to the L that it was initialised with.
    """

    hidden: int = 200  # units of a direction
    layers: int = 6
    scales: tuple[int, ...] = (1, 3, 5)  # kernel sizes k; (): F_m itself
    channels: int = 512  # of X_m^k
    fusion: Literal["jaf", "add", "multiply", "concat"] = "jaf"
    readout: Literal["sum", "mean", "flatten"] = "sum"  # of JAF over time; the others: the mean
    masked: bool = False  # False: padded frames are ordinary frames of zeros, as in the paper
    dropout: float = 0.0  # between the layers of the BiLSTM
    share_jaf: bool = False
    folded: bool = True  # never make X_m^k where the readout allows it; equal, and faster

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Logits]:
        """Returns `{"depression": [B, 2]}`."""
        x_a, mask_a = self._encode(inputs, "acoustic", "bilstm_a", train)
        x_v, mask_v = self._encode(inputs, "visual", "bilstm_v", train)
        if x_a.shape[1] != x_v.shape[1]:
            raise ModelError(
                f"acoustic and visual must have one length; got {x_a.shape[1]}, {x_v.shape[1]}"
            )
        scales_a = self._scales(x_a, "conv_a")  # eq. 6
        scales_v = self._scales(x_v, "conv_v")
        if self.fusion == "jaf":
            attentions = self._attentions(len(scales_a))
        else:
            attentions = [None] * len(scales_a)
        real = _either(mask_a, mask_v)
        read = []
        for maps_a, maps_v, attention in zip(scales_a, scales_v, attentions, strict=True):
            if attention is None:
                read.append(self._fuse(maps_a, maps_v, mask_a, mask_v))
            else:
                a_a, a_v = attention(maps_a, maps_v, mask_a, mask_v)  # eq. 7-11
                read.append(self._read(maps_a, maps_v, a_a, a_v, real))
        f_out = sum(read[1:], read[0])  # eq. 13; reading out is linear, so it may come first
        return {"depression": Linear(2, name="classifier")(f_out)}  # eq. 14

    def _encode(
        self, inputs: Inputs, modality: str, name: str, train: bool
    ) -> tuple[Sequence, Mask | None]:
        """BiLSTM; the last layer sums its directions (eq. 1-5): F_m [B, L, hidden]."""
        x = require(inputs, modality, "JAMFN")
        mask = inputs.get(f"{modality}_mask")
        x = masking.zero_padding(x, mask)
        mask = mask if self.masked else None
        lstm = LSTM(
            self.hidden,
            self.layers,
            bidirectional=True,
            merge="sum",
            dropout=self.dropout,
            name=name,
        )
        return lstm(x, mask, train), mask

    def _scales(self, y: Sequence, name: str) -> list[Maps | FoldedMaps]:
        """Multi-scale generation: one convolution for each kernel size."""
        if not self.scales:
            return [Maps(y)]
        convs = [Conv1d(self.channels, k, name=f"{name}.{i}") for i, k in enumerate(self.scales)]
        if self.folded and self.fusion == "jaf" and self.readout != "flatten":
            return [FoldedMaps(y, *conv.weights(y.shape[-1])) for conv in convs]
        return [Maps(conv(y)) for conv in convs]

    def _attentions(self, scales: int) -> list[JointAttention]:
        """A JAF for each scale, or one for all."""
        own = 1 if self.share_jaf else scales
        attentions = [JointAttention(name=f"jaf.{scale}") for scale in range(own)]
        return attentions * (scales // own)

    def _read(
        self,
        x_a: Maps | FoldedMaps,
        x_v: Maps | FoldedMaps,
        a_a: Scores,
        a_v: Scores,
        real: Mask | None,
    ) -> Vector:
        """Fusion (eq. 12) and its readout over time."""
        if self.readout == "flatten":
            fused = a_a[..., None] * x_a.maps() + a_v[..., None] * x_v.maps()
            return fused.reshape(fused.shape[0], -1)
        total = x_a.pool(a_a) + x_v.pool(a_v)
        if self.readout == "sum":
            return total
        frames = a_a.shape[1] if real is None else jnp.maximum(real.sum(1, keepdims=True), 1)
        return total / frames

    def _fuse(
        self,
        x_a: Maps | FoldedMaps,
        x_v: Maps | FoldedMaps,
        mask_a: Mask | None,
        mask_v: Mask | None,
    ) -> Vector:
        """Fusion without attention (Table 4), read as the mean over time."""
        a = masking.zero_padding(x_a.maps(), mask_a)
        v = masking.zero_padding(x_v.maps(), mask_v)
        if self.fusion == "concat":
            fused = jnp.concatenate([a, v], axis=-1)
        else:
            fused = a + v if self.fusion == "add" else a * v
        return masking.masked_mean(fused, _either(mask_a, mask_v))


def _either(a: Mask | None, b: Mask | None) -> Mask | None:
    """True where any modality is real."""
    if a is None or b is None:
        return None
    return a | b
