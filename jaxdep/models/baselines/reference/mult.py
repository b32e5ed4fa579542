"""PyTorch reference of MulT, the multimodal Transformer.

After Tsai et al., "Multimodal Transformer for Unaligned Multimodal Language Sequences", ACL 2019.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from jaxdep.models.baselines.reference.blocks import CrossAttention, encode, encoder, positions
from jaxdep.models.baselines.reference.streams import Baseline, Stream, last
from jaxdep.models.torch_sequences import zero


class CrossmodalLayer(nn.Module):
    """Pre-norm Transformer layer whose queries attend to another sequence (4) to (7).

    Args:
      width: Width d of both sequences.
      heads: Number of attention heads.
      dropout: Dropout rate.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = CrossAttention(width, heads)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.linear1 = nn.Linear(width, 4 * width)
        self.linear2 = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, z: Tensor, source: Stream) -> tuple[Tensor, Tensor]:
        """Returns the next Z [B, T, d] and the attention [B, heads, T, S]."""
        z_s, mask = source
        attended, weights = self.attention(self.norm1(z), self.norm1(z_s), mask)  # (4), (5)
        hidden = z + self.dropout(self.out(attended))  # (6)
        inner = self.dropout(torch.relu(self.linear1(self.norm2(hidden))))  # (7)
        return hidden + self.dropout(self.linear2(inner)), weights  # (7)


class Crossmodal(nn.Module):
    """Crossmodal Transformer from one source to one target (4) to (8).

    Args:
      width: Width d of both sequences.
      layers: Number of layers.
      heads: Number of attention heads.
      dropout: Dropout rate.
    """

    def __init__(self, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(CrossmodalLayer(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, target: Tensor, source: Stream) -> tuple[Tensor, list[Tensor]]:
        """Returns Z_{s->t} [B, T, d] and the attention of each layer."""
        z, maps = target, []
        for layer in self.layers:
            z, weights = layer(z, source)
            maps.append(weights)
        return self.norm(z), maps  # (8)


class MulT(Baseline):
    """Crossmodal Transformers between all pairs, then a Transformer per modality.

    Args:
      modalities: Inputs to read.
      classes: Number of classes; None: a score.
      task: Key of the output.
      features: Width d of all modalities.
      cross_layers: Number of layers of each crossmodal Transformer.
      heads: Number of attention heads.
      kernel: Number of taps of the first convolutions, odd.
      memory_layers: Number of layers of the Transformer of each modality.
      dropout: Dropout rate.
      embed_dropout: Dropout rate of the input "text".
      widths: Input widths, `<name>_width`.
    """

    def __init__(
        self,
        *,
        modalities: Sequence[str] = ("text", "visual"),
        classes: int | None = 2,
        task: str = "depression",
        features: int = 40,
        cross_layers: int = 4,
        heads: int = 8,
        kernel: int = 3,
        memory_layers: int = 3,
        dropout: float = 0.1,
        embed_dropout: float = 0.3,
        **widths: int,
    ) -> None:
        super().__init__(modalities, classes, task, widths)
        if features % heads:
            raise ValueError(f"features, {features}, must be a multiple of heads, {heads}")
        if kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, not {kernel}")
        self.conv = nn.ModuleDict(
            {
                name: nn.Conv1d(width, features, kernel, padding=(kernel - 1) // 2)
                for name, width in self.widths.items()
            }
        )
        self.embed_dropout = nn.Dropout(embed_dropout)
        self.dropout = nn.Dropout(dropout)
        self.cross = nn.ModuleDict(
            {
                f"{source}_to_{target}": Crossmodal(features, cross_layers, heads, dropout)
                for target in self.modalities
                for source in self._sources(target)
            }
        )
        count = len(self.modalities)
        width = max(count - 1, 1) * features
        self.memory = nn.ModuleDict(
            {
                name: encoder(width, memory_layers, heads, 4 * width, dropout)
                for name in self.modalities
            }
        )
        self.proj1 = nn.Linear(count * width, count * width)
        self.proj2 = nn.Linear(count * width, count * width)
        self.classifier = nn.Linear(count * width, self.outputs)

    def _sources(self, target: str) -> list[str]:
        return [name for name in self.modalities if name != target]

    def _embed(self, name: str, x: Tensor, mask: Tensor | None) -> Tensor:
        """Z [B, T, d] of one modality."""
        if name == "text":
            x = self.embed_dropout(x)  # (1)
        x = zero(self.conv[name](x.transpose(1, 2)).transpose(1, 2), mask)  # (2)
        return self.dropout(x + positions(x))  # (3)

    def _join(self, target: str, streams: dict[str, Stream]) -> Tensor:
        """C [B, T, w] of one modality: what it reads from the others, or itself if alone."""
        z, _ = streams[target]
        parts = []
        for source in self._sources(target):
            path = f"{source}_to_{target}"
            part, maps = self.cross[path](z, streams[source])
            parts.append(part)
            for i, weights in enumerate(maps):
                self.maps[f"cross.{path}/layers.{i}/attention/attention"] = weights.detach()
        return torch.cat(parts or [z], -1)  # (9)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns logits [B, classes], or scores [B]."""
        streams: dict[str, Stream] = {
            name: (self._embed(name, x, mask), mask)
            for name, (x, mask) in self.read(inputs).items()
        }
        ends = []
        for name, (_, mask) in streams.items():
            stack = self.memory[name]
            assert isinstance(stack, nn.TransformerEncoder)
            encoded = encode(stack, self._join(name, streams), mask)  # (10)
            ends.append(last(encoded, mask))  # (11)
        joint = torch.cat(ends, -1)  # (11)
        inner = self.dropout(torch.relu(self.proj1(joint)))  # (12)
        r = joint + self.proj2(inner)  # (12)
        return self.output(self.classifier(r))  # (13)
