"""Masking of padded frames in inputs, means and softmaxes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float

from jaxdep.types import Array, Frames, Mask, Sequence, Vector


def zero_padding(x: Frames, mask: Mask | None) -> Frames:
    """Replaces padded frames by zeros, so that NaN in the padding does not reach the gradients."""
    return x if mask is None else jnp.where(mask[..., None], x, 0)


def either(a: Mask | None, b: Mask | None) -> Mask | None:
    """True where at least one of two modalities is real; None if one has no padding."""
    return None if a is None or b is None else a | b


def masked_mean(x: Sequence, mask: Mask | None) -> Vector:
    """Mean over real frames, [B, L, D] -> [B, D]; zero without a real frame."""
    if mask is None:
        return x.mean(1)
    count = jnp.maximum(mask.sum(1), 1).astype(x.dtype)
    return zero_padding(x, mask).sum(1) / count[:, None]


def last(x: Sequence, mask: Mask | None) -> Vector:
    """The last real frame, [B, L, D] -> [B, D]; zero without a real frame."""
    if mask is None:
        return x[:, -1]
    positions = jnp.where(mask, jnp.arange(mask.shape[1]), -1).max(1)
    frames = jnp.take_along_axis(x, jnp.maximum(positions, 0)[:, None, None], 1)[:, 0]
    return jnp.where(positions[:, None] >= 0, frames, 0)


def first(x: Sequence, mask: Mask | None) -> Vector:
    """The first real frame, [B, L, D] -> [B, D]; zero without a real frame."""
    return last(x[:, ::-1], None if mask is None else mask[:, ::-1])


def masked_max(x: Sequence, mask: Mask | None) -> Vector:
    """Maximum over real frames, [B, L, D] -> [B, D]; zero without a real frame."""
    if mask is None:
        return x.max(1)
    highest = jnp.where(mask[..., None], x, jnp.finfo(x.dtype).min).max(1)
    return jnp.where(mask.any(1)[:, None], highest, 0)


def masked_softmax(
    scores: Float[Array, "*axes time"], mask: Bool[Array, "*#axes time"] | None
) -> Float[Array, "*axes time"]:
    """Softmax over the real entries of the last axis; all zeros without a real entry."""
    if mask is None:
        return jax.nn.softmax(scores)
    mask = jnp.broadcast_to(mask, scores.shape)
    # Scores of padding may overflow, so they must not reach the gradient of the exponential.
    return jax.nn.softmax(jnp.where(mask, scores, 0), where=mask)
