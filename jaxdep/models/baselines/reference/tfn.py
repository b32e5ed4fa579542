"""PyTorch reference of TFN, the tensor fusion network.

After Zadeh et al., "Tensor Fusion Network for Multimodal Sentiment Analysis", EMNLP 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaxdep.models.baselines.reference.streams import Baseline
from jaxdep.models.torch_sequences import mean


def hidden_layers(widths: Sequence[int], dropout: float) -> list[nn.Module]:
    """Linear, ReLU and dropout from each width to the next."""
    modules: list[nn.Module] = []
    for width, features in pairwise(widths):
        modules += [nn.Linear(width, features), nn.ReLU(), nn.Dropout(dropout)]
    return modules


class TFN(Baseline):
    """Outer product of one vector per modality, and three linear layers.

    Args:
      modalities: Inputs to read, in the order of the outer product.
      classes: Number of classes; None: a score.
      task: Key of the output.
      hidden: Width h of the vector of each modality.
      post: Width F of the layers after the outer product.
      dropout: Dropout rate after each hidden layer.
      widths: Input widths, `<name>_width`.
    """

    def __init__(
        self,
        *,
        modalities: Sequence[str] = ("acoustic", "visual"),
        classes: int | None = 2,
        task: str = "depression",
        hidden: int = 32,
        post: int = 128,
        dropout: float = 0.15,
        **widths: int,
    ) -> None:
        super().__init__(modalities, classes, task, widths)
        self.net = nn.ModuleDict(
            {
                name: nn.Sequential(*hidden_layers([width, hidden, hidden, hidden], dropout))
                for name, width in self.widths.items()
            }
        )
        product = (hidden + 1) ** len(self.modalities)
        self.fc = nn.Sequential(
            *hidden_layers([product, post, post], dropout), nn.Linear(post, self.outputs)
        )

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Returns logits [B, classes], or scores [B]."""
        factors = []
        for name, (x, mask) in self.read(inputs).items():
            z = self.net[name](mean(x, mask))  # (T1), (T2)
            factors.append(functional.pad(z, (0, 1), value=1.0))  # (T3)
        v = reduce(lambda a, b: torch.einsum("bi,bj->bij", a, b).flatten(1), factors)  # (T4), (T5)
        return self.output(self.fc(v))  # (T6), (T7)
