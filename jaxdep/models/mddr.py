"""MDDR: multi-modal dual-attention aggregation with difference refinement (MM 2024)."""

from __future__ import annotations

from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxdep.errors import ModelError
from jaxdep.models.inputs import require
from jaxdep.nn import alignment, masking
from jaxdep.nn.attention import ScoreNetwork
from jaxdep.nn.convolution import Conv1d
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.nn.transformer import Encoder, sinusoids
from jaxdep.types import Inputs, Mask, PerExample, Sequence, Vector

Aligned = Float[Array, "batch time modality feature"]


class MDDR(nn.Module):
    """Severity of depression, in BDI-II points, from frames of face, voice and head.

    Reads those of `visual` [B, L_v, *], `acoustic` [B, L_a, *] and `pose` [B, L_p, *] that
    `modalities` names, with optional masks `<modality>_mask`; the first of them sets the length L.
    """

    modalities: tuple[str, ...] = ("visual", "acoustic", "pose")
    features: int = 512  # D
    kernels: tuple[int, ...] = (10, 5, 3)  # of the acoustic alignment
    strides: tuple[int, ...] = (5, 5, 2)
    filters: tuple[int, ...] = (128, 256)  # of all its convolutions but the last, which has D
    align: Literal["pad", "resample"] = "pad"
    faa: bool = True  # False: the mean over modalities (the paper's SAN)
    sea: bool = True  # False: the mean over frames for encoder and attention (the paper's FAN)
    score_hidden: int = 128
    layers: int = 6
    heads: int = 8
    feed_forward: int = 2048
    head_hidden: int = 128
    dropout: float = 0.1

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, PerExample]:
        """Returns `{"depression": [B]}`, the raw score.

        Sown: `faa/<modality>`, its weight in each frame [B, L], and `sea/frames` [B, L].
        """
        x, mask = self._align(inputs)
        fused = self._across(x)  # eq. 1
        if self.sea:
            whole = self._over_time(fused, mask, train)
        else:
            whole = masking.masked_mean(fused, mask)
        hidden = nn.relu(Linear(self.head_hidden, name="head.0")(whole))
        hidden = Dropout(self.dropout, name="head.2")(hidden, train)
        return {"depression": Linear(1, name="head.3")(hidden)[:, 0]}

    def _align(self, inputs: Inputs) -> tuple[Aligned, Mask | None]:
        """Alignment networks, then one length: X [B, L, M, D] and the mask of its frames."""
        networks = {"visual": self._visual, "acoustic": self._acoustic, "pose": self._pose}
        unknown = sorted(set(self.modalities) - set(networks))
        if unknown or not self.modalities:
            raise ModelError(f"modalities are of {', '.join(networks)}; got {self.modalities}")
        made = []
        for modality in self.modalities:
            x = require(inputs, modality, "MDDR")
            mask = inputs.get(f"{modality}_mask")
            if modality == "acoustic" and made and self.align == "pad":
                # What the length of the first cuts off is not computed: most of 25 minutes.
                most = alignment.reach(made[0][0].shape[1], self.kernels, self.strides)
                x, mask = x[:, :most], None if mask is None else mask[:, :most]
            made.append(networks[modality](masking.zero_padding(x, mask), mask))
        lead, lead_mask = made[0]
        length = lead.shape[1]
        if not length:
            frames = inputs[self.modalities[0]].shape[1]
            raise ModelError(f"{frames} frames of {self.modalities[0]} are too few to align")
        aligned = [masking.zero_padding(lead, lead_mask)]
        for x, mask in made[1:]:
            if self.align == "resample":
                aligned.append(alignment.resample_to(x, mask, length, lead_mask))
            else:
                aligned.append(alignment.pad_to(x, mask, length))
        return jnp.stack(aligned, 2), lead_mask

    def _visual(self, x: Sequence, mask: Mask | None) -> tuple[Sequence, Mask | None]:
        y = Linear(self.features, name="visual_align.proj")(x)
        return nn.relu(LayerNorm(name="visual_align.norm")(y)), mask

    def _acoustic(self, x: Sequence, mask: Mask | None) -> tuple[Sequence, Mask | None]:
        filters = (*self.filters, self.features)
        settings = zip(filters, self.kernels, self.strides, strict=True)
        for number, (features, kernel, stride) in enumerate(settings):
            name = f"acoustic_align.conv.{number}"
            conv = Conv1d(features, kernel, stride, "valid", name=name)
            x = nn.relu(LayerNorm(name=f"acoustic_align.norm.{number}")(conv(x)))
            mask = None if mask is None else conv.mask(mask)
        return x, mask

    def _pose(self, x: Sequence, mask: Mask | None) -> tuple[Sequence, Mask | None]:
        y = Conv1d(self.features, 1, name="pose_align.conv.0")(x)
        return nn.relu(LayerNorm(name="pose_align.norm.0")(y)), mask

    def _across(self, x: Aligned) -> Sequence:
        """FAA: attention between the modalities of a frame, F [B, L, D]."""
        if not self.faa:
            return x.mean(2)
        weights = jax.nn.softmax(ScoreNetwork(self.score_hidden, name="faa")(x))
        for number, modality in enumerate(self.modalities):
            self.sow("intermediates", f"faa/{modality}", weights[..., number])
        return jnp.einsum("blm,blmd->bld", weights, x)

    def _over_time(self, x: Sequence, mask: Mask | None, train: bool) -> Vector:
        """SEA: encoder (eq. 2) and attention over time, E [B, D]."""
        positions = jnp.asarray(sinusoids(x.shape[1], self.features), x.dtype)
        x = Dropout(self.dropout, name="positions")(x + positions[None], train)
        encoder = Encoder(self.layers, self.heads, self.feed_forward, self.dropout, name="encoder")
        x = encoder(x, mask, train)
        weights = masking.masked_softmax(ScoreNetwork(self.score_hidden, name="pool")(x), mask)
        self.sow("intermediates", "sea/frames", weights)
        return jnp.einsum("bl,bld->bd", weights, x)
