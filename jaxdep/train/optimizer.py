"""Builds Optax optimizers from an experiment's settings, which may be traced values."""

from __future__ import annotations

from typing import Any

import jax
import optax
from jaxtyping import Int

from jaxdep.experiment import Optimizer
from jaxdep.types import Array

Count = int | Int[Array, ""]
"""An integer, possibly traced."""

_FIRST, _LAST = 1e-3, 1e-6  # first and last factor of a cosine schedule


def build(
    config: Optimizer, step: Count = 0, steps: Count = 1, epochs: int = 1
) -> optax.GradientTransformation:
    """Builds the optimizer named by `config`, with the learning rate of a given training step.

    It is built inside the compiled program, from values that may differ between runs. The weight
    decay of `adam` and `sgd` is coupled, as in PyTorch: it is added to the gradient before the
    moments.

    Args:
      config: optimizer settings.
      step: number of updates made so far in the whole run.
      steps: number of updates per epoch.
      epochs: total number of epochs, for schedules that end with training.
    """
    clip = [] if config.clip_norm is None else [optax.clip_by_global_norm(config.clip_norm)]
    mask = _matrices if config.decayed == "matrices" else None
    decay = optax.add_decayed_weights(config.weight_decay, mask)
    scaler = _SCALERS[config.name](config)
    order = [scaler, decay] if config.name == "adamw" else [decay, scaler]
    rate = learning_rate(config, step, steps, epochs)
    return optax.chain(*clip, *order, optax.scale_by_learning_rate(rate))


def learning_rate(
    config: Optimizer, step: Count = 0, steps: Count = 1, epochs: int = 1
) -> float | Array:
    """The learning rate at a training step; the arguments are those of `build`."""
    rate: Any = config.learning_rate  # Optax and JAX annotate different kinds of numbers
    if config.schedule == "cosine":
        schedule = optax.warmup_cosine_decay_schedule(
            _FIRST,
            1.0,
            warmup_steps=config.warmup_epochs,
            decay_steps=max(epochs, config.warmup_epochs + 1),
            end_value=_LAST,
        )
        return rate * schedule(step / steps)
    if not config.decay_every:
        return rate
    # Integer division: a float32 quotient may round below the epoch that has just begun.
    return rate * config.decay_factor ** (step // (config.decay_every * steps))


def _matrices(params: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)


def _adam(config: Optimizer) -> optax.GradientTransformation:
    return optax.scale_by_adam(config.b1, config.b2, config.eps)


def _sgd(config: Optimizer) -> optax.GradientTransformation:
    return optax.trace(config.momentum)


_SCALERS = {"adam": _adam, "adamw": _adam, "sgd": _sgd}
