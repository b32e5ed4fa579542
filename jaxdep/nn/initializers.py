"""Weight initializers of PyTorch and of the papers."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Float

from jaxdep.types import Array, PRNGKey

Initializer = Callable[..., Float[Array, "..."]]


def uniform(bound: float) -> Initializer:
    """Uniform distribution over (-bound, bound)."""

    def init(key: PRNGKey, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> Array:
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    return init


def normal(deviation: float) -> Initializer:
    """Normal distribution with mean 0 and the given standard deviation."""

    def init(key: PRNGKey, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> Array:
        return deviation * jax.random.normal(key, shape, dtype)

    return init


def torch_uniform(fan_in: int) -> Initializer:
    """PyTorch's default for the weights and biases of linear, convolutional and recurrent layers.

    Uniform over (-1/sqrt(fan_in), 1/sqrt(fan_in)). For a recurrent layer, `fan_in` is the hidden
    width.
    """
    return uniform(fan_in**-0.5 if fan_in else 0.0)


def zeros(key: PRNGKey, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> Array:
    """Zeros; float32 by default, as for the other initializers."""
    return jnp.zeros(shape, dtype)
