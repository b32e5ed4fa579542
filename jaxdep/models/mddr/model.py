"""MDDR: multi-modal dual-attention aggregation for depression recognition (MM 2024)."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Bool, Float

from jaxdep.errors import ModelError
from jaxdep.models.inputs import check_modalities, require
from jaxdep.nn import alignment, masking
from jaxdep.nn.attention import ScoreNetwork
from jaxdep.nn.convolution import Conv1d
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.nn.transformer import Encoder, sinusoids
from jaxdep.settings.kinds import Count, Layers, Name, OneOf, Rate, Width
from jaxdep.types import Array, Inputs, Mask, PerExample, Sequence, Vector, traceable

Stacked = Float[Array, "batch time modality feature"]
Rows = tuple[Float[Array, "batch step hidden"], Bool[Array, "batch step"]]
MODALITIES = ("visual", "acoustic", "pose")
Modality = Annotated[str, OneOf(MODALITIES)]
Presence = Bool[Array, "batch time modality"]


class Aligned(NamedTuple):
    """Modalities aligned to a common width and length.

    Attributes:
      x: stacked features X [B, L, M, D], zero where a modality is absent.
      present: [B, L, M], true where a modality is present.
      mask: [B, L], true at real steps.
    """

    x: Stacked
    present: Presence
    mask: Mask


class MDDR(nn.Module):
    """Predicts the severity of depression, in BDI-II points, from frames of face, voice and head.

    Inputs: those of `visual` [B, L_v, *], `acoustic` [B, L_a, *] and `pose` [B, L_p, *] that are
    listed in `modalities`, with optional masks `<modality>_mask`. The common length L is that of
    the face, or of the first modality in `modalities` if there is no face.
    """

    modalities: tuple[Modality, ...] = MODALITIES
    features: Width = 512  # common width D
    kernels: tuple[Count, ...] = (10, 5, 3)  # kernel sizes of the acoustic alignment
    strides: tuple[Count, ...] = (5, 5, 2)
    filters: tuple[Width, ...] = (128, 256)  # of all acoustic convolutions but the last, with D
    align: Literal["pad", "resample"] = "pad"
    faa: bool = True  # False: the mean over modalities (the paper's SAN)
    faa_weights: Literal["shared", "separate"] = "shared"  # score network(s) of the modalities
    sea: bool = True  # False: the mean over frames instead (the paper's FAN)
    score_hidden: Width = 128
    layers: Layers = 6
    heads: Width = 8
    feed_forward: Width = 2048
    head_hidden: Width = 128
    dropout: Rate = traceable(0.1)
    task: Name = "depression"

    def __post_init__(self) -> None:
        """Checks that the settings are consistent."""
        super().__post_init__()
        check_modalities(self.modalities, MODALITIES)
        if not len(self.kernels) == len(self.strides) == len(self.filters) + 1:
            raise ModelError(
                "kernels and strides have one entry for each acoustic convolution, and filters one"
                f" less; got {self.kernels}, {self.strides} and {self.filters}"
            )

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, PerExample]:
        """Returns `{task: [B]}`, raw scores.

        Sown: the weights of each modality, `faa/<modality>` [B, L], and of the frames, `sea/frames`
        [B, L].
        """
        aligned = self._align(inputs)
        fused = self._across(aligned)
        if self.sea:
            embedding = self._over_time(fused, aligned.mask, train)
        else:
            embedding = masking.masked_mean(fused, aligned.mask)
        hidden = nn.relu(Linear(self.head_hidden, name="head.0")(embedding))
        hidden = Dropout(self.dropout, name="head.2")(hidden, train)
        return {self.task: Linear(1, name="head.3")(hidden)[:, 0]}

    def _align(self, inputs: Inputs) -> Aligned:
        """Applies the alignment networks and aligns all modalities to one length (section 3.3)."""
        networks = {"visual": self._visual, "acoustic": self._acoustic, "pose": self._pose}
        # The face comes first regardless of its position in `modalities`: it sets the length.
        order = sorted(self.modalities, key=lambda modality: modality != "visual")
        rows: dict[str, Rows] = {}
        for modality in order:
            x, mask = require(inputs, modality, self), inputs.get(f"{modality}_mask")
            mask = jnp.ones(x.shape[:2], bool) if mask is None else mask
            if modality == "acoustic" and rows and self.align == "pad":
                # Frames beyond the common length, most of a 25-minute recording, are not computed.
                steps = rows[order[0]][0].shape[1]
                max_frames = alignment.receptive_field(steps, self.kernels, self.strides)
                x, mask = x[:, :max_frames], mask[:, :max_frames]
            x, mask = networks[modality](masking.zero_padding(x, mask), mask)
            rows[modality] = masking.zero_padding(x, mask), mask
        length = rows[order[0]][0].shape[1]
        if not length:
            frames = inputs[order[0]].shape[1]
            raise ModelError(
                f"{frames} frames of {order[0]} are too few for its alignment network: use longer"
                " recordings or smaller model.kernels"
            )
        align = alignment.resample if self.align == "resample" else alignment.pad
        aligned = align([rows[modality] for modality in order], length)
        by_modality = dict(zip(order, aligned, strict=True))
        x = jnp.stack([by_modality[modality][0] for modality in self.modalities], 2)
        present = jnp.stack([by_modality[modality][1] for modality in self.modalities], 2)
        lead_mask = by_modality[order[0]][1]
        # Without the leading modality, a recording's real steps are those of the other modalities.
        mask = jnp.where(lead_mask.any(1, keepdims=True), lead_mask, present.any(2))
        return Aligned(x, present, mask)

    def _visual(self, x: Sequence, mask: Mask) -> Rows:
        y = Linear(self.features, name="visual_align.proj")(x)
        return nn.relu(LayerNorm(name="visual_align.norm")(y)), mask

    def _acoustic(self, x: Sequence, mask: Mask) -> Rows:
        filters = (*self.filters, self.features)
        settings = zip(filters, self.kernels, self.strides, strict=True)
        for number, (features, kernel, stride) in enumerate(settings):
            name = f"acoustic_align.conv.{number}"
            conv = Conv1d(features, kernel, stride, "valid", name=name)
            x = nn.relu(LayerNorm(name=f"acoustic_align.norm.{number}")(conv(x)))
            mask = conv.mask(mask)
        return x, mask

    def _pose(self, x: Sequence, mask: Mask) -> Rows:
        y = Conv1d(self.features, 1, name="pose_align.conv.0")(x)
        return nn.relu(LayerNorm(name="pose_align.norm.0")(y)), mask

    def _across(self, aligned: Aligned) -> Sequence:
        """FAA: attention over the modalities present in each frame (eq. 1), F [B, L, D]."""
        if not self.faa:
            count = jnp.maximum(aligned.present.sum(2), 1).astype(aligned.x.dtype)
            return aligned.x.sum(2) / count[..., None]
        if self.faa_weights == "shared":
            scores = ScoreNetwork(self.score_hidden, name="faa")(aligned.x)
        else:
            network = lambda modality: ScoreNetwork(self.score_hidden, name=f"faa.{modality}")
            per_modality = [network(m)(aligned.x[:, :, n]) for n, m in enumerate(self.modalities)]
            scores = jnp.stack(per_modality, 2)
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
