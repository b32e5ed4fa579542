"""PyTorch reference of HAN, the hierarchical attention network.

After Yang et al., "Hierarchical Attention Networks for Document Classification", NAACL 2016.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaxdep.models.baselines.reference.blocks import ScoreAttention, bidirectional, recur
from jaxdep.models.baselines.reference.streams import Baseline, Stream


def segmented(x: Tensor, mask: Tensor | None, size: int) -> Stream:
    """Splits frames [B, T, D] into segments [B, S, size, D]; the last is filled with padding."""
    length = x.shape[1]
    missing = max(1, -(-length // size)) * size - length
    if missing and mask is None:
        mask = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
    if mask is not None:
        mask = functional.pad(mask, (0, missing)).unflatten(1, (-1, size))
    return functional.pad(x, (0, 0, 0, missing)).unflatten(1, (-1, size)), mask


class HAN(Baseline):
    """GRU and attention over the words of segments, then over the segments, per modality.

    Args:
      modalities: Inputs to read.
      classes: Number of classes; None: a score.
      task: Key of the output.
      hidden: Units h of each direction of the GRUs.
      attention: Width a of the hidden layers of the attention.
      segment: Number of frames w of a segment.
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
        attention: int = 100,
        segment: int = 8,
        dropout: float = 0.2,
        **widths: int,
    ) -> None:
        super().__init__(modalities, classes, task, widths)
        self.segment = segment

        def attentions() -> nn.ModuleDict:
            return nn.ModuleDict(
                {name: ScoreAttention(2 * hidden, attention) for name in self.modalities}
            )

        self.word_gru = bidirectional(nn.GRU, self.widths, hidden)
        self.word_attention = attentions()
        sentences = dict.fromkeys(self.modalities, 2 * hidden)
        self.sentence_gru = bidirectional(nn.GRU, sentences, hidden)
        self.sentence_attention = attentions()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * hidden * len(self.modalities), self.outputs)

    def _pool(self, level: str, name: str, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Sums steps [N, T, D] to [N, 2h]; also returns their weights [N, T]."""
        attention = getattr(self, f"{level}_attention")[name]
        h = recur(getattr(self, f"{level}_gru"), name, x, mask)  # (2), (6)
        alpha = attention(h, mask)  # (3), (4), (7), (8)
        return (alpha[..., None] * h).sum(1), alpha  # (5), (9)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns logits [B, classes], or scores [B]."""
        vectors = []
        for name, stream in self.read(inputs).items():
            x, mask = segmented(*stream, self.segment)  # (1)
            shape = x.shape[:2]
            words = None if mask is None else mask.flatten(0, 1)
            s, alpha = self._pool("word", name, x.flatten(0, 1), words)
            self.maps[f"alpha_word_{name}"] = alpha.unflatten(0, shape).detach()
            sentences = None if mask is None else mask.any(-1)
            v, alpha = self._pool("sentence", name, s.unflatten(0, shape), sentences)
            self.maps[f"alpha_sentence_{name}"] = alpha.detach()
            vectors.append(v)
        r = torch.cat(vectors, -1)  # (10)
        return self.output(self.classifier(self.dropout(r)))
