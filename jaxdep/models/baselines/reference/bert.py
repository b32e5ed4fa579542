"""PyTorch reference of the BERT baseline: means of stored embeddings, joined by a classifier.

After the description of BERT (Devlin et al., NAACL 2019) as a baseline in Zhang et al., BIBM 2021,
Section IV.B.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from jaxdep.models.baselines.reference.streams import Baseline
from jaxdep.models.torch_sequences import mean


class BERT(Baseline):
    """Mean of the frames of each modality, and a linear classifier.

    Args:
      modalities: Inputs to read.
      classes: Number of classes; None: a score.
      task: Key of the output.
      dropout: Dropout rate before the classifier.
      widths: Input widths, `<name>_width`.
    """

    def __init__(
        self,
        *,
        modalities: Sequence[str] = ("text", "visual"),
        classes: int | None = 2,
        task: str = "depression",
        dropout: float = 0.2,
        **widths: int,
    ) -> None:
        super().__init__(modalities, classes, task, widths)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(sum(self.widths.values()), self.outputs)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns logits [B, classes], or scores [B]."""
        r = torch.cat([mean(x, mask) for x, mask in self.read(inputs).values()], -1)  # (1), (2)
        return self.output(self.classifier(self.dropout(r)))
