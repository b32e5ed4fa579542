"""Depression Detector: cross-attention between Transformer encodings (Yoon et al., AAAI 2022)."""

from __future__ import annotations

from typing import Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Bool, Float

from jaxdep.models.baselines.head import Prediction, classify
from jaxdep.models.baselines.streams import check_names, present
from jaxdep.models.baselines.unimodal import UnimodalEncoders
from jaxdep.nn import masking
from jaxdep.nn.attention import CrossAttention, ScoreAttention
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.linear import Linear
from jaxdep.nn.normalization import LayerNorm
from jaxdep.types import Array, Encoding, Inputs, Vector

Stream = tuple[Float[Array, "batch _ hidden"], Bool[Array, "batch _"] | None]
"""Encoded frames [B, T, hidden] and their mask [B, T], each stream with its own length T."""


class DepressionDetector(UnimodalEncoders):
    """Classifies or scores recordings by cross-attention between the modalities' encodings.

    After Yoon et al., AAAI 2022, see README.md; equation numbers are those of README.md. Inputs and
    the other attributes are those of `UnimodalEncoders`. A single modality is encoded and averaged
    without cross-attention and aggregation.

    Attributes:
      aggregation: how the modalities' vectors become one: a sum with learned weights, sown as
        `modality_weights` [B, M], or their concatenation.
    """

    aggregation: Literal["weighted", "concat"] = "weighted"

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Prediction]:
        """Returns `{task: [B, classes]}` logits, or `{task: [B]}` scores."""
        check_names(self.modalities)
        streams = {name: self.encode(inputs, name, train) for name in self.modalities}  # F1 to F3
        if len(streams) == 1:
            z = masking.masked_mean(*streams[self.modalities[0]])
        else:
            vectors = []
            for name, (u, mask) in streams.items():
                others = {other: stream for other, stream in streams.items() if other != name}
                r = self._attend(u, others, f"cross.{name}", train)  # D1 to D5
                vectors.append(masking.masked_mean(r, mask))  # D6
            real = [present(*stream) for stream in streams.values()]
            z = self._aggregate(jnp.stack(vectors, 1), jnp.stack(real, 1))  # D7
        return {self.task: classify(z, self.hidden, self.classes, self.dropout, train)}  # D8

    def _attend(self, u: Encoding, others: dict[str, Stream], path: str, train: bool) -> Encoding:
        """A Transformer encoder layer that attends from a modality to the frames of the others.

        Args:
          u: the modality's frames [B, T, hidden].
          others: frames [B, S, hidden] of each other modality by name, and their mask [B, S].
          path: prefix of the parameters' names.
          train: whether to drop.

        Returns:
          [B, T, hidden].
        """
        drop = lambda y, name: Dropout(self.dropout, name=f"{path}.{name}")(y, train)
        attended = [
            CrossAttention(self.hidden, self.heads, name=f"{path}.attn.{name}")(u, *other)
            for name, other in others.items()
        ]  # D1, D2
        c = sum(attended[1:], attended[0]) / len(attended)  # D3
        a = LayerNorm(name=f"{path}.norm1")(u + drop(c, "dropout1"))  # D4
        hidden = nn.relu(Linear(self.feed_forward, name=f"{path}.linear1")(a))
        y = Linear(self.hidden, name=f"{path}.linear2")(drop(hidden, "dropout"))
        return LayerNorm(name=f"{path}.norm2")(a + drop(y, "dropout2"))  # D5

    def _aggregate(
        self, vectors: Float[Array, "batch modality hidden"], real: Bool[Array, "batch modality"]
    ) -> Vector:
        """Combines the modalities' vectors into one; those that are missing get no weight."""
        if self.aggregation == "concat":
            return vectors.reshape(vectors.shape[0], -1)
        alpha = ScoreAttention(self.hidden, name="aggregate")(vectors, real)
        self.sow("intermediates", "modality_weights", alpha)
        return jnp.einsum("bm,bmd->bd", alpha, vectors)
