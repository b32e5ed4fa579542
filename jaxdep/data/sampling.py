"""Batch order of each epoch, and gathering of batches inside the compiled program.

With *buckets*, a batch contains recordings of similar length: the recordings are sorted by length
and cut into groups of whole batches, and are shuffled within a group only.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from jaxdep.types import Array, PRNGKey

Indices = Int[Array, "step batch"]
Weights = Float[Array, "step batch"]


def steps_per_epoch(items: int, batch_size: int) -> int:
    """Number of batches per epoch; the last may be smaller (PyTorch's `drop_last=False`)."""
    return -(-items // batch_size)


def shuffled(key: PRNGKey, items: int, batch_size: int) -> tuple[Indices, Weights]:
    """Shuffles the items and divides them into the batches of one epoch.

    Returns:
      Indices of the items and their weights, both [S, B]. A smaller last batch is filled up with
      item 0 at weight 0, so that weighted means are taken over its real items.
    """
    return _in_batches(jax.random.permutation(key, items), batch_size)


def balanced(key: PRNGKey, labels: Int[Array, " item"], batch_size: int) -> tuple[Indices, Weights]:
    """Draws the batches of one epoch with replacement, every class with the same probability.

    Args:
      key: key of the draws.
      labels: class of each item.
      batch_size: size of a batch.

    Returns:
      Indices and weights as from `shuffled`; the number of draws is the number of items.
    """
    ranked = jnp.sort(labels)
    counts = jnp.searchsorted(ranked, labels, side="right") - jnp.searchsorted(ranked, labels)
    shares = 1 / counts
    items = len(labels)
    drawn = jax.random.choice(key, items, (items,), replace=True, p=shares / shares.sum())
    return _in_batches(drawn, batch_size)


def by_length(frames: Mapping[str, Any]) -> Int[Array, " item"]:
    """Sorts items from shortest to longest, by their first sequence, then the next.

    Args:
      frames: number of real frames of each item, [N], by sequence.
    """
    return jnp.lexsort([jnp.asarray(frames[name]) for name in sorted(frames, reverse=True)])


def groups(steps: int, buckets: int) -> list[tuple[int, int]]:
    """First and last step (exclusive) of each group; there are at most `steps` groups."""
    buckets = min(buckets, steps)
    bounds = [steps * number // buckets for number in range(buckets + 1)]
    return list(pairwise(bounds))


def bucketed(
    key: PRNGKey, steps_key: PRNGKey, ranked: Int[Array, " item"], batch_size: int, buckets: int
) -> tuple[Indices, Weights]:
    """Like `shuffled`, with items of similar length in each batch.

    If one batch is smaller, it contains the longest recordings.

    Args:
      key: key for shuffling the items within each group.
      steps_key: key for shuffling the batches, see `which_step`.
      ranked: items in the order of `by_length`.
      batch_size: size of a batch.
      buckets: number of groups.
    """
    parts = []
    for first, last in groups(steps_per_epoch(len(ranked), batch_size), buckets):
        key, group_key = jax.random.split(key)
        group = ranked[first * batch_size : last * batch_size]
        parts.append(jax.random.permutation(group_key, group))
    indices, weights = _in_batches(jnp.concatenate(parts), batch_size)
    order = which_step(steps_key, len(indices))
    return indices[order], weights[order]


def which_step(steps_key: PRNGKey, steps: int) -> Int[Array, " step"]:
    """Order in which batches are visited, numbered from the group of the shortest items on."""
    return jax.random.permutation(steps_key, steps)


def in_order(items: int, batch_size: int) -> tuple[Indices, Weights]:
    """Batches of all items in their stored order, for evaluation; returns as `shuffled`."""
    return _in_batches(jnp.arange(items), batch_size)


def gather(split: Any, indices: Int[Array, " batch"]) -> Any:
    """Gathers the items of one batch from a split in device memory."""
    return jax.tree.map(lambda array: jnp.take(array, indices, axis=0), split)


def _in_batches(order: Int[Array, " item"], batch_size: int) -> tuple[Indices, Weights]:
    items = order.shape[0]
    padding = steps_per_epoch(items, batch_size) * batch_size - items
    indices = jnp.pad(order, (0, padding)).reshape(-1, batch_size)
    weights = (jnp.arange(items + padding) < items).astype(jnp.float32)
    return indices, weights.reshape(-1, batch_size)
