"""Words of a recording and their positional embedding."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from jaxdep.models.torch_sequences import zero


def sinusoids(steps: int, features: int) -> Tensor:
    """Fixed positional embedding [steps, features] in float64."""
    position = torch.arange(steps, dtype=torch.float64)[:, None]
    even = torch.arange(0, features, 2, dtype=torch.float64)
    angle = position * torch.exp(-math.log(10000.0) * even / features)  # §3
    table = torch.zeros(steps, features, dtype=torch.float64)
    table[:, 0::2] = angle.sin()  # §3
    table[:, 1::2] = angle.cos()[:, : features // 2]  # §3
    return table


def first_words(x: Tensor, mask: Tensor | None, words: int) -> Tensor:
    """The first `words` steps of [B, L, D]; padded and missing steps are zeros."""
    x = zero(x[:, :words], None if mask is None else mask[:, :words])  # §1
    return F.pad(x, (0, 0, 0, words - x.shape[1]))


def segments(x: Tensor, mask: Tensor | None, words: int) -> Tensor:
    """Means of `words` equal parts of the real steps of each recording, [B, words, D]."""
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
    """Mask [B] of the examples with a real step in every given mask; None without masks."""
    given = [mask.any(1) for mask in masks if mask is not None]
    return torch.stack(given).all(0) if given else None
