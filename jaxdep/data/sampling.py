"""The order of an epoch for each seed, and batches gathered inside the compiled program."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxdep.types import PRNGKey

Indices = Int[Array, "step batch"]
Weights = Float[Array, "step batch"]


def steps_per_epoch(items: int, batch_size: int) -> int:
    """Batches in an epoch; the last may be smaller (PyTorch's `drop_last=False`)."""
    return -(-items // batch_size)


def shuffled(key: PRNGKey, items: int, batch_size: int) -> tuple[Indices, Weights]:
    """An epoch's batches in the order that `key` draws.

    Returns:
      Indices of examples and their weights, both [S, B]. Where the last batch is smaller it is
      filled with example 0 at weight 0, so that means weighted by them have its true size.
    """
    return _in_batches(jax.random.permutation(key, items), batch_size)


def in_order(items: int, batch_size: int) -> tuple[Indices, Weights]:
    """A split's batches for evaluation, as `shuffled` returns them."""
    return _in_batches(jnp.arange(items), batch_size)


def gather(split: Any, indices: Int[Array, " batch"]) -> Any:
    """The examples of one batch, from a split that lies on the device."""
    return jax.tree.map(lambda array: jnp.take(array, indices, axis=0), split)


def _in_batches(order: Int[Array, " item"], batch_size: int) -> tuple[Indices, Weights]:
    items = order.shape[0]
    padding = steps_per_epoch(items, batch_size) * batch_size - items
    indices = jnp.pad(order, (0, padding)).reshape(-1, batch_size)
    weights = (jnp.arange(items + padding) < items).astype(jnp.float32)
    return indices, weights.reshape(-1, batch_size)
