"""Alignment of sequences of different frame rates to a common length."""

from __future__ import annotations

from collections import abc

import jax.numpy as jnp
from jaxtyping import Bool, Float, Int, Num

from jaxdep.nn import masking
from jaxdep.types import Array, Mask, Resampled, Sequence

Rows = tuple[Float[Array, "batch _ feature"], Bool[Array, "batch _"]]
"""Steps [B, S, D], zero at padding, and their mask [B, S], true at real steps."""

Counts = Int[Array, "batch 1"]


def receptive_field(steps: int, kernels: abc.Sequence[int], strides: abc.Sequence[int]) -> int:
    """Number of frames that the first `steps` outputs of stacked valid convolutions depend on."""
    for kernel, stride in zip(kernels[::-1], strides[::-1], strict=True):
        steps = (steps - 1) * stride + kernel
    return steps


def pad(rows: abc.Sequence[Rows], length: int) -> list[Rows]:
    """Truncates each sequence to `length` steps, or pads it with zeros.

    Args:
      rows: sequences [B, S, D], zero at padding, each with its mask [B, S].
      length: number of steps of the result.

    Returns:
      For each input, a sequence [B, length, D] and its mask [B, length].
    """
    padded = []
    for x, mask in rows:
        missing = max(length - x.shape[1], 0)
        x = jnp.pad(x[:, :length], ((0, 0), (0, missing), (0, 0)))
        padded.append((x, jnp.pad(mask[:, :length], ((0, 0), (0, missing)))))
    return padded


def resample(rows: abc.Sequence[Rows], length: int) -> list[Rows]:
    """Resamples sequences linearly to a common time grid.

    In each recording, the first sequence that has real steps is the reference: its steps are kept,
    and the real steps of the other sequences are stretched to its length. A step is an interval of
    time, and its value lies at the centre of the interval (PyTorch's `align_corners=False`).

    Args:
      rows: as in `pad`; real steps come first.
      length: number of steps of the result.

    Returns:
      As `pad`; zero after the reference's last real step, and where a sequence has no real step.
    """
    counts = [mask.sum(1, keepdims=True) for _, mask in rows]
    out_steps, sources = jnp.zeros_like(counts[0]), []
    for count in counts:
        is_reference, truncated = out_steps == 0, jnp.minimum(count, length)
        sources.append(jnp.where(is_reference, truncated, count))
        out_steps = jnp.where(is_reference, truncated, out_steps)
    real = jnp.arange(length)[None] < out_steps
    resampled = []
    for (x, _), count in zip(rows, sources, strict=True):
        mask = real & (count > 0)
        resampled.append((masking.zero_padding(_stretch(x, count, out_steps, length), mask), mask))
    return resampled


def _stretch(x: Sequence, steps: Counts, out_steps: Counts, length: int) -> Resampled:
    """Interpolates the first `steps` of [B, S, D] at the centres of `out_steps` equal parts."""
    if not x.shape[1]:
        return jnp.zeros((x.shape[0], length, x.shape[2]), x.dtype)
    # Output t lies at (t + 1/2) steps / out_steps - 1/2, here in units of 1 / (2 out_steps).
    unit, last = 2 * jnp.maximum(out_steps, 1), jnp.maximum(steps - 1, 0)
    positions = (2 * jnp.arange(length)[None] + 1) * steps - unit // 2
    positions = jnp.clip(positions, 0, unit * last)
    left = positions // unit
    right = jnp.minimum(left + 1, last)
    fraction = (positions % unit).astype(x.dtype) / unit.astype(x.dtype)
    take = lambda index: jnp.take_along_axis(x, index[..., None], axis=1)
    return take(left) * (1 - fraction[..., None]) + take(right) * fraction[..., None]


def segments(x: Num[Array, "batch time feature"], mask: Mask | None, count: int) -> Resampled:
    """Averages each recording's real steps over `count` equal parts: [B, S, D] to [B, count, D].

    Part i of n averages the steps from floor(i T / n) to ceil((i + 1) T / n) - 1, as PyTorch's
    `adaptive_avg_pool1d` does, so neighbouring parts share a step if n does not divide T. Zero for
    recordings without a real step.
    """
    real = jnp.ones(x.shape[:2], bool) if mask is None else mask
    steps, part = real.sum(1)[:, None], jnp.arange(count)[None]
    first = (part * steps) // count
    end = ((part + 1) * steps + count - 1) // count
    step = jnp.cumsum(real, 1)[:, None] - 1  # index among the real steps
    inside = (step >= first[..., None]) & (step < end[..., None]) & real[:, None]
    weights = inside / jnp.maximum(end - first, 1)[..., None]
    if not jnp.issubdtype(x.dtype, jnp.floating):  # such as the pixels of faces
        x = x.astype(weights.dtype)
    return jnp.einsum("bps,bsd->bpd", weights.astype(x.dtype), masking.zero_padding(x, mask))
