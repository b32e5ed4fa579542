"""Layer normalisation, and batch normalisation with padded or sequential batches."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Bool

from jaxdep.types import Array, Sequence

_MOMENTUM, _EPSILON = 0.1, 1e-5


class LayerNorm(nn.LayerNorm):
    """Layer normalisation as in `torch.nn.LayerNorm`: epsilon 1e-5, two-pass variance."""

    epsilon: float = _EPSILON
    use_fast_variance: bool = False


class BatchNorm(nn.Module):
    """Batch normalisation over batch and time, as `torch.nn.BatchNorm1d`."""

    @nn.compact
    def __call__(
        self, x: Sequence, real: Bool[Array, " batch"] | None = None, train: bool = False
    ) -> Sequence:
        """Normalises [B, L, C]; keeps its shape.

        Args:
          real: [B], false for examples that only fill up the batch, which are left out of the
            statistics; None: all are real. Without a real example, the running statistics are used
            and left unchanged.
        """
        scale, bias, mean, var = _channel_state(self, x.shape[-1])
        if not train:
            centred = x - mean.value[None, None]
            return _normalize(centred, var.value[None, None], scale, bias)
        weights = jnp.ones(x.shape[0], x.dtype) if real is None else real.astype(x.dtype)
        fractions = (weights / (jnp.maximum(weights.sum(), 1) * x.shape[1]))[:, None, None]
        batch_mean = (fractions * x).sum((0, 1))
        number = weights.sum() * x.shape[1]
        batch_var = (fractions * jnp.square(x - batch_mean[None, None])).sum((0, 1))
        batch_mean = jnp.where(number > 0, batch_mean, mean.value.astype(x.dtype))
        batch_var = jnp.where(number > 0, batch_var, var.value.astype(x.dtype))
        if not self.is_initializing():
            unbiased = batch_var * number / jnp.maximum(number - 1, 1)
            momentum = jnp.where(number > 0, _MOMENTUM, 0)
            for old, new in ((mean, batch_mean), (var, unbiased)):
                moved = (1 - momentum) * old.value + momentum * new
                old.value = moved.astype(old.value.dtype)
        return _normalize(x - batch_mean[None, None], batch_var[None, None], scale, bias)


class SampleBatchNorm(nn.Module):
    """`torch.nn.BatchNorm1d` applied to one sample after another, computed in a single pass.

    In training, each sample is normalised over its time axis, and the running statistics are
    updated once per real sample, in order. In evaluation, the running statistics are used.
    """

    @nn.compact
    def __call__(self, x: Sequence, real: Bool[Array, " batch"], train: bool) -> Sequence:
        """Normalises [N, L, C]; keeps its shape.

        Args:
          real: [N], false for padding, which does not update the running statistics.
        """
        scale, bias, mean, var = _channel_state(self, x.shape[-1])
        if not train:
            centred = x - mean.value[None, None]
            return _normalize(centred, var.value[None, None], scale, bias)
        sample_mean = x.mean(1)
        centred = x - sample_mean[:, None]
        sample_var = jnp.square(centred).mean(1)
        if not self.is_initializing():
            # The weight of a sample's statistics decays with every later real sample.
            after = real.sum() - jnp.cumsum(real)
            weights = jnp.where(real, _MOMENTUM * (1 - _MOMENTUM) ** after, 0)
            old = (1 - _MOMENTUM) ** real.sum()
            unbiased = sample_var * (x.shape[1] / max(x.shape[1] - 1, 1))
            mean.value = (old * mean.value + weights @ sample_mean).astype(mean.value.dtype)
            var.value = (old * var.value + weights @ unbiased).astype(var.value.dtype)
        return _normalize(centred, sample_var[:, None], scale, bias)


def _channel_state(module: nn.Module, channels: int) -> tuple[Array, Array, Any, Any]:
    """Creates the scale, the bias, the running mean and the running variance, [C] each."""
    return (
        module.param("scale", nn.initializers.ones, (channels,)),
        module.param("bias", nn.initializers.zeros, (channels,)),
        module.variable("batch_stats", "mean", jnp.zeros, (channels,)),
        module.variable("batch_stats", "var", jnp.ones, (channels,)),
    )


def _normalize(centred: Sequence, variance: Array, scale: Array, bias: Array) -> Sequence:
    normal = centred / jnp.sqrt(variance + _EPSILON)
    return normal * scale[None, None] + bias[None, None]
