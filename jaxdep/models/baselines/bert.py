"""BERT: mean features of each modality, classified by one linear layer."""

from __future__ import annotations

import flax.linen as nn

from jaxdep.models.baselines.head import Prediction, join
from jaxdep.models.baselines.streams import Modality, check_names, frames
from jaxdep.nn import masking
from jaxdep.settings.kinds import Classes, Name, Rate
from jaxdep.types import Inputs, traceable


class BERT(nn.Module):
    """Classifies or scores recordings by a linear layer on the mean features of each modality.

    As AMM (Zhang et al., BIBM 2021, section IV.B) describes its baseline, on frozen features: it is
    BERT only on texts that BERT embedded (readings 1 and 5).

    Inputs: for each modality m, a sequence `m` [B, T_m, D_m] with an optional mask `m_mask`
    [B, T_m], or a vector [B, D_m]. Equation numbers are those of README.md.

    Attributes:
      modalities: names of the inputs.
      classes: number of classes; None: one score per recording.
      task: key of the output.
      dropout: rate before the classifier.
    """

    modalities: tuple[Modality, ...] = ("text", "visual")
    classes: Classes | None = 2
    task: Name = "depression"
    dropout: Rate = traceable(0.2)

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Prediction]:
        """Returns `{task: [B, classes]}` logits, or `{task: [B]}` scores."""
        check_names(self.modalities)
        vectors = [
            masking.masked_mean(*frames(inputs, name, self)) for name in self.modalities
        ]  # eq. 1
        return {self.task: join(vectors, self.classes, self.dropout, train)}  # eq. 2
