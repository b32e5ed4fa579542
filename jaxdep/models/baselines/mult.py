"""MulT: every modality attends to every other one, and then to itself (Tsai et al., ACL 2019)."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Bool, Float

from jaxdep.errors import ModelError
from jaxdep.models.baselines.head import Prediction, Summary, prediction
from jaxdep.models.baselines.streams import Modality, check_names, frames
from jaxdep.nn import masking, transformer
from jaxdep.nn.attention import CrossAttention, KeyMask, Keys
from jaxdep.nn.convolution import Conv1d
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.settings.kinds import Classes, Kernel, Layers, Name, Rate, Width
from jaxdep.types import Array, Inputs, Mask, Number, Sequence, traceable

Streams = dict[str, tuple[Float[Array, "batch _ feature"], Bool[Array, "batch _"] | None]]
"""Sequence and mask of each modality, of a length of its own."""


class MulT(nn.Module):
    """Classifies or scores recordings by directional crossmodal attention between all modalities.

    Inputs: for each modality m, a sequence `m` [B, T_m, D_m] with an optional mask `m_mask`
    [B, T_m], or a vector [B, D_m]. Equation numbers are those of README.md.

    Attributes:
      modalities: names of the inputs.
      classes: number of classes; None: one score per recording.
      task: key of the output.
      features: common width d of the modalities; a multiple of `heads`.
      cross_layers: layers of each crossmodal transformer.
      memory_layers: layers of the self-attention transformer of each modality.
      heads: number of attention heads.
      kernel: kernel size of the temporal convolutions.
      dropout: rate of the transformers and of the output block.
      embed_dropout: rate of the features of the modality `text`.
    """

    modalities: tuple[Modality, ...] = ("text", "visual")
    classes: Classes | None = 2
    task: Name = "depression"
    features: Width = 40
    cross_layers: Layers = 4
    memory_layers: Layers = 3
    heads: Width = 8
    kernel: Kernel = 3
    dropout: Rate = traceable(0.1)
    embed_dropout: Rate = traceable(0.3)

    def __post_init__(self) -> None:
        """Checks that the heads divide the width."""
        super().__post_init__()
        if self.features % self.heads:
            raise ModelError(f"features={self.features} must be a multiple of heads={self.heads}")

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Prediction]:
        """Returns `{task: [B, classes]}` logits, or `{task: [B]}` scores."""
        check_names(self.modalities)
        streams = {name: self._embed(inputs, name, train) for name in self.modalities}
        last = [self._adapt(name, streams, train) for name in self.modalities]
        joint = jnp.concatenate(last, axis=-1)  # eq. 11
        width = joint.shape[-1]
        hidden = nn.relu(Linear(width, name="proj1")(joint))
        hidden = Dropout(self.dropout, name="drop")(hidden, train)
        joint = joint + Linear(width, name="proj2")(hidden)  # eq. 12
        logits = Linear(self.classes or 1, name="classifier")(joint)  # eq. 13
        return {self.task: prediction(logits, self.classes)}

    def _embed(self, inputs: Inputs, name: str, train: bool) -> tuple[Sequence, Mask | None]:
        """Low-level sequence Z_m [B, T_m, d] of a modality, and its mask."""
        x, mask = frames(inputs, name, self)
        if name == "text":
            x = Dropout(self.embed_dropout, name="embed_drop")(x, train)  # eq. 1
        x = Conv1d(self.features, self.kernel, name=f"conv.{name}")(x)
        x = masking.zero_padding(x, mask)  # eq. 2
        positions = jnp.asarray(transformer.sinusoids(x.shape[1], self.features), x.dtype)
        return Dropout(self.dropout, name=f"drop.{name}")(x + positions[None], train), mask  # eq. 3

    def _adapt(self, target: str, streams: Streams, train: bool) -> Summary:
        """Last element of a modality's sequence, adapted to all others, [B, w]."""
        z, mask = streams[target]
        adapted = [
            _Crossmodal(
                self.cross_layers, self.heads, self.dropout, name=f"cross.{source}_to_{target}"
            )(z, *streams[source], train)
            for source in self.modalities
            if source != target
        ]  # eq. 4-8
        c = jnp.concatenate(adapted or [z], axis=-1)  # eq. 9
        memory = transformer.Encoder(
            self.memory_layers, self.heads, 4 * c.shape[-1], self.dropout, name=f"memory.{target}"
        )
        return masking.last(memory(c, mask, train), mask)  # eq. 10-11


class _Crossmodal(nn.Module):
    """Crossmodal transformer: in every layer, a target attends to the source's sequence Z."""

    layers: int
    heads: int
    dropout: Number

    @nn.compact
    def __call__(self, z: Sequence, source: Keys, mask: KeyMask | None, train: bool) -> Sequence:
        for number in range(self.layers):
            layer = _Layer(self.heads, self.dropout, name=f"layers.{number}")
            z = layer(z, source, mask, train)
        return LayerNorm(name="norm")(z)  # eq. 8


class _Layer(nn.Module):
    """Layer of a crossmodal transformer, with pre-normalisation."""

    heads: int
    dropout: Number

    @nn.compact
    def __call__(self, z: Sequence, source: Keys, mask: KeyMask | None, train: bool) -> Sequence:
        width = z.shape[-1]
        drop = lambda y, name: Dropout(self.dropout, name=name)(y, train)
        norm = LayerNorm(name="norm1")  # of both sides (reading 2)
        attention = CrossAttention(width, self.heads, name="attention")
        attended = attention(norm(z), norm(source), mask)  # eq. 4-5
        z = z + drop(Linear(width, name="out")(attended), "dropout1")  # eq. 6
        hidden = nn.relu(Linear(4 * width, name="linear1")(LayerNorm(name="norm2")(z)))
        outputs = Linear(width, name="linear2")(drop(hidden, "dropout2"))
        return z + drop(outputs, "dropout3")  # eq. 7
