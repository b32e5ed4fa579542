"""Modality dropout: modalities of training examples that are absent at random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Bool

from jaxdep import random
from jaxdep.experiment import Experiment
from jaxdep.models import modalities, modalities_of
from jaxdep.types import Array, Inputs, Number, PRNGKey

Presence = Bool[Array, "batch modality"]


def drop(experiment: Experiment, inputs: Inputs, key: PRNGKey, step: Number) -> Mapping[str, Array]:
    """Inputs of an update in which modalities are absent with `training.modality_dropout`.

    What belongs to an absent modality is zero, and its masks are false, as in
    `models.modalities.without`.

    Args:
      experiment: experiment that the model belongs to.
      inputs: inputs of the update, [B, ...] by name.
      key: root key of the run.
      step: number of the update, counted over the whole run.
    """
    probability: Any = experiment.training.modality_dropout
    parts = modalities_of(experiment.model)
    disabled = isinstance(probability, int | float) and probability == 0
    if disabled or len(parts) < 2:
        return inputs
    recorded = jnp.stack([modalities.recorded(inputs, names) for names in parts.values()], 1)
    stays = staying(random.modality_key(key, step), recorded, probability)
    dropped = dict(inputs)
    for number, names in enumerate(parts.values()):
        for name in modalities.keys_of(names, inputs):
            x = jnp.asarray(inputs[name])
            kept = stays[:, number].reshape(-1, *[1] * (x.ndim - 1))
            dropped[name] = jnp.where(kept, x, jnp.zeros((), x.dtype))
    return dropped


def staying(key: PRNGKey, recorded: Presence, probability: Number) -> Presence:
    """Draws which modalities of each example stay; where all would go, one recorded one stays.

    Args:
      key: key of the draws.
      recorded: modalities that have any real frame. Others may be drawn, but never count as the
        one that stays, unless there is none.
      probability: probability that a modality is absent, from 0 to 1, possibly traced.
    """
    drawn = jax.random.uniform(key, recorded.shape, jnp.float32)
    stays = drawn >= probability
    # The draws are independent of their order: the largest one is that of each equally often.
    last = jnp.where(recorded, drawn, -1.0).argmax(1, keepdims=True)
    alone = jnp.arange(recorded.shape[1])[None] == last
    nothing = ~(stays & recorded).any(1, keepdims=True)
    return stays | (nothing & alone)
