"""PyTorch reference of the multi-modal DCNN: convolutions per modality, joined by a classifier.

After its description in Zhang et al., BIBM 2021, Section IV.B; nearest publications: Cai and Xia,
NLPCC 2015, and Yu et al., Algorithms 9(2):41, 2016.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from jaxdep.models.baselines.reference.streams import Baseline, maximum
from jaxdep.models.torch_sequences import zero


class DCNN(Baseline):
    """A shallow convolutional network for text, deep ones for the rest, and a linear classifier.

    Args:
      modalities: Inputs to read.
      classes: Number of classes; None: a score.
      task: Key of the output.
      channels: Channels c of all convolutions.
      kernel: Number of taps k, odd.
      features: Width f of the vector of each modality.
      text_layers: Number of convolutions of the modality "text".
      visual_layers: Number of convolutions of all other modalities.
      dropout: Dropout rate before the classifier.
      widths: Input widths, `<name>_width`.
    """

    def __init__(
        self,
        *,
        modalities: Sequence[str] = ("text", "visual"),
        classes: int | None = 2,
        task: str = "depression",
        channels: int = 128,
        kernel: int = 3,
        features: int = 128,
        text_layers: int = 2,
        visual_layers: int = 6,
        dropout: float = 0.2,
        **widths: int,
    ) -> None:
        super().__init__(modalities, classes, task, widths)
        if kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, not {kernel}")

        def convolutions(width: int, layers: int) -> nn.ModuleList:
            return nn.ModuleList(
                nn.Conv1d(channels if i else width, channels, kernel, padding=(kernel - 1) // 2)
                for i in range(layers)
            )

        self.conv = nn.ModuleDict(
            {
                name: convolutions(width, text_layers if name == "text" else visual_layers)
                for name, width in self.widths.items()
            }
        )
        self.fc = nn.ModuleDict({name: nn.Linear(channels, features) for name in self.modalities})
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(features * len(self.modalities), self.outputs)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns logits [B, classes], or scores [B]."""
        vectors = []
        for name, (x, mask) in self.read(inputs).items():
            y = x  # (1)
            convolutions = self.conv[name]
            assert isinstance(convolutions, nn.ModuleList)
            for conv in convolutions:
                y = zero(torch.relu(conv(y.transpose(1, 2)).transpose(1, 2)), mask)  # (2)
            p = maximum(y, mask)  # (3)
            vectors.append(torch.relu(self.fc[name](p)))  # (4)
        r = torch.cat(vectors, -1)  # (5)
        return self.output(self.classifier(self.dropout(r)))
