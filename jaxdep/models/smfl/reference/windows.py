"""Frame windows of the sentences of an interview."""

from __future__ import annotations

import torch
from torch import Tensor

from jaxdep.models.torch_sequences import zero

COLUMNS = {"acoustic": 0, "visual": 2, "text": 4}


def lengths(inputs: dict[str, Tensor], modality: str) -> Tensor:
    """Number of real frames of each recording [B]."""
    x = inputs[modality]
    mask = inputs.get(f"{modality}_mask")
    if mask is None:
        return torch.full(x.shape[:1], x.shape[1], device=x.device)
    return mask.sum(1)


def windows(inputs: dict[str, Tensor], modality: str, limit: int) -> tuple[Tensor, Tensor]:
    """First frame of each sentence and frame after its last, [B, S] each.

    Windows are clipped to the real frames. Windows of padded sentences are empty, and sentences
    beyond `limit` are dropped.
    """
    table = inputs["sentences"][:, :limit]
    column, count = COLUMNS[modality], lengths(inputs, modality)[:, None]
    first = table[..., column].clamp(min=0).minimum(count)
    end = table[..., column + 1].clamp(min=0).minimum(count)
    real = inputs.get("sentences_mask")
    if real is not None:
        first, end = (v.masked_fill(~real[:, :limit], 0) for v in (first, end))
    return first, end.maximum(first)


def joined(first: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """One window from the first frame of the first sentence to the largest end, [B, 1] each."""
    present = end > first
    start = first.gather(1, present.int().argmax(1, keepdim=True))
    stop = end.masked_fill(~present, 0).amax(1, keepdim=True)
    return start, stop.maximum(start)


def cut(x: Tensor, first: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Frames of each sentence, moved to the start, [B * S, T, *], and their mask [B * S, T]."""
    longest = max(int((end - first).max()), 1)
    index = first[..., None] + torch.arange(longest, device=x.device)
    mask = (index < end[..., None]).flatten(0, 1)
    index = index.clamp(max=x.shape[1] - 1).flatten(1)[..., None]
    frames = torch.take_along_dim(x, index, 1).unflatten(1, (first.shape[1], longest))
    return zero(frames.flatten(0, 1), mask), mask


def last(x: Tensor, mask: Tensor) -> Tensor:
    """Entry at the last real frame, [B, L, D] -> [B, D]; zeros without a real frame."""
    positions = torch.arange(x.shape[1], device=x.device)
    index = (positions * mask).amax(1)[:, None, None]
    return torch.take_along_dim(zero(x, mask), index, 1)[:, 0]
