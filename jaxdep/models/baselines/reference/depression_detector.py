"""PyTorch reference of the Depression Detector, a Transformer with cross-attention.

After Yoon et al., "D-vlog: Multimodal Vlog Dataset for Depression Detection", AAAI 2022.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from jaxdep.models.baselines.reference.blocks import CrossAttention, ScoreAttention, head
from jaxdep.models.baselines.reference.encoders import EncodedBaseline
from jaxdep.models.baselines.reference.streams import Stream, present
from jaxdep.models.torch_sequences import mean

AGGREGATIONS = ("weighted", "concat")


class CrossLayer(nn.Module):
    """Transformer layer in which one modality attends to the others.

    Args:
      others: Names of the other modalities.
      width: Width d of all modalities.
      heads: Number of attention heads.
      feed_forward: Width F of the feed-forward block.
      dropout: Dropout rate.
    """

    def __init__(
        self, others: Sequence[str], width: int, heads: int, feed_forward: int, dropout: float
    ) -> None:
        super().__init__()
        self.attn = nn.ModuleDict({name: CrossAttention(width, heads) for name in others})
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.linear1 = nn.Linear(width, feed_forward)
        self.linear2 = nn.Linear(feed_forward, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, u: Tensor, others: Mapping[str, Stream]) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns r [B, T, d] and the attention [B, heads, T, S] to each other modality."""
        attended, maps = [], {}
        for name, (source, mask) in others.items():
            c, maps[name] = self.attn[name](u, source, mask)  # (D1), (D2)
            attended.append(c)
        c = torch.stack(attended).sum(0) / len(attended)  # (D3)
        a = self.norm1(u + self.dropout(c))  # (D4)
        hidden = self.dropout(torch.relu(self.linear1(a)))  # (D5)
        return self.norm2(a + self.dropout(self.linear2(hidden))), maps  # (D5)


class DepressionDetector(EncodedBaseline):
    """A Transformer encoder per modality, cross-attention, and a weighted sum of the modalities.

    Args:
      aggregation: "weighted" sums the modalities by learned weights, "concat" concatenates them.
      settings: Arguments of `EncodedBaseline`, input widths included.
    """

    def __init__(self, *, aggregation: str = "weighted", **settings: Any) -> None:
        super().__init__(**settings)
        if aggregation not in AGGREGATIONS:
            raise ValueError(f"aggregation must be one of {AGGREGATIONS}, not {aggregation!r}")
        self.aggregation = aggregation
        hidden, dropout, count = self.hidden, self.dropout.p, len(self.modalities)
        if count > 1:
            self.cross = nn.ModuleDict(
                {
                    name: CrossLayer(
                        self._others(name), hidden, self.heads, self.feed_forward, dropout
                    )
                    for name in self.modalities
                }
            )
        if count > 1 and aggregation == "weighted":
            self.aggregate = ScoreAttention(hidden, hidden)
        width = hidden * count if aggregation == "concat" else hidden
        self.fc = head(width, hidden, self.outputs, dropout)

    def _others(self, name: str) -> list[str]:
        return [other for other in self.modalities if other != name]

    def _crossed(self, streams: Mapping[str, Stream]) -> dict[str, Stream]:
        """Frames r [B, T, d] of each modality after its cross-attention, and their mask."""
        crossed = {}
        for name, (u, mask) in streams.items():
            others = {other: streams[other] for other in self._others(name)}
            r, maps = self.cross[name](u, others)
            crossed[name] = r, mask
            for other, weights in maps.items():
                self.maps[f"cross.{name}.attn.{other}/attention"] = weights.detach()
        return crossed

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns logits [B, classes], or scores [B]."""
        streams = self.encoded(inputs)
        if len(streams) > 1:
            streams = self._crossed(streams)
        g = [mean(r, mask) for r, mask in streams.values()]  # (D6)
        if self.aggregation == "concat" or len(g) == 1:
            z = torch.cat(g, -1)  # (D7)
        else:
            stacked = torch.stack(g, 1)
            real = torch.stack([present(r, mask) for r, mask in streams.values()], 1)
            alpha = self.aggregate(stacked, real)  # (D7)
            self.maps["modality_weights"] = alpha.detach()
            z = (alpha[..., None] * stacked).sum(1)  # (D7)
        return self.output(self.fc(z))  # (D8)
