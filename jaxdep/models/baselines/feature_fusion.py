"""Fusion_Concat, Fusion_Add and Fusion_Multiply: Transformer encoders and a plain fusion."""

from __future__ import annotations

import functools
import operator
from typing import Literal

import flax.linen as nn
import jax.numpy as jnp

from jaxdep.models.baselines.head import Prediction, classify
from jaxdep.models.baselines.streams import check_names, present
from jaxdep.models.baselines.unimodal import UnimodalEncoders
from jaxdep.nn import masking
from jaxdep.types import Inputs, Vector


class FeatureFusion(UnimodalEncoders):
    """Classifies or scores recordings by concatenated, added or multiplied encodings.

    After the rows Fusion_Concat, Fusion_Add and Fusion_Multiply of Yoon et al., AAAI 2022, see
    README.md; equation numbers are those of README.md. Inputs and the other attributes are those of
    `UnimodalEncoders`.

    Attributes:
      fusion: operation on the modalities' vectors.
    """

    fusion: Literal["concat", "add", "multiply"] = "concat"

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Prediction]:
        """Returns `{task: [B, classes]}` logits, or `{task: [B]}` scores."""
        check_names(self.modalities)
        vectors = [self._vector(inputs, name, train) for name in self.modalities]
        if self.fusion == "concat":
            z = jnp.concatenate(vectors, axis=-1)  # F5
        else:
            operation = operator.add if self.fusion == "add" else operator.mul
            z = functools.reduce(operation, vectors)  # F5
        return {self.task: classify(z, self.hidden, self.classes, self.dropout, train)}  # F6

    def _vector(self, inputs: Inputs, name: str, train: bool) -> Vector:
        """A modality's encoding averaged over time, [B, hidden]; if it is missing, neutral."""
        u, mask = self.encode(inputs, name, train)  # F1 to F3
        g = masking.masked_mean(u, mask)  # F4
        if self.fusion != "multiply":
            return g
        return jnp.where(present(u, mask)[:, None], g, 1)
