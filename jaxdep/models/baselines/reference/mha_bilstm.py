"""PyTorch reference of MHA-BiLSTM: several attention distributions over the states of an LSTM.

After Kumar et al., "Sarcasm Detection Using Multi-Head Attention Based Bidirectional LSTM", IEEE
Access 8, 2020, and Lin et al., "A Structured Self-Attentive Sentence Embedding", ICLR 2017.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from jaxdep.models.baselines.reference.blocks import bidirectional, recur
from jaxdep.models.baselines.reference.streams import Baseline
from jaxdep.models.torch_sequences import softmax


class Heads(nn.Module):
    """Attention weights over steps by several heads, W_2 tanh(W_1 h).

    Args:
      width: Width of the steps.
      features: Width a of the hidden layer.
      heads: Number of heads n.
    """

    def __init__(self, width: int, features: int, heads: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, features, bias=False)
        self.score = nn.Linear(features, heads, bias=False)

    def forward(self, h: Tensor, mask: Tensor | None) -> Tensor:
        """Weights [B, n, T] of steps [B, T, width]."""
        scores = self.score(torch.tanh(self.proj(h))).transpose(1, 2)
        return softmax(scores, None if mask is None else mask[:, None, :])


class MHABiLSTM(Baseline):
    """A bidirectional LSTM per modality, summed over time by each head, and a linear classifier.

    Args:
      modalities: Inputs to read.
      classes: Number of classes; None: a score.
      task: Key of the output.
      hidden: Units h of each direction.
      attention: Width a of the hidden layer of the attention.
      heads: Number of heads n.
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
        attention: int = 128,
        heads: int = 8,
        dropout: float = 0.2,
        **widths: int,
    ) -> None:
        super().__init__(modalities, classes, task, widths)
        self.lstm = bidirectional(nn.LSTM, self.widths, hidden)
        self.heads = {name: Heads(2 * hidden, attention, heads) for name in self.modalities}
        # The weights are named `attention.*`, but the attribute `attention` holds the maps.
        self._modules["attention"] = nn.ModuleDict(self.heads)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * hidden * heads * len(self.modalities), self.outputs)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns logits [B, classes], or scores [B]."""
        vectors = []
        for name, (x, mask) in self.read(inputs).items():
            h = recur(self.lstm, name, x, mask)  # (1)
            a = self.heads[name](h, mask)  # (2)
            self.maps[f"attention_{name}"] = a.detach()
            vectors.append((a @ h).flatten(1))  # (3), (4)
        r = torch.cat(vectors, -1)  # (5)
        return self.output(self.classifier(self.dropout(r)))
