"""Sequences of several rates brought to the length of one."""

from __future__ import annotations

from collections.abc import Sequence as Several

import jax.numpy as jnp
from jaxtyping import Array, Int

from jaxdep.nn import masking
from jaxdep.types import Mask, Sequence

Rows = tuple[Sequence, Mask]
"""Steps [B, S, D] with zeros at padding, and which of them are real."""

Counts = Int[Array, "batch 1"]


def reach(steps: int, kernels: Several[int], strides: Several[int]) -> int:
    """How many frames the first `steps` outputs of a stack of valid convolutions read."""
    for kernel, stride in zip(kernels[::-1], strides[::-1], strict=True):
        steps = (steps - 1) * stride + kernel
    return steps


def pad(rows: Several[Rows], length: int) -> list[Rows]:
    """Truncates sequences to `length` steps, or fills them up with zeros.

    Args:
      rows: [B, S, D] with zeros at padding, and masks [B, S], one of each sequence.

    Returns:
      [B, length, D] and [B, length] of each.
    """
    brought = []
    for x, mask in rows:
        more = max(length - x.shape[1], 0)
        x = jnp.pad(x[:, :length], ((0, 0), (0, more), (0, 0)))
        brought.append((x, jnp.pad(mask[:, :length], ((0, 0), (0, more)))))
    return brought


def resample(rows: Several[Rows], length: int) -> list[Rows]:
    """Interpolates sequences linearly so that step t of all of them is the same moment.

    In each recording the real steps of the first sequence that has any stay as they are, those of
    the others are stretched over them; steps are intervals of time and their values lie in the
    middle (PyTorch's `align_corners=False`).

    Args:
      rows: as in `pad`; real steps come first.

    Returns:
      As `pad`, zero beyond the first sequence's real steps and where a sequence has none.
    """
    counts = [mask.sum(1, keepdims=True) for _, mask in rows]
    wanted, sources = jnp.zeros_like(counts[0]), []
    for count in counts:
        first, kept = wanted == 0, jnp.minimum(count, length)
        sources.append(jnp.where(first, kept, count))
        wanted = jnp.where(first, kept, wanted)
    target = jnp.arange(length)[None] < wanted
    brought = []
    for (x, _), count in zip(rows, sources, strict=True):
        mask = target & (count > 0)
        brought.append((masking.zero_padding(_stretch(x, count, wanted, length), mask), mask))
    return brought


def _stretch(x: Sequence, steps: Counts, wanted: Counts, length: int) -> Sequence:
    """The first `steps` of [B, S, D] at the middles of `wanted` equal parts: [B, length, D]."""
    if not x.shape[1]:
        return jnp.zeros((len(x), length, x.shape[2]), x.dtype)
    # Step t reads place (t + 1/2) steps / wanted - 1/2, here in units of 1 / (2 wanted).
    unit, last = 2 * jnp.maximum(wanted, 1), jnp.maximum(steps - 1, 0)
    places = (2 * jnp.arange(length)[None] + 1) * steps - unit // 2
    places = jnp.clip(places, 0, unit * last)
    left = places // unit
    right = jnp.minimum(left + 1, last)
    share = (places % unit).astype(x.dtype) / unit.astype(x.dtype)
    take = lambda at: jnp.take_along_axis(x, at[..., None], axis=1)
    return take(left) * (1 - share[..., None]) + take(right) * share[..., None]


def segments(x: Sequence, mask: Mask | None, count: int) -> Sequence:
    """Means of [B, S, D] over so many equal parts of each recording's real steps: [B, count, D].

    Part i of n reads the steps from floor(i T / n) to before ceil((i + 1) T / n), as PyTorch's
    `adaptive_avg_pool1d`; so neighbours share a step where n does not divide T. Zero where a
    recording has no step.
    """
    real = jnp.ones(x.shape[:2], bool) if mask is None else mask
    steps, part = real.sum(1)[:, None], jnp.arange(count)[None]
    first = (part * steps) // count
    end = ((part + 1) * steps + count - 1) // count
    step = jnp.cumsum(real, 1)[:, None] - 1  # counted among the real ones
    inside = (step >= first[..., None]) & (step < end[..., None]) & real[:, None]
    share = inside / jnp.maximum(end - first, 1)[..., None]
    return jnp.einsum("bps,bsd->bpd", share.astype(x.dtype), masking.zero_padding(x, mask))
