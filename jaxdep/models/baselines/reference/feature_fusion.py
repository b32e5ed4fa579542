"""PyTorch reference of FeatureFusion: Fusion_Concat, Fusion_Add and Fusion_Multiply.

After the rows of these names in Yoon et al., "D-vlog: Multimodal Vlog Dataset for Depression
Detection", AAAI 2022.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jaxdep.models.baselines.reference.blocks import head
from jaxdep.models.baselines.reference.encoders import EncodedBaseline
from jaxdep.models.baselines.reference.streams import present
from jaxdep.models.torch_sequences import mean

FUSIONS = ("concat", "add", "multiply")


class FeatureFusion(EncodedBaseline):
    """A Transformer encoder per modality, means over time, and a plain fusion.

    Args:
      fusion: "concat", "add" or "multiply".
      settings: Arguments of `EncodedBaseline`, input widths included.
    """

    def __init__(self, *, fusion: str = "concat", **settings: Any) -> None:
        super().__init__(**settings)
        if fusion not in FUSIONS:
            raise ValueError(f"fusion must be one of {FUSIONS}, not {fusion!r}")
        self.fusion = fusion
        width = self.hidden * len(self.modalities) if fusion == "concat" else self.hidden
        self.fc = head(width, self.hidden, self.outputs, self.dropout.p)

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
