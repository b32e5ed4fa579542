"""JAMFN: joint attention multi-scale fusion network (Zhou et al., Interspeech 2023)."""

from __future__ import annotations

from typing import Literal

import flax.linen as nn

from jaxdep.errors import ModelError
from jaxdep.models.inputs import require
from jaxdep.nn import masking
from jaxdep.nn.convolution import Conv1d, FoldedMaps, Maps
from jaxdep.nn.fusion import FramewiseFusion, JointAttentionFusion
from jaxdep.nn.linear import Linear
from jaxdep.nn.rnn import LSTM
from jaxdep.settings.kinds import Classes, Kernel, Layers, Name, Rate, Width
from jaxdep.types import Inputs, Logits, Mask, Sequence, traceable


class JAMFN(nn.Module):
    """Classifies depression from frames of voice and face by multi-scale joint attention.

    Inputs: `acoustic` [B, L, *] and `visual` [B, L, *] of the same length L, with optional
    `acoustic_mask` and `visual_mask` [B, L]. The weights of JAF fix the length L.
    """

    hidden: Width = 200  # units per direction of the BiLSTM
    layers: Layers = 6
    scales: tuple[Kernel, ...] = (1, 3, 5)  # kernel sizes k; (): F_m without convolutions
    channels: Width = 512  # of X_m^k
    fusion: Literal["jaf", "add", "multiply", "concat"] = "jaf"
    readout: Literal["sum", "mean", "flatten"] = "sum"  # of JAF; other fusions use the mean
    masked: bool = False  # False: padded frames count as real frames of zeros, as in the paper
    dropout: Rate = traceable(0.0)  # between the layers of the BiLSTM
    share_jaf: bool = False  # whether all scales share one JAF
    folded: bool = True  # do not compute X_m^k if the readout allows it; equivalent and faster
    classes: Classes = 2
    task: Name = "depression"

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Logits]:
        """Returns `{task: [B, classes]}`, logits."""
        f_a, mask_a = self._encode(inputs, "acoustic", "bilstm_a", train)
        f_v, mask_v = self._encode(inputs, "visual", "bilstm_v", train)
        if f_a.shape[1] != f_v.shape[1]:
            raise ModelError(
                "acoustic and visual must have the same length; got"
                f" {f_a.shape[1]} and {f_v.shape[1]}"
            )
        scales_a, scales_v = self._scales(f_a, "conv_a"), self._scales(f_v, "conv_v")  # eq. 6
        fusions = self._fusions(len(scales_a))
        fused = [
            fuse(x_a, x_v, mask_a, mask_v)  # eq. 7-12
            for fuse, x_a, x_v in zip(fusions, scales_a, scales_v, strict=True)
        ]
        f_out = sum(fused[1:], fused[0])  # eq. 13; the readout is linear, so it may come first
        return {self.task: Linear(self.classes, name="classifier")(f_out)}  # eq. 14

    def _encode(
        self, inputs: Inputs, modality: str, name: str, train: bool
    ) -> tuple[Sequence, Mask | None]:
        """Encodes a modality by a BiLSTM with summed directions (eq. 1-5): F_m [B, L, hidden]."""
        x = require(inputs, modality, self)
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

    def _scales(self, f: Sequence, name: str) -> list[Maps | FoldedMaps]:
        """Multi-scale generation (eq. 6): one convolution per kernel size."""
        if not self.scales:
            return [Maps(f)]
        convs = [Conv1d(self.channels, k, name=f"{name}.{i}") for i, k in enumerate(self.scales)]
        if self.folded and self.fusion == "jaf" and self.readout != "flatten":
            return [FoldedMaps(f, *conv.weights(f.shape[-1])) for conv in convs]
        return [Maps(conv(f)) for conv in convs]

    def _fusions(self, scales: int) -> list[JointAttentionFusion] | list[FramewiseFusion]:
        """Fusion module of each scale: separate JAFs, one shared JAF, or a framewise fusion."""
        if self.fusion != "jaf":
            return [FramewiseFusion(self.fusion)] * scales
        count = 1 if self.share_jaf else scales
        fusions = [JointAttentionFusion(self.readout, name=f"jaf.{n}") for n in range(count)]
        return fusions * (scales // count)
