"""Initial weights as PyTorch and the papers draw them."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxdep.types import PRNGKey

Initializer = Callable[..., Float[Array, "..."]]


def uniform(bound: float) -> Initializer:
    """Uniform in (-bound, bound)."""

    def init(key: PRNGKey, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32):
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    return init


def normal(deviation: float) -> Initializer:
    """Normal with mean 0."""

    def init(key: PRNGKey, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32):
        return deviation * jax.random.normal(key, shape, dtype)

    return init


def torch_uniform(fan_in: int) -> Initializer:
    """PyTorch's default for the weights and biases of linear, convolutional and recurrent layers.

    Uniform in (-1/sqrt(fan_in), 1/sqrt(fan_in)); of a recurrent layer `fan_in` is its hidden width.
    """
    return uniform(fan_in**-0.5 if fan_in else 0.0)


def zeros(key: PRNGKey, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32):
    """Zeros; float32 unless told, as `uniform`."""
    return jnp.zeros(shape, dtype)
