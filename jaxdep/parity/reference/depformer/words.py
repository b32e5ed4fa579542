"""Words, and positions, of a recording."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from jaxdep.parity.reference.sequences import zero


def sinusoids(steps: int, features: int) -> Tensor:
    """Fixed position embedding [steps, features] in float64."""
    position = torch.arange(steps, dtype=torch.float64)[:, None]
    even = torch.arange(0, features, 2, dtype=torch.float64)
    angle = position * torch.exp(-math.log(10000.0) * even / features)  # A3
    table = torch.zeros(steps, features, dtype=torch.float64)
    table[:, 0::2] = angle.sin()  # A3
    table[:, 1::2] = angle.cos()[:, : features // 2]  # A3
    return table


def first_words(x: Tensor, mask: Tensor | None, words: int) -> Tensor:
    """The first `words` steps of [B, L, D]; padded and missing ones are zeros."""
    x = zero(x[:, :words], None if mask is None else mask[:, :words])  # A12
    return F.pad(x, (0, 0, 0, words - x.shape[1]))


def segments(x: Tensor, mask: Tensor | None, words: int) -> Tensor:
    """Means over `words` equal parts of the real steps of every recording, [B, words, D]."""
    if mask is None:
        mask = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
    rows = [steps[real] for steps, real in zip(x, mask, strict=True)]
    pooled = [
        F.adaptive_avg_pool1d(row.T[None], words)[0].T
        if len(row)
        else x.new_zeros(words, x.shape[2])
        for row in rows
    ]
    return torch.stack(pooled)


def real_examples(masks: Sequence[Tensor | None]) -> Tensor | None:
    """Examples [B] with a real step in every mask that is given; None where no mask is."""
    given = [mask.any(1) for mask in masks if mask is not None]
    return torch.stack(given).all(0) if given else None
