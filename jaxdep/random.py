"""Random keys of a run: one named stream per purpose, all derived from the run's seed.

A key depends on the run's seed and a purpose, never on the order in which keys are drawn. The
result of a seed is therefore independent of the seeds trained with it, and adding a purpose does
not change the existing streams. The keys of a run are folded in this module only.
"""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from jaxdep.types import PRNGKey

_INIT, _ORDER, _DROPOUT, _BUCKET, _SAMPLE, _MODALITY = 0, 1, 2, 3, 4, 5


def run_key(seed: ArrayLike) -> PRNGKey:
    """Root key of a run, from which all its other keys are derived."""
    return jax.random.key(seed)


def init_key(key: PRNGKey) -> PRNGKey:
    """Key of the initial weights."""
    return jax.random.fold_in(key, _INIT)


def order_key(key: PRNGKey, epoch: ArrayLike) -> PRNGKey:
    """Key of the order of the examples in an epoch (counted from 0)."""
    return jax.random.fold_in(jax.random.fold_in(key, _ORDER), epoch)


def bucket_key(epoch: ArrayLike) -> PRNGKey:
    """Key of the order of the length buckets in an epoch (counted from 0).

    The same for every seed, because runs that are trained together must see batches of the same
    shape.
    """
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(0), _BUCKET), epoch)


def modality_key(key: PRNGKey, step: ArrayLike) -> PRNGKey:
    """Key of the modalities that are absent in an update (counted from 0 over the whole run)."""
    return jax.random.fold_in(jax.random.fold_in(key, _MODALITY), step)


def update_keys(key: PRNGKey, step: ArrayLike) -> dict[str, PRNGKey]:
    """Keys of a model's random streams in an update (counted from 0 over the whole run)."""
    purposes = {"dropout": _DROPOUT, "sample": _SAMPLE}
    return {
        name: jax.random.fold_in(jax.random.fold_in(key, purpose), step)
        for name, purpose in purposes.items()
    }
