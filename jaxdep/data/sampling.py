"""The order of an epoch for each seed, and batches gathered inside the compiled program.

With *buckets*, recordings of like length share a batch: sorted by length they are cut into groups
of whole batches, and who meets whom is drawn within a group.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
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


def balanced(key: PRNGKey, labels: Int[Array, " item"], batch_size: int) -> tuple[Indices, Weights]:
    """An epoch's batches drawn with replacement, so that every class is met equally often.

    Args:
      labels: class of each item.

    Returns:
      As `shuffled`; as many examples as there are items.
    """
    ranked = jnp.sort(labels)
    counts = jnp.searchsorted(ranked, labels, side="right") - jnp.searchsorted(ranked, labels)
    shares = 1 / counts
    items = len(labels)
    drawn = jax.random.choice(key, items, (items,), replace=True, p=shares / shares.sum())
    return _in_batches(drawn, batch_size)


def by_length(frames: Mapping[str, Any]) -> Int[Array, " item"]:
    """Items from the shortest to the longest, by their first sequence, then the next.

    Args:
      frames: of each sequence the number of real frames [N].
    """
    return jnp.lexsort([jnp.asarray(frames[name]) for name in sorted(frames, reverse=True)])


def groups(steps: int, buckets: int) -> list[tuple[int, int]]:
    """The first and the last step (exclusive) of each group; no more groups than steps."""
    buckets = min(buckets, steps)
    ends = [steps * number // buckets for number in range(buckets + 1)]
    return list(pairwise(ends))


def bucketed(
    key: PRNGKey, steps_key: PRNGKey, ranked: Int[Array, " item"], batch_size: int, buckets: int
) -> tuple[Indices, Weights]:
    """As `shuffled`, with batches of like length; the smaller batch has the longest recordings.

    Args:
      key: draws who is in a group's batches.
      steps_key: draws the order of the batches, as `which_step` tells it.
      ranked: of `by_length`.
    """
    parts = []
    for first, last in groups(steps_per_epoch(len(ranked), batch_size), buckets):
        key, own = jax.random.split(key)
        part = ranked[first * batch_size : last * batch_size]
        parts.append(jax.random.permutation(own, part))
    indices, weights = _in_batches(jnp.concatenate(parts), batch_size)
    order = which_step(steps_key, len(indices))
    return indices[order], weights[order]


def which_step(steps_key: PRNGKey, steps: int) -> Int[Array, " step"]:
    """Which batch, counted from the shortest group on, comes first, second, ..."""
    return jax.random.permutation(steps_key, steps)


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
