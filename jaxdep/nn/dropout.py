"""Dropout whose rate may be a traced value, so that one program sweeps over rates."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class Dropout(nn.Module):
    """Sets elements to zero with probability `rate` and scales the others by 1 / (1 - rate).

    A rate that is the number 0, and evaluation, draw nothing.
    """

    rate: float | Array

    @nn.compact
    def __call__(self, x: Float[Array, "..."], train: bool) -> Float[Array, "..."]:
        """Drops elements if `train`; needs the random stream `dropout` then."""
        never = isinstance(self.rate, int | float) and self.rate == 0
        if never or not train:
            return x
        kept = jax.random.bernoulli(self.make_rng("dropout"), 1 - self.rate, x.shape)
        return jnp.where(kept, x / (1 - self.rate), 0)
