"""PyTorch reference of FeatureFusion: Fusion_Concat, Fusion_Add and Fusion_Multiply.

After the rows of these names in Yoon et al., "D-vlog: Multimodal Vlog Dataset for Depression
Detection", AAAI 2022.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from jaxdep.models.baselines.reference.blocks import encode, encoder, head, positions
from jaxdep.models.baselines.reference.streams import Baseline, Stream, present
from jaxdep.models.torch_sequences import mean

FUSIONS = ("concat", "add", "multiply")


class EncodedBaseline(Baseline):
    """A network that begins with a Transformer encoder per modality.

    Args:
      modalities: Inputs to read.
      classes: Number of classes; None: a score.
      task: Key of the output.
      hidden: Width d of the encoders.
      layers: Number of layers of each encoder.
      heads: Number of attention heads.
      feed_forward: Width of the feed-forward blocks.
      dropout: Dropout rate.
      widths: Input widths, `<name>_width`.
    """

    def __init__(
        self,
        modalities: Sequence[str],
        classes: int | None,
        task: str,
        hidden: int,
        layers: int,
        heads: int,
        feed_forward: int,
        dropout: float,
        widths: Mapping[str, int],
    ) -> None:
        super().__init__(modalities, classes, task, widths)
        if hidden % heads:
            raise ValueError(f"hidden, {hidden}, must be a multiple of heads, {heads}")
        self.proj = nn.ModuleDict(
            {name: nn.Linear(width, hidden) for name, width in self.widths.items()}
        )
        self.dropout = nn.Dropout(dropout)
        self.encoder = nn.ModuleDict(
            {
                name: encoder(hidden, layers, heads, feed_forward, dropout)
                for name in self.modalities
            }
        )

    def encoded(self, inputs: Mapping[str, Tensor]) -> dict[str, Stream]:
        """Encoded frames u [B, T, d] of each modality and their mask."""
        streams = {}
        for name, (x, mask) in self.read(inputs).items():  # (F1)
            projected = self.proj[name](x)
            p = self.dropout(projected + positions(projected))  # (F2)
            stack = self.encoder[name]
            assert isinstance(stack, nn.TransformerEncoder)
            streams[name] = encode(stack, p, mask), mask  # (F3)
        return streams


class FeatureFusion(EncodedBaseline):
    """A Transformer encoder per modality, means over time, and a plain fusion.

    Args:
      modalities: Inputs to read.
      classes: Number of classes; None: a score.
      task: Key of the output.
      fusion: "concat", "add" or "multiply".
      hidden: Width d of the encoders and of the head.
      layers: Number of layers of each encoder.
      heads: Number of attention heads.
      feed_forward: Width of the feed-forward blocks.
      dropout: Dropout rate.
      widths: Input widths, `<name>_width`.
    """

    def __init__(
        self,
        *,
        modalities: Sequence[str] = ("acoustic", "visual"),
        classes: int | None = 2,
        task: str = "depression",
        fusion: str = "concat",
        hidden: int = 128,
        layers: int = 2,
        heads: int = 4,
        feed_forward: int = 256,
        dropout: float = 0.1,
        **widths: int,
    ) -> None:
        super().__init__(
            modalities, classes, task, hidden, layers, heads, feed_forward, dropout, widths
        )
        if fusion not in FUSIONS:
            raise ValueError(f"fusion must be one of {FUSIONS}, not {fusion!r}")
        self.fusion = fusion
        width = hidden * len(self.modalities) if fusion == "concat" else hidden
        self.fc = head(width, hidden, self.outputs, dropout)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns logits [B, classes], or scores [B]."""
        streams = self.encoded(inputs).values()
        g = [mean(u, mask) for u, mask in streams]  # (F4)
        if self.fusion == "concat":
            z = torch.cat(g, -1)  # (F5)
        elif self.fusion == "add":
            z = torch.stack(g).sum(0)  # (F5)
        else:  # a missing modality is the neutral element of the product
            real = [present(u, mask)[:, None] for u, mask in streams]
            z = torch.stack([torch.where(r, x, 1.0) for r, x in zip(real, g, strict=True)]).prod(0)
        return self.output(self.fc(z))  # (F6)
