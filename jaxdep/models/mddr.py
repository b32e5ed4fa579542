"""MDDR: multi-modal dual-attention aggregation for depression recognition (MM 2024)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxdep.errors import ModelError
from jaxdep.models.inputs import check_modalities, require
from jaxdep.nn import alignment, masking
from jaxdep.nn.attention import ScoreNetwork
from jaxdep.nn.convolution import Conv1d
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.nn.transformer import Encoder, sinusoids
from jaxdep.types import Inputs, Mask, PerExample, Sequence, Vector

Stacked = Float[Array, "batch time modality feature"]
Presence = Bool[Array, "batch time modality"]


class Aligned(NamedTuple):
    """Modalities brought to one width and length.

    Attributes:
      x: X [B, L, M, D], zero where a modality is absent.
      present: [B, L, M], true where a modality has a row of its own.
      mask: [B, L], the steps that count.
    """

    x: Stacked
    present: Presence
    mask: Mask


class MDDR(nn.Module):
    """Severity of depression, in BDI-II points, from frames of face, voice and head.

    Reads those of `visual` [B, L_v, *], `acoustic` [B, L_a, *] and `pose` [B, L_p, *] that
    `modalities` names, with optional masks `<modality>_mask`. The common length L is that of the
    face, and without a face that of the first one named.
    """

    modalities: tuple[str, ...] = ("visual", "acoustic", "pose")
    features: int = 512  # D
    kernels: tuple[int, ...] = (10, 5, 3)  # of the acoustic alignment
    strides: tuple[int, ...] = (5, 5, 2)
    filters: tuple[int, ...] = (128, 256)  # of all its convolutions but the last, which has D
    align: Literal["pad", "resample"] = "pad"
    faa: bool = True  # False: the mean over modalities (the paper's SAN)
    faa_weights: Literal["shared", "separate"] = "shared"  # the score network of each modality
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
        check_modalities(self.modalities, ("visual", "acoustic", "pose"))
        aligned = self._align(inputs)
        fused = self._across(aligned)
        if self.sea:
            whole = self._over_time(fused, aligned.mask, train)
        else:
            whole = masking.masked_mean(fused, aligned.mask)
        hidden = nn.relu(Linear(self.head_hidden, name="head.0")(whole))
        hidden = Dropout(self.dropout, name="head.2")(hidden, train)
        return {"depression": Linear(1, name="head.3")(hidden)[:, 0]}

    def _align(self, inputs: Inputs) -> Aligned:
        """Alignment networks, then one length (section 3.3)."""
        networks = {"visual": self._visual, "acoustic": self._acoustic, "pose": self._pose}
        # The face comes first, whatever its place: it sets the length.
        order = sorted(self.modalities, key=lambda modality: modality != "visual")
        rows: dict[str, tuple[Sequence, Mask]] = {}
        for modality in order:
            x, mask = require(inputs, modality, self), inputs.get(f"{modality}_mask")
            mask = jnp.ones(x.shape[:2], bool) if mask is None else mask
            if modality == "acoustic" and rows and self.align == "pad":
                # What the common length cuts off is not computed: most of 25 minutes.
                steps = rows[order[0]][0].shape[1]
                most = alignment.reach(steps, self.kernels, self.strides)
                x, mask = x[:, :most], mask[:, :most]
            x, mask = networks[modality](masking.zero_padding(x, mask), mask)
            rows[modality] = masking.zero_padding(x, mask), mask
        length = rows[order[0]][0].shape[1]
        if not length:
            frames = inputs[order[0]].shape[1]
            raise ModelError(f"{frames} frames of {order[0]} are too few to align")
        bring = alignment.resample if self.align == "resample" else alignment.pad
        brought = bring([rows[modality] for modality in order], length)
        found = dict(zip(order, brought, strict=True))
        x = jnp.stack([found[modality][0] for modality in self.modalities], 2)
        present = jnp.stack([found[modality][1] for modality in self.modalities], 2)
        lead = found[order[0]][1]
        # A recording without its leading modality is read where it has any other.
        mask = jnp.where(lead.any(1, keepdims=True), lead, present.any(2))
        return Aligned(x, present, mask)

    def _visual(self, x: Sequence, mask: Mask) -> tuple[Sequence, Mask]:
        y = Linear(self.features, name="visual_align.proj")(x)
        return nn.relu(LayerNorm(name="visual_align.norm")(y)), mask

    def _acoustic(self, x: Sequence, mask: Mask) -> tuple[Sequence, Mask]:
        filters = (*self.filters, self.features)
        settings = zip(filters, self.kernels, self.strides, strict=True)
        for number, (features, kernel, stride) in enumerate(settings):
            name = f"acoustic_align.conv.{number}"
            conv = Conv1d(features, kernel, stride, "valid", name=name)
            x = nn.relu(LayerNorm(name=f"acoustic_align.norm.{number}")(conv(x)))
            mask = conv.mask(mask)
        return x, mask

    def _pose(self, x: Sequence, mask: Mask) -> tuple[Sequence, Mask]:
        y = Conv1d(self.features, 1, name="pose_align.conv.0")(x)
        return nn.relu(LayerNorm(name="pose_align.norm.0")(y)), mask

    def _across(self, aligned: Aligned) -> Sequence:
        """FAA: attention between the modalities that a frame has (eq. 1), F [B, L, D]."""
        if not self.faa:
            count = jnp.maximum(aligned.present.sum(2), 1).astype(aligned.x.dtype)
            return aligned.x.sum(2) / count[..., None]
        if self.faa_weights == "shared":
            scores = ScoreNetwork(self.score_hidden, name="faa")(aligned.x)
        else:
            network = lambda modality: ScoreNetwork(self.score_hidden, name=f"faa.{modality}")
            each = [network(m)(aligned.x[:, :, n]) for n, m in enumerate(self.modalities)]
            scores = jnp.stack(each, 2)
        weights = masking.masked_softmax(scores, aligned.present)
        for number, modality in enumerate(self.modalities):
            self.sow("intermediates", f"faa/{modality}", weights[..., number])
        return jnp.einsum("blm,blmd->bld", weights, aligned.x)  # eq. 1

    def _over_time(self, x: Sequence, mask: Mask, train: bool) -> Vector:
        """SEA: encoder (eq. 2) and attention over time, E [B, D] (section 3.4)."""
        positions = jnp.asarray(sinusoids(x.shape[1], self.features), x.dtype)
        x = Dropout(self.dropout, name="positions")(x + positions[None], train)
        encoder = Encoder(self.layers, self.heads, self.feed_forward, self.dropout, name="encoder")
        x = encoder(x, mask, train)
        weights = masking.masked_softmax(ScoreNetwork(self.score_hidden, name="pool")(x), mask)
        self.sow("intermediates", "sea/frames", weights)
        return jnp.einsum("bl,bld->bd", weights, x)
