"""The same in PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jaxdep.models.torch_sequences import mean, zero


class Toy(nn.Module):
    """As `toy_depression.model.Toy`."""

    def __init__(self, hidden: int, acoustic_width: int, visual_width: int) -> None:
        super().__init__()
        self.fc = nn.Linear(acoustic_width + visual_width, hidden)
        self.head = nn.Linear(hidden, 2)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Logits."""
        means = []
        for name in ("acoustic", "visual"):
            x, mask = inputs[name], inputs.get(f"{name}_mask")
            means.append(mean(zero(x, mask), mask))
        return {"depression": self.head(self.fc(torch.cat(means, -1)).relu())}
