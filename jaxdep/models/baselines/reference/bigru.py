"""PyTorch reference of BiGRU: the final states of a bidirectional GRU per modality.

After Cho et al., EMNLP 2014, and Schuster and Paliwal, IEEE TSP 1997; a row of Table III of Zhang
et al., BIBM 2021.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from jaxdep.models.baselines.reference.blocks import bidirectional, recur
from jaxdep.models.baselines.reference.streams import Baseline, first, last


class BiGRU(Baseline):
    """Final states of both directions of a GRU per modality, and a linear classifier.

    Args:
      modalities: Inputs to read.
      classes: Number of classes; None: a score.
      task: Key of the output.
      hidden: Units h of each direction.
      dropout: Dropout rate before the classifier.
      widths: Input widths, `<name>_width`.
    """

    def __init__(
        self,
        *,
        modalities: Sequence[str] = ("text", "visual"),
        classes: int | None = 2,
        task: str = "depression",
        hidden: int = 128,
        dropout: float = 0.2,
        **widths: int,
    ) -> None:
        super().__init__(modalities, classes, task, widths)
        self.gru = bidirectional(nn.GRU, self.widths, hidden)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * hidden * len(self.modalities), self.outputs)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns logits [B, classes], or scores [B]."""
        states = []
        for name, (x, mask) in self.read(inputs).items():
            forward, backward = recur(self.gru, name, x, mask).chunk(2, -1)  # (1)
            states += [last(forward, mask), first(backward, mask)]  # (2)
        r = torch.cat(states, -1)  # (3)
        return self.output(self.classifier(self.dropout(r)))
