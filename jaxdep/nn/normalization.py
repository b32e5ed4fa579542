"""Normalisation of features, and of batches whose samples are met one at a time."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxdep.types import Sequence

_MOMENTUM, _EPSILON = 0.1, 1e-5


class LayerNorm(nn.Module):
    """Normalises the last axis, as `torch.nn.LayerNorm`: epsilon 1e-5, variance in two passes."""

    @nn.compact
    def __call__(self, x: Sequence) -> Sequence:
        """[..., D] to the same shape and format."""
        scale = self.param("scale", nn.initializers.ones, (x.shape[-1],))
        bias = self.param("bias", nn.initializers.zeros, (x.shape[-1],))
        centred = x - x.mean(-1, keepdims=True)
        variance = jnp.square(centred).mean(-1, keepdims=True)
        axes = (1,) * (x.ndim - 1) + (-1,)
        normal = centred / jnp.sqrt(variance + 1e-5)
        return normal * scale.reshape(axes) + bias.reshape(axes)


class BatchNorm(nn.Module):
    """`torch.nn.BatchNorm1d` over batch and time."""

    @nn.compact
    def __call__(
        self, x: Sequence, real: Bool[Array, " batch"] | None = None, train: bool = False
    ) -> Sequence:
        """[B, L, C] to the same shape.

        Args:
          real: [B], false for examples that fill a batch and count for nothing; None: all count.
            Where none counts, the running statistics are used, and stay.
        """
        scale, bias, mean, var = _of_channels(self, x.shape[-1])
        if not train:
            centred = x - mean.value[None, None]
            return _normal(centred, var.value[None, None], scale, bias)
        counts = jnp.ones(len(x), x.dtype) if real is None else real.astype(x.dtype)
        share = (counts / (jnp.maximum(counts.sum(), 1) * x.shape[1]))[:, None, None]
        own_mean = (share * x).sum((0, 1))
        number = counts.sum() * x.shape[1]
        own_var = (share * jnp.square(x - own_mean[None, None])).sum((0, 1))
        own_mean = jnp.where(number > 0, own_mean, mean.value.astype(x.dtype))
        own_var = jnp.where(number > 0, own_var, var.value.astype(x.dtype))
        if not self.is_initializing():
            unbiased = own_var * number / jnp.maximum(number - 1, 1)
            momentum = jnp.where(number > 0, _MOMENTUM, 0)
            for old, new in ((mean, own_mean), (var, unbiased)):
                moved = (1 - momentum) * old.value + momentum * new
                old.value = moved.astype(old.value.dtype)
        return _normal(x - own_mean[None, None], own_var[None, None], scale, bias)


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
        scale, bias, mean, var = _of_channels(self, x.shape[-1])
        if not train:
            centred = x - mean.value[None, None]
            return _normal(centred, var.value[None, None], scale, bias)
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
        return _normal(centred, own_var[:, None], scale, bias)


def _of_channels(module: nn.Module, channels: int) -> tuple[Array, Array, Any, Any]:
    """Scale, bias, running mean and running variance, [C] each."""
    return (
        module.param("scale", nn.initializers.ones, (channels,)),
        module.param("bias", nn.initializers.zeros, (channels,)),
        module.variable("batch_stats", "mean", jnp.zeros, (channels,)),
        module.variable("batch_stats", "var", jnp.ones, (channels,)),
    )


def _normal(centred: Sequence, variance: Array, scale: Array, bias: Array) -> Sequence:
    normal = centred / jnp.sqrt(variance + _EPSILON)
    return normal * scale[None, None] + bias[None, None]
