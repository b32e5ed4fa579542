"""A linear layer with PyTorch's initial weights."""

from __future__ import annotations

import flax.linen as nn
from jaxtyping import Float

from jaxdep.nn import initializers
from jaxdep.nn.initializers import Initializer
from jaxdep.types import Array


class Linear(nn.Module):
    """A linear layer `y = x W + b` over the last axis.

    Attributes:
      features: width of `y`.
      use_bias: whether to add a bias `b`.
      weight_init: initializer of `W`; None: PyTorch's default.
      bias_init: initializer of `b`; None: that of `W`.
    """

    features: int
    use_bias: bool = True
    weight_init: Initializer | None = None
    bias_init: Initializer | None = None

    @nn.compact
    def weights(self, width: int) -> tuple[Array, Array | None]:
        """Returns `W` [width, features] and `b` [features], to be applied by the caller."""
        weight_init = self.weight_init or initializers.torch_uniform(width)
        kernel = self.param("kernel", weight_init, (width, self.features))
        if not self.use_bias:
            return kernel, None
        return kernel, self.param("bias", self.bias_init or weight_init, (self.features,))

    def __call__(self, x: Float[Array, "*axes in"]) -> Float[Array, "*axes out"]:
        """Applies the layer."""
        kernel, bias = self.weights(x.shape[-1])
        y = x @ kernel
        return y if bias is None else y + bias.reshape((1,) * (y.ndim - 1) + (-1,))
