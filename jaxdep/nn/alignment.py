"""Sequences of several rates brought to the length of one."""

from __future__ import annotations

from collections.abc import Sequence as Several

import jax.numpy as jnp

from jaxdep.nn import masking
from jaxdep.types import Mask, Sequence


def reach(steps: int, kernels: Several[int], strides: Several[int]) -> int:
    """How many frames the first `steps` outputs of a stack of valid convolutions read."""
    for kernel, stride in zip(kernels[::-1], strides[::-1], strict=True):
        steps = (steps - 1) * stride + kernel
    return steps


def pad_to(x: Sequence, mask: Mask | None, length: int) -> Sequence:
    """Truncates [B, S, D] to `length` steps, or fills it up with zeros; padding becomes zeros."""
    x = masking.zero_padding(x, mask)[:, :length]
    return jnp.pad(x, ((0, 0), (0, length - x.shape[1]), (0, 0)))


def resample_to(x: Sequence, mask: Mask | None, length: int, target_mask: Mask | None) -> Sequence:
    """Interpolates [B, S, D] linearly so that step t of every sequence is the same moment.

    Each recording's real steps are stretched over the real steps of the target; steps are
    intervals of time and their values lie in the middle (PyTorch's `align_corners=False`).

    Args:
      mask: [B, S], or None where all steps are real; real steps come first.
      length: L of the target.
      target_mask: [B, L], likewise.

    Returns:
      [B, L, D], zero beyond the target's real steps and where `x` has none.
    """
    size = x.shape[1]
    if not size:
        return pad_to(x, mask, length)
    steps = _count(mask, size, x)
    wanted = _count(target_mask, length, x)
    places = (jnp.arange(length, dtype=x.dtype)[None] + 0.5) * (steps / jnp.maximum(wanted, 1))
    last = jnp.maximum(steps - 1, 0)
    places = jnp.clip(places - 0.5, 0, last)
    left = jnp.floor(places)
    right = jnp.minimum(left + 1, last)
    x = masking.zero_padding(x, mask)
    take = lambda at: jnp.take_along_axis(x, at.astype(jnp.int32)[..., None], axis=1)
    share = (places - left)[..., None]
    return masking.zero_padding(take(left) * (1 - share) + take(right) * share, target_mask)


def segments(x: Sequence, mask: Mask | None, count: int) -> Sequence:
    """Means of [B, S, D] over so many equal parts of each recording's real steps: [B, count, D].

    Part i of n reads the steps from floor(i T / n) to before ceil((i + 1) T / n), as PyTorch's
    `adaptive_avg_pool1d`; so neighbours share a step where n does not divide T. Zero where a
    recording has no step.
    """
    steps = jnp.full(len(x), x.shape[1]) if mask is None else mask.sum(1)
    part, step = jnp.arange(count)[None], jnp.arange(x.shape[1])[None, None]
    first = (part * steps[:, None]) // count
    end = ((part + 1) * steps[:, None] + count - 1) // count
    inside = (step >= first[..., None]) & (step < end[..., None])
    share = inside / jnp.maximum(end - first, 1)[..., None]
    return jnp.einsum("bps,bsd->bpd", share.astype(x.dtype), masking.zero_padding(x, mask))


def _count(mask: Mask | None, size: int, like: Sequence) -> Sequence:
    """Real steps of each recording, [B, 1]."""
    if mask is None:
        return jnp.full((like.shape[0], 1), size, like.dtype)
    return mask.sum(1, keepdims=True).astype(like.dtype)
