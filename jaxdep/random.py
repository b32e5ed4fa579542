"""Named key streams from one seed: the only place that folds keys.

Every random decision of a run comes from its own seed and a named purpose, never from the
order in which decisions are made. So a seed's result does not depend on its neighbours, and a
new purpose does not change the old ones.
"""

from __future__ import annotations

import jax

from jaxdep.types import PRNGKey

_INIT, _ORDER, _DROPOUT, _BUCKET, _SAMPLE = 0, 1, 2, 3, 4


def run_key(seed: int | jax.Array) -> PRNGKey:
    """The key from which everything random in a run of `seed` derives."""
    return jax.random.key(seed)


def init_key(key: PRNGKey) -> PRNGKey:
    """For the initial weights of a run."""
    return jax.random.fold_in(key, _INIT)


def order_key(key: PRNGKey, epoch: int | jax.Array) -> PRNGKey:
    """For the order of the examples in an epoch (counted from 0)."""
    return jax.random.fold_in(jax.random.fold_in(key, _ORDER), epoch)


def bucket_key(epoch: int | jax.Array) -> PRNGKey:
    """For the order of an epoch's groups of lengths, which is the same for every seed.

    Runs that train together must meet batches of one shape.
    """
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(0), _BUCKET), epoch)


def update_keys(key: PRNGKey, step: int | jax.Array) -> dict[str, PRNGKey]:
    """For what a model draws in an update (counted from 0 over the whole run), by its streams."""
    purposes = {"dropout": _DROPOUT, "sample": _SAMPLE}
    return {
        name: jax.random.fold_in(jax.random.fold_in(key, purpose), step)
        for name, purpose in purposes.items()
    }
