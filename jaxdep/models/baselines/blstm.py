"""BLSTM: a bidirectional LSTM per modality, averaged over time and concatenated."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp

from jaxdep.models.baselines.head import Prediction, classify
from jaxdep.models.baselines.streams import Modality, check_names, frames
from jaxdep.nn import masking
from jaxdep.nn.rnn import LSTM
from jaxdep.settings.kinds import Classes, Layers, Rate, Width
from jaxdep.types import Inputs, traceable


class BLSTM(nn.Module):
    """Classifies or scores recordings by one bidirectional LSTM per modality.

    After Yin et al., AVEC 2019, see README.md; equation numbers are those of README.md.

    Inputs: for each modality m, a sequence `m` [B, T_m, D_m] with an optional mask `m_mask`
    [B, T_m], or a vector [B, D_m].

    Attributes:
      modalities: names of the inputs.
      classes: number of classes; None: one score per recording.
      task: key of the output.
      hidden: units per direction, and width of the hidden layer of the output.
      layers: number of stacked LSTM layers.
      dropout: rate between the LSTM layers and before the output layer.
    """

    modalities: tuple[Modality, ...] = ("acoustic", "visual")
    classes: Classes | None = 2
    task: str = "depression"
    hidden: Width = 128
    layers: Layers = 1
    dropout: Rate = traceable(0.1)

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Prediction]:
        """Returns `{task: [B, classes]}` logits, or `{task: [B]}` scores."""
        check_names(self.modalities)
        vectors = []
        for name in self.modalities:
            x, mask = frames(inputs, name, self)  # B1
            lstm = LSTM(
                self.hidden,
                self.layers,
                bidirectional=True,
                dropout=self.dropout,
                name=f"lstm.{name}",
            )
            vectors.append(masking.masked_mean(lstm(x, mask, train), mask))  # B2, B3
        z = jnp.concatenate(vectors, axis=-1)  # B4
        return {self.task: classify(z, self.hidden, self.classes, self.dropout, train)}  # B5
