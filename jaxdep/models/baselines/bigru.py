"""BiGRU: the final states of a bidirectional GRU per modality."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp

from jaxdep.models.baselines.head import Prediction, Summary, join
from jaxdep.models.baselines.streams import Modality, check_names, frames
from jaxdep.nn import masking
from jaxdep.nn.rnn import GRU
from jaxdep.settings.kinds import Classes, Name, Rate, Width
from jaxdep.types import Inputs, Mask, Sequence, traceable


class BiGRU(nn.Module):
    """Classifies or scores recordings by the final states of one bidirectional GRU per modality.

    Inputs: for each modality m, a sequence `m` [B, T_m, D_m] with an optional mask `m_mask`
    [B, T_m], or a vector [B, D_m]. Equation numbers are those of README.md.

    Attributes:
      modalities: names of the inputs.
      classes: number of classes; None: one score per recording.
      task: key of the output.
      hidden: units per direction.
      dropout: rate before the classifier.
    """

    modalities: tuple[Modality, ...] = ("text", "visual")
    classes: Classes | None = 2
    task: Name = "depression"
    hidden: Width = 128
    dropout: Rate = traceable(0.2)

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Prediction]:
        """Returns `{task: [B, classes]}` logits, or `{task: [B]}` scores."""
        check_names(self.modalities)
        vectors = [self._encode(name, *frames(inputs, name, self)) for name in self.modalities]
        return {self.task: join(vectors, self.classes, self.dropout, train)}  # eq. 3

    def _encode(self, name: str, x: Sequence, mask: Mask | None) -> Summary:
        """Final states of both directions, [B, 2 hidden]."""
        states = GRU(self.hidden, bidirectional=True, name=f"gru.{name}")(x, mask)  # eq. 1
        forward, backward = jnp.split(states, 2, axis=-1)
        final = [masking.last(forward, mask), masking.first(backward, mask)]
        return jnp.concatenate(final, axis=-1)  # eq. 2
