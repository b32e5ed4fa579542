"""PyTorch reference of BLSTM: a bidirectional LSTM per modality, averaged over time.

After Yin et al., "A Multi-Modal Hierarchical Recurrent Neural Network for Depression Detection",
AVEC 2019, and Graves and Schmidhuber, Neural Networks 18, 2005.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from jaxdep.models.baselines.reference.blocks import bidirectional, head, recur
from jaxdep.models.baselines.reference.streams import Baseline
from jaxdep.models.torch_sequences import mean


class BLSTM(Baseline):
    """Bidirectional LSTMs, means over time, concatenation, and two linear layers.

    Args:
      modalities: Inputs to read.
      classes: Number of classes; None: a score.
      task: Key of the output.
      hidden: Units H of each direction, and width of the head.
      layers: Number of LSTM layers.
      dropout: Dropout rate between the layers and in the head.
      widths: Input widths, `<name>_width`.
    """

    def __init__(
        self,
        *,
        modalities: Sequence[str] = ("acoustic", "visual"),
        classes: int | None = 2,
        task: str = "depression",
        hidden: int = 128,
        layers: int = 1,
        dropout: float = 0.1,
        **widths: int,
    ) -> None:
        super().__init__(modalities, classes, task, widths)
        self.lstm = bidirectional(nn.LSTM, self.widths, hidden, layers, dropout)
        self.fc = head(2 * hidden * len(self.modalities), hidden, self.outputs, dropout)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns logits [B, classes], or scores [B]."""
        vectors = []
        for name, (x, mask) in self.read(inputs).items():  # (B1)
            vectors.append(mean(recur(self.lstm, name, x, mask), mask))  # (B2), (B3)
        return self.output(self.fc(torch.cat(vectors, -1)))  # (B4), (B5)
