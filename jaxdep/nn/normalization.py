"""Batch normalisation of samples that are met one at a time."""

from __future__ import annotations

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxdep.types import Sequence

_MOMENTUM, _EPSILON = 0.1, 1e-5


class SampleBatchNorm(nn.Module):
    """`torch.nn.BatchNorm1d` that sees one sample after another, all of them computed at once.

    In training each sample is normalised over its own time, and the running statistics move once
    for every real sample, in their order; in evaluation the running statistics are used.
    """

    @nn.compact
    def __call__(self, x: Sequence, real: Bool[Array, " batch"], train: bool) -> Sequence:
        """[N, L, C] to the same shape.

        Args:
          real: [N], false for samples that PyTorch would not have met.
        """
        channels = x.shape[-1]
        scale = self.param("scale", nn.initializers.ones, (channels,))
        bias = self.param("bias", nn.initializers.zeros, (channels,))
        mean = self.variable("batch_stats", "mean", jnp.zeros, (channels,))
        var = self.variable("batch_stats", "var", jnp.ones, (channels,))
        if not train:
            normal = (x - mean.value[None, None]) / jnp.sqrt(var.value[None, None] + _EPSILON)
            return normal * scale[None, None] + bias[None, None]
        own_mean = x.mean(1)
        centred = x - own_mean[:, None]
        own_var = jnp.square(centred).mean(1)
        if not self.is_initializing():
            # A sample's statistics fade with every real one that comes after it.
            after = real.sum() - jnp.cumsum(real)
            share = jnp.where(real, _MOMENTUM * (1 - _MOMENTUM) ** after, 0)
            old = (1 - _MOMENTUM) ** real.sum()
            unbiased = own_var * (x.shape[1] / max(x.shape[1] - 1, 1))
            mean.value = (old * mean.value + share @ own_mean).astype(mean.value.dtype)
            var.value = (old * var.value + share @ unbiased).astype(var.value.dtype)
        normal = centred / jnp.sqrt(own_var[:, None] + _EPSILON)
        return normal * scale[None, None] + bias[None, None]
