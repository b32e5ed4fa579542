"""PyTorch reference of RCNN-RoBERTa: frames with their contexts, and the maximum over time.

After Lai et al., "Recurrent Convolutional Neural Networks for Text Classification", AAAI 2015, and
Potamias et al., Neural Computing and Applications 32, 2020.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from jaxdep.models.baselines.reference.blocks import bidirectional, recur
from jaxdep.models.baselines.reference.streams import Baseline, maximum


class RCNN(Baseline):
    """A bidirectional LSTM, a hidden layer and a maximum per modality, and a linear classifier.

    Args:
      modalities: Inputs to read.
      classes: Number of classes; None: a score.
      task: Key of the output.
      hidden: Units h of each direction.
      features: Width f of the hidden layer.
      dropout: Dropout rate before the classifier.
      widths: Input widths, `<name>_width`.
    """

    def __init__(
        self,
        *,
        modalities: Sequence[str] = ("text", "visual"),
        classes: int | None = 2,
        task: str = "depression",
        hidden: int = 50,
        features: int = 100,
        dropout: float = 0.2,
        **widths: int,
    ) -> None:
        super().__init__(modalities, classes, task, widths)
        self.lstm = bidirectional(nn.LSTM, self.widths, hidden)
        self.proj = nn.ModuleDict(
            {name: nn.Linear(width + 2 * hidden, features) for name, width in self.widths.items()}
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(features * len(self.modalities), self.outputs)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns logits [B, classes], or scores [B]."""
        vectors = []
        for name, (x, mask) in self.read(inputs).items():
            left, right = recur(self.lstm, name, x, mask).chunk(2, -1)  # (1)
            g = torch.cat([left, x, right], -1)  # (2)
            y = torch.tanh(self.proj[name](g))  # (3)
            vectors.append(maximum(y, mask))  # (4)
        r = torch.cat(vectors, -1)  # (5)
        return self.output(self.classifier(self.dropout(r)))
