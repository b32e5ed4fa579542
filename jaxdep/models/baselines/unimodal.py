"""Unimodal Transformer encoders, which FeatureFusion and DepressionDetector have in common."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp

from jaxdep.models.baselines.streams import Modality, frames
from jaxdep.nn.dropout import Dropout
from jaxdep.nn.linear import Linear
from jaxdep.nn.transformer import Encoder, sinusoids
from jaxdep.settings.kinds import Classes, Layers, Rate, Width
from jaxdep.types import Encoding, Inputs, Mask, traceable


class UnimodalEncoders(nn.Module):
    """Base class of networks that encode each modality by a Transformer of its own.

    Inputs: for each modality m, a sequence `m` [B, T_m, D_m] with an optional mask `m_mask`
    [B, T_m], or a vector [B, D_m].

    Attributes:
      modalities: names of the inputs.
      classes: number of classes; None: one score per recording.
      task: key of the output.
      hidden: width of the encoders and of the hidden layer of the output; a multiple of `heads`.
      layers: number of encoder layers.
      heads: number of attention heads.
      feed_forward: hidden width of the feed-forward blocks.
      dropout: rate of all dropouts.
    """

    modalities: tuple[Modality, ...] = ("acoustic", "visual")
    classes: Classes | None = 2
    task: str = "depression"
    hidden: Width = 128
    layers: Layers = 2
    heads: Width = 4
    feed_forward: Width = 256
    dropout: Rate = traceable(0.1)

    def encode(self, inputs: Inputs, name: str, train: bool) -> tuple[Encoding, Mask | None]:
        """Projects a modality's frames, adds positions and encodes them.

        Returns:
          Encoded frames [B, T, hidden], of no meaning at padding, and their mask.
        """
        x, mask = frames(inputs, name, self)  # F1
        projected = Linear(self.hidden, name=f"proj.{name}")(x)
        positions = jnp.asarray(sinusoids(x.shape[1], self.hidden), projected.dtype)
        dropout = Dropout(self.dropout, name=f"dropout.{name}")
        placed = dropout(projected + positions[None], train)  # F2
        sizes = (self.layers, self.heads, self.feed_forward)
        encoder = Encoder(*sizes, self.dropout, name=f"encoder.{name}")
        return encoder(placed, mask, train), mask  # F3
