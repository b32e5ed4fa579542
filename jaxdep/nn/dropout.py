"""Dropout whose rate may be traced, so that one compiled program can sweep over rates."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Float

from jaxdep.types import Array, Number


class Dropout(nn.Module):
    """Sets elements to zero with probability `rate` and scales the others by 1 / (1 - rate).

    Draws no random numbers in evaluation, nor if the rate is the Python number 0.
    """

    rate: Number

    @nn.compact
    def __call__(self, x: Float[Array, "*axes"], train: bool) -> Float[Array, "*axes"]:
        """Drops elements if `train`; this requires the random stream `dropout`."""
        disabled = isinstance(self.rate, int | float) and self.rate == 0
        if disabled or not train:
            return x
        kept = jax.random.bernoulli(self.make_rng("dropout"), 1 - self.rate, x.shape)
        return jnp.where(kept, x / (1 - self.rate), 0)
