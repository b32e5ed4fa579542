"""Padding: kept out at the door, out of means, and out of softmaxes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxdep.types import Mask, Sequence, Vector


def zero_padding(x: Sequence, mask: Mask | None) -> Sequence:
    """Replaces padded frames by zeros, whatever they hold, so that NaN there harms no gradient."""
    return x if mask is None else jnp.where(mask[..., None], x, 0)


def either(a: Mask | None, b: Mask | None) -> Mask | None:
    """True where any of two modalities is real; None where one of them is real throughout."""
    return None if a is None or b is None else a | b


def masked_mean(x: Sequence, mask: Mask | None) -> Vector:
    """Mean over real frames, [B, L, D] -> [B, D]; zero where there are none."""
    if mask is None:
        return x.mean(1)
    count = jnp.maximum(mask.sum(1), 1).astype(x.dtype)
    return zero_padding(x, mask).sum(1) / count[:, None]


def last(x: Sequence, mask: Mask | None) -> Vector:
    """The last real frame, [B, L, D] -> [B, D]; zero where there is none."""
    if mask is None:
        return x[:, -1]
    places = jnp.where(mask, jnp.arange(mask.shape[1]), -1).max(1)
    found = jnp.take_along_axis(x, jnp.maximum(places, 0)[:, None, None], 1)[:, 0]
    return jnp.where(places[:, None] >= 0, found, 0)


def masked_softmax(
    scores: Float[Array, "*axes time"], mask: Bool[Array, "*axes time"] | None
) -> Float[Array, "*axes time"]:
    """Softmax over the real frames of the last axis; all zeros where there are none."""
    if mask is None:
        return jax.nn.softmax(scores)
    mask = jnp.broadcast_to(mask, scores.shape)
    # Scores of padding may overflow; they must not reach the exponential's gradient.
    return jax.nn.softmax(jnp.where(mask, scores, 0), where=mask)
