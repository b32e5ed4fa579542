"""Multi-modal DCNN: a shallow CNN for texts, a deep one for other modalities."""

from __future__ import annotations

import flax.linen as nn

from jaxdep.models.baselines.head import Prediction, Summary, join
from jaxdep.models.baselines.streams import Modality, check_names, frames
from jaxdep.nn import masking
from jaxdep.nn.convolution import Conv1d
from jaxdep.nn.linear import Linear
from jaxdep.settings.kinds import Classes, Kernel, Layers, Name, Rate, Width
from jaxdep.types import Inputs, Mask, Sequence, traceable


class DCNN(nn.Module):
    """Classifies or scores recordings by one convolutional network per modality.

    As AMM (Zhang et al., BIBM 2021, section IV.B) describes its baseline.

    Inputs: for each modality m, a sequence `m` [B, T_m, D_m] with an optional mask `m_mask`
    [B, T_m], or a vector [B, D_m]. Equation numbers are those of README.md.

    Attributes:
      modalities: names of the inputs.
      classes: number of classes; None: one score per recording.
      task: key of the output.
      channels: channels of every convolution.
      kernel: kernel size of every convolution.
      features: width of the fully connected layer of each modality.
      text_layers: convolutions of the modality `text`.
      visual_layers: convolutions of every other modality.
      dropout: rate before the classifier.
    """

    modalities: tuple[Modality, ...] = ("text", "visual")
    classes: Classes | None = 2
    task: Name = "depression"
    channels: Width = 128
    kernel: Kernel = 3
    features: Width = 128
    text_layers: Layers = 2
    visual_layers: Layers = 6
    dropout: Rate = traceable(0.2)

    @nn.compact
    def __call__(self, inputs: Inputs, train: bool = False) -> dict[str, Prediction]:
        """Returns `{task: [B, classes]}` logits, or `{task: [B]}` scores."""
        check_names(self.modalities)
        vectors = [self._encode(name, *frames(inputs, name, self)) for name in self.modalities]
        return {self.task: join(vectors, self.classes, self.dropout, train)}  # eq. 5

    def _encode(self, name: str, x: Sequence, mask: Mask | None) -> Summary:
        """Vector of a modality, [B, features]."""
        layers = self.text_layers if name == "text" else self.visual_layers
        for number in range(layers):
            x = Conv1d(self.channels, self.kernel, name=f"conv.{name}.{number}")(x)
            x = masking.zero_padding(nn.relu(x), mask)  # eq. 2
        pooled = masking.masked_max(x, mask)  # eq. 3
        return nn.relu(Linear(self.features, name=f"fc.{name}")(pooled))  # eq. 4
