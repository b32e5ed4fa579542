"""Masked sequences in PyTorch: recurrent layers, softmax and mean."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def run(layer: nn.RNNBase, x: Tensor, mask: Tensor | None) -> Tensor:
    """Outputs of a recurrent layer [B, L, *], zero where the mask is false.

    The real frames of each row are moved to the front, packed, run, and moved back, so the mask may
    have gaps. Empty rows, which PyTorch cannot pack, stay zero.
    """
    if mask is None:
        return layer(x)[0]
    order = torch.argsort((~mask).int(), dim=1, stable=True)[..., None]
    front = torch.take_along_dim(x, order, 1)
    lengths = mask.sum(1)
    full = lengths > 0
    width = layer.hidden_size * (2 if layer.bidirectional else 1)
    out = x.new_zeros(*x.shape[:2], width)
    if full.any():
        packed = pack_padded_sequence(
            front[full], lengths[full].cpu(), batch_first=True, enforce_sorted=False
        )
        padded, _ = pad_packed_sequence(layer(packed)[0], batch_first=True, total_length=x.shape[1])
        out = out.index_put((full.nonzero()[:, 0],), padded)
    return torch.zeros_like(out).scatter(1, order.expand_as(out), out)


def zero(x: Tensor, mask: Tensor | None) -> Tensor:
    """Replaces the padding of [B, L] or [B, L, D] by zeros."""
    if mask is None:
        return x
    return x.masked_fill(~(mask if x.ndim == 2 else mask[..., None]), 0)


def softmax(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax over the real entries of the last axis; zeros without a real entry."""
    if mask is None:
        return scores.softmax(-1)
    weights = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1)
    return weights * mask


def mean(x: Tensor, mask: Tensor | None) -> Tensor:
    """Mean over real frames, [B, L, D] -> [B, D]; zero without a real frame."""
    if mask is None:
        return x.mean(1)
    return zero(x, mask).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
