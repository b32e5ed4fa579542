"""RCNN: words between their left and right contexts, pooled by the maximum."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp

from jaxdep.models.baselines.head import Prediction, Summary, join
from jaxdep.models.baselines.streams import Modality, check_names, frames
from jaxdep.nn import masking
from jaxdep.nn.linear import Linear
from jaxdep.nn.rnn import LSTM
from jaxdep.settings.kinds import Classes, Name, Rate, Width
from jaxdep.types import Inputs, Mask, Sequence, traceable


class RCNN(nn.Module):
    """Classifies or scores recordings by the maximum over words in their contexts.

    After Lai et al., AAAI 2015. It is RCNN-RoBERTa on texts that RoBERTa embedded (reading 3).

    Inputs: for each modality m, a sequence `m` [B, T_m, D_m] with an optional mask `m_mask`
    [B, T_m], or a vector [B, D_m]. Equation numbers are those of README.md.

    Attributes:
      modalities: names of the inputs.
      classes: number of classes; None: one score per recording.
      task: key of the output.
      hidden: units per direction of the LSTM.
      features: width of a word with its contexts.
      dropout: rate before the classifier.
    """

    modalities: tuple[Modality, ...] = ("text", "visual")
    classes: Classes | None = 2
    task: Name = "depression"
    hidden: Width = 50
    features: Width = 100
    dropout: Rate = traceable(0.2)

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Prediction]:
        """Returns `{task: [B, classes]}` logits, or `{task: [B]}` scores."""
        check_names(self.modalities)
        vectors = [self._encode(name, *frames(inputs, name, self)) for name in self.modalities]
        return {self.task: join(vectors, self.classes, self.dropout, train)}  # eq. 5

    def _encode(self, name: str, x: Sequence, mask: Mask | None) -> Summary:
        """Vector of a modality, [B, features]."""
        states = LSTM(self.hidden, bidirectional=True, name=f"lstm.{name}")(x, mask)
        left, right = jnp.split(states, 2, axis=-1)  # eq. 1
        words = jnp.concatenate([left, x, right], axis=-1)  # eq. 2
        words = jnp.tanh(Linear(self.features, name=f"proj.{name}")(words))  # eq. 3
        return masking.masked_max(words, mask)  # eq. 4
